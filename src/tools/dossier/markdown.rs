//! A dossier for people, made of its JSON alone: what it says is what the JSON says, masked where that is.
//!
//! Texts of the upstream, its names of fields included, stand in code spans and nowhere else, and there are no
//! tables: nothing in a name can become a heading, a link, an image, a row or HTML. Characters that do not show,
//! and those that turn the direction of a line, are written as their numbers.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::domain::is_printable;

/// The dossier as Markdown. Takes the member `dossier` of a result, masked or not; it says itself which
/// environment it is from, and in its first lines where that is the simulator.
#[must_use]
pub fn markdown(dossier: &Value) -> String {
    let mut page = Page(String::new());
    page.line(&format!("# Dossier on customer {}", code_of(dossier, "customer_id")));
    if dossier.get("environment").and_then(Value::as_str) == Some("simulator") {
        page.paragraph(
            "**This comes from the built-in simulator: the customer, the accounts and the verifications are made \
             up. It says nothing about any real person.**",
        );
    } else {
        page.paragraph(&format!("Environment: {}", code_of(dossier, "environment")));
    }
    page.paragraph(
        "What the upstream has on file, and what of it does not go together or is not there. IBANs, e-mails and phone \
         numbers may be masked here (`…` stands for hidden characters). It is no verdict. Values in `this type` are the \
         upstream's words, or were made from them.",
    );
    page.findings(
        "Contradictions",
        dossier.get("contradictions"),
        "None was found by the checks that are made.",
    );
    page.findings("Gaps", dossier.get("gaps"), "None was found by the checks that are made.");
    page.line("## What was not checked");
    page.paragraph(dossier.get("not_checked").and_then(Value::as_str).unwrap_or_default());
    page.line("## Customer");
    match dossier.get("customer").and_then(Value::as_object) {
        Some(customer) => page.fields(customer, ""),
        None => page.line("None was sent."),
    }
    page.gap();
    page.records("Bank accounts", "Account", dossier.get("bank_accounts"));
    page.records("Verifications", "Verification", dossier.get("verifications"));
    page.comparisons(dossier.get("name_comparisons"));
    if let Some(beside) = dossier.get("beside").and_then(Value::as_object) {
        page.line("## What the upstream sent beside the records");
        page.fields(beside, "");
        page.gap();
    }
    page.sources(dossier.get("sources"));
    page.0.truncate(page.0.trim_end().len());
    page.0.push('\n');
    page.0
}

/// Markdown as it grows.
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        // Headings need a blank line after them where a list follows, for some renderers.
        let end = if line.starts_with('#') { "\n\n" } else { "\n" };
        self.0.push_str(line);
        self.0.push_str(end);
    }

    fn paragraph(&mut self, text: &str) {
        self.0.push_str(text);
        self.gap();
    }

    fn gap(&mut self) {
        self.0.truncate(self.0.trim_end().len());
        self.0.push_str("\n\n");
    }

    fn findings(&mut self, heading: &str, findings: Option<&Value>, none: &str) {
        self.line(&format!("## {heading}"));
        let findings = list(findings);
        for finding in findings {
            let message = finding.get("message").and_then(Value::as_str).unwrap_or_default();
            let ids: Vec<String> = list(finding.get("ids")).iter().map(code).collect();
            self.line(&format!("- {message} Concerns: {} ({})", ids.join(", "), code_of(finding, "code")));
        }
        if findings.is_empty() {
            self.line(none);
        }
        self.gap();
    }

    fn records(&mut self, heading: &str, one: &str, records: Option<&Value>) {
        self.line(&format!("## {heading}"));
        let records = list(records);
        for record in records {
            self.line(&format!("- {one} {}", code_of(record, "id")));
            if let Some(fields) = record.as_object() {
                self.fields(fields, "  ");
            }
        }
        if records.is_empty() {
            self.line("None was sent.");
        }
        self.gap();
    }

    fn fields(&mut self, fields: &Map<String, Value>, indent: &str) {
        for (name, value) in fields {
            self.line(&format!("{indent}- {}: {}", span(name), code(value)));
        }
    }

    fn comparisons(&mut self, comparisons: Option<&Value>) {
        self.line("## Names compared");
        let comparisons = list(comparisons);
        for one in comparisons {
            let result = text(one, "result");
            let why = one.get("why").and_then(Value::as_str).map_or("", reason);
            let field = match text(one, "customer_field") {
                "company_name" => "company name",
                _ => "first and last name",
            };
            let account = code_of(one, "account_id");
            self.line(&format!("- Holder of {account} and customer's {field}: **{}**{why}", meaning(result)));
            self.line(&format!("  - Holder: {}", code_of(one, "holder_name")));
            self.line(&format!("  - Customer: {}", code_of(one, "customer_name")));
            self.sides("Compared as", one.get("normalised"));
            self.sides("Set aside", one.get("set_aside"));
        }
        if comparisons.is_empty() {
            self.line("There was no holder to compare with.");
        }
        self.gap();
    }

    fn sides(&mut self, label: &str, sides: Option<&Value>) {
        let Some(sides) = sides else { return };
        let side = |name: &str| {
            let texts: Vec<String> = list(sides.get(name)).iter().map(code).collect();
            if texts.is_empty() { "nothing".to_owned() } else { texts.join(" or ") }
        };
        self.line(&format!("  - {label}: holder {}, customer {}", side("holder"), side("customer")));
    }

    fn sources(&mut self, sources: Option<&Value>) {
        self.line("## Sources");
        for source in list(sources) {
            self.line(&format!(
                "- {}: operation {}, read at {}",
                code_of(source, "member"),
                code_of(source, "operation"),
                code_of(source, "read_at")
            ));
        }
    }
}

fn meaning(result: &str) -> &'static str {
    match result {
        "same" => "the same text",
        "same_after_normalising" => "the same words after normalising",
        "same_but_for_legal_form" => "the same but for the legal form",
        "partly" => "partly the same",
        "different" => "different",
        _ => "not comparable",
    }
}

fn reason(why: &str) -> &'static str {
    match why {
        "no_name" => " (a name is missing)",
        "no_letters" => " (a name has no letters)",
        "not_only_a_name" => " (a name holds more than a name: an address, a number or an escape)",
        "too_long" => " (a name is too long)",
        "other_script" => " (the names are in different scripts)",
        _ => "",
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn code_of(object: &Value, member: &str) -> String {
    object.get(member).map_or_else(|| "(not sent)".to_owned(), code)
}

/// A value of the upstream: texts without quotes, everything else as compact JSON.
fn code(value: &Value) -> String {
    match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => span(text),
        other => span(&other.to_string()),
    }
}

/// A code span that ends where it should, whatever the text holds.
fn span(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let shown = visible(text);
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // Renderers take one space off each end where there is one at both, and a backtick must not touch the fence.
    let pad = if shown.starts_with(['`', ' ']) || shown.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{shown}{pad}{fence}")
}

/// The text on one line: what does not show, or moves its neighbours, as `⟨U+202E⟩`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let joins = matches!(c, '\u{200C}' | '\u{200D}' | '\u{34F}' | '\u{FE00}'..='\u{FE0F}');
        if is_printable(c) && !joins && !(c.is_whitespace() && c != ' ') {
            shown.push(c);
        } else {
            let _ = write!(shown, "⟨U+{:04X}⟩", u32::from(c));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the Markdown's structure is made of: everything outside of code spans.
    fn outside(line: &str) -> String {
        let mut rest = line;
        let mut outside = String::new();
        while let Some(start) = rest.find('`') {
            outside.push_str(&rest[..start]);
            let run = rest[start..].chars().take_while(|c| *c == '`').count();
            let after = &rest[start + run..];
            let mut at = 0;
            // A span ends at the first run of backticks of the same length.
            let end = loop {
                let Some(found) = after[at..].find('`') else { panic!("an open span: {line}") };
                let length = after[at + found..].chars().take_while(|c| *c == '`').count();
                if length == run {
                    break at + found;
                }
                at += found + length;
            };
            rest = &after[end + run..];
            outside.push('x');
        }
        outside.push_str(rest);
        outside
    }

    proptest! {
        #[test]
        fn no_text_of_the_upstream_changes_the_structure(
            text in "[`|<>\\[\\]()!#*_\\\\\r\n\t \u{202E}\u{2028}a-c-]{1,24}|\\PC{1,12}|.{1,12}",
        ) {
            let dossier = |text: &str| markdown(&json!({
                "customer_id": text, "environment": "sandbox", "not_checked": "Nothing.",
                "contradictions": [{"code": "c", "message": "M.", "ids": [text]}], "gaps": [],
                "customer": {"id": text, text: {text: [text]}},
                "bank_accounts": [{"id": text, "holder_name": text}], "verifications": [],
                "name_comparisons": [{"account_id": text, "holder_name": text, "result": "partly",
                    "normalised": {"holder": [text], "customer": [text, text]}}],
            }));
            // `id` would be one field instead of two.
            prop_assume!(text != "id");
            let structure = |text: &str| dossier(text).lines().map(outside).collect::<Vec<_>>();
            prop_assert_eq!(structure(&text), structure("plain"));
        }
    }

    #[test]
    fn backticks_and_invisible_characters_show_and_end_nothing() {
        assert_eq!(span("a"), "`a`");
        assert_eq!(span("`` a `"), "``` `` a ` ```");
        assert_eq!(span(" a "), "`  a  `");
        assert_eq!(span("a\n# b\u{202E}c"), "`a⟨U+000A⟩# b⟨U+202E⟩c`");
        assert_eq!(code(&json!(null)), "(empty)");
        assert_eq!(code(&json!({"a": [1, "x"]})), r#"`{"a":[1,"x"]}`"#);
    }
}

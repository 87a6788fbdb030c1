//! The card: what a client shows beside a verification or a dossier, where it shows MCP Apps.
//!
//! One document that loads nothing and sends nothing: its style and its script stand in it, and its own policy lets
//! nothing else run. What it shows reaches it from the client that frames it, after it was handed out: it holds
//! nobody's data and is the same for everybody.

use askama::Template;

use super::style::source;

const STYLE: &str =
    concat!(include_str!("../../templates/palette.css"), include_str!("../../templates/card/card.css"));
const SCRIPT: &str = concat!(
    include_str!("../../templates/card/host.js"),
    include_str!("../../templates/card/words.js"),
    include_str!("../../templates/card/view.js"),
    include_str!("../../templates/card/card.js"),
);

#[derive(Template)]
#[template(path = "card/card.html")]
struct Card {
    policy: String,
    style: &'static str,
    script: &'static str,
}

/// The card as HTML.
///
/// # Errors
/// Where the document cannot be put together: never, as far as is known.
pub fn card() -> Result<String, askama::Error> {
    // The client's own policy, which cannot name hashes, comes on top: both have to agree.
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        source(SCRIPT),
        source(STYLE),
    );
    Card { policy, style: STYLE, script: SCRIPT }.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::is_printable;

    #[test]
    fn nothing_in_it_ends_its_script_or_names_another_place() {
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("</") && !STYLE.contains("url(") && !STYLE.contains("@import"));
        let html = card().unwrap();
        for absent in
            ["http:", " src=", " href=", "innerHTML", "eval(", "fetch(", "onclick", "XMLHttpRequest"]
        {
            assert!(!html.contains(absent), "{absent}");
        }
        assert_eq!(html.matches("https").count(), 1, "in the pattern of addresses that may be opened");
    }

    #[test]
    fn it_only_reads() {
        let calls: Vec<_> =
            SCRIPT.split("host.call(").skip(1).map(|call| call.split_once("})").unwrap().0).collect();
        assert_eq!(calls.len(), 2, "{calls:?}");
        for call in calls {
            assert!(call.contains(r#"{ action: "get", "#), "{call}");
        }
    }

    /// The characters that the Markdown of a dossier shows by their numbers.
    #[test]
    fn it_shows_by_number_what_does_not_show() {
        let (_, pattern) = SCRIPT.split_once("const HIDDEN = ").unwrap();
        let (pattern, _) = pattern.split_once("\"]\"").unwrap();
        let number = |digits: &str| u32::from_str_radix(digits.trim_matches(['{', '}']), 16).unwrap();
        let mut ranges = Vec::new();
        for range in pattern.split("String.raw`").skip(1).map(|line| line.split_once('`').unwrap().0) {
            for escape in range.split("\\u").skip(1) {
                match escape.strip_suffix('-') {
                    Some(from) => ranges.push((number(from), None)),
                    None if ranges.last().is_some_and(|(_, to)| to.is_none()) => {
                        ranges.last_mut().unwrap().1 = Some(number(escape));
                    }
                    None => ranges.push((number(escape), Some(number(escape)))),
                }
            }
        }
        for c in '\0'..=char::MAX {
            let joins = matches!(c, '\u{200C}' | '\u{200D}');
            let is_hidden = !is_printable(c) || joins || (c.is_whitespace() && c != ' ');
            let is_named = ranges.iter().any(|(from, to)| (*from..=to.unwrap()).contains(&u32::from(c)));
            assert_eq!(is_named, is_hidden, "U+{:04X}", u32::from(c));
        }
    }
}

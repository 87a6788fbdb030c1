//! What in the records does not go together, and what is not there. Each finding is a fact that can be pointed
//! at: a stable code, a plain sentence, and the ids that it concerns. What it means is for a person to say.
//!
//! The codes stand in `docs/tools.md`, in the section on the dossier. No sentence quotes the upstream.

mod accounts;
mod verifications;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::comparisons::Compared;
use super::records::{Fields, List, id, own_id, text};
use super::words::may_look_otherwise;

/// What findings are looked for in.
pub(super) struct Facts<'a> {
    /// The `customer_id` that was asked for.
    pub(super) asked: &'a str,
    pub(super) customer: &'a Fields,
    pub(super) accounts: &'a List,
    pub(super) verifications: &'a List,
    /// For each account, in their order, the name of the customer that is nearest to its holder's.
    pub(super) nearest: &'a [&'a Compared],
    /// When the last answer was there.
    pub(super) read_at: Timestamp,
}

struct Finding {
    code: &'static str,
    message: &'static str,
    ids: Vec<String>,
}

/// Everything that was found, in the order of the checks.
#[derive(Default)]
pub(super) struct Findings {
    contradictions: Vec<Finding>,
    gaps: Vec<Finding>,
}

impl Findings {
    pub(super) fn contradictions(&self) -> Value {
        to_json(&self.contradictions)
    }

    pub(super) fn gaps(&self) -> Value {
        to_json(&self.gaps)
    }

    /// Things that do not go together; nothing where no id is concerned.
    fn contradiction(&mut self, code: &'static str, message: &'static str, ids: Vec<String>) {
        if !ids.is_empty() {
            self.contradictions.push(Finding { code, message, ids });
        }
    }

    /// Something that is not there; nothing where no id is concerned.
    fn gap(&mut self, code: &'static str, message: &'static str, ids: Vec<String>) {
        if !ids.is_empty() {
            self.gaps.push(Finding { code, message, ids });
        }
    }
}

fn to_json(findings: &[Finding]) -> Value {
    findings
        .iter()
        .map(|finding| json!({"code": finding.code, "message": finding.message, "ids": finding.ids}))
        .collect()
}

/// Looks for everything.
pub(super) fn find(facts: &Facts<'_>) -> Findings {
    let mut findings = Findings::default();
    about_the_customer(facts, &mut findings);
    accounts::find(facts, &mut findings);
    verifications::find(facts, &mut findings);
    findings
}

fn about_the_customer(facts: &Facts<'_>, findings: &mut Findings) {
    let asked = || vec![facts.asked.to_owned()];
    let sent = own_id(facts.customer);
    if sent != facts.asked {
        findings.contradiction(
            "customer_id_differs",
            "The customer record's id is not the one that was asked for: the record may be another customer's.",
            vec![facts.asked.to_owned(), sent],
        );
    }
    let names = ["first_name", "last_name", "company_name"];
    if names.into_iter().filter_map(|field| text(facts.customer, field)).any(may_look_otherwise) {
        findings.contradiction(
            "customer_looks_otherwise",
            "The customer's name has characters that do not show, or letters of several scripts in one word: it may \
             not be what it looks like.",
            asked(),
        );
    }
    let [first, last, company] =
        ["first_name", "last_name", "company_name"].map(|field| text(facts.customer, field).is_some());
    if !first && !last && !company {
        findings.gap("customer_name_missing", "The customer record has no name.", asked());
    } else if first != last || !first {
        let message = "The customer record lacks the first name, the last name, or both: no whole name of a person was compared.";
        findings.gap("customer_name_incomplete", message, asked());
    }
}

/// The ids of the records that a rule picks.
fn picked(records: &[Fields], rule: impl Fn(&Fields) -> bool) -> Vec<String> {
    records.iter().filter(|record| rule(record)).map(own_id).collect()
}

/// The ids of records that name another customer as theirs.
fn foreign(records: &[Fields], asked: &str) -> Vec<String> {
    picked(records, |record| id(record, "customer_id").is_some_and(|owner| owner != asked))
}

/// The ids that several records have.
fn repeated(records: &[Fields]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<String> = records.iter().map(own_id).filter(|id| !seen.insert(id.clone())).collect();
    twice.into_iter().collect()
}

/// How a list's own count stands to what came: whether there is more, whether there should be less.
fn counts(list: &List) -> (bool, bool) {
    let came = list.records.len() as u64;
    (
        list.goes_on() || list.count().is_some_and(|count| count > came),
        list.count().is_some_and(|count| count < came),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_docs_list_every_code_under_its_heading_and_no_other() {
        let source = [include_str!("mod.rs"), include_str!("accounts.rs"), include_str!("verifications.rs")];
        let section = |from: &str| {
            let page = include_str!("../../../../docs/tools.md");
            let (_, rest) = page.split_once(from).unwrap();
            rest.split("\n\n").next().unwrap()
        };
        let quoted = |text: &'static str, mark: char| {
            text.split(mark).skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        };
        for (kind, heading) in [("contradiction", "Codes of `contradictions`:"), ("gap", "Codes of `gaps`:")]
        {
            let call = format!("findings.{kind}(");
            let mut codes: Vec<String> = source
                .iter()
                .flat_map(|text| text.split(&call).skip(1))
                .filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next())
                .map(str::to_owned)
                .collect();
            let mut listed = quoted(section(heading), '`');
            codes.sort_unstable();
            codes.dedup();
            listed.sort_unstable();
            assert!(codes.len() > 10);
            assert_eq!(codes, listed, "{heading}");
        }
    }
}

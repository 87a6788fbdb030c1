//! Findings about bank accounts and their holders.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Facts, Findings, counts, foreign, picked, repeated};
use crate::domain::{Bic, Currency, Iban};
use crate::tools::dossier::comparisons::Compared;
use crate::tools::dossier::names::{self, Kind, Outcome};
use crate::tools::dossier::records::{Fields, has, own_id, text};
use crate::tools::dossier::words::may_look_otherwise;

pub(super) fn find(facts: &Facts<'_>, findings: &mut Findings) {
    let accounts = facts.accounts.records.as_slice();
    let asked = || vec![facts.asked.to_owned()];
    let (incomplete, too_many) = counts(facts.accounts);
    if incomplete {
        let message =
            "The upstream has more bank accounts of this customer than it sent: the list is not complete.";
        findings.gap("bank_accounts_incomplete", message, asked());
    }
    if too_many {
        let message = "The upstream sent more bank accounts than it counts.";
        findings.contradiction("bank_account_count_differs", message, asked());
    }
    if accounts.is_empty() {
        let message =
            "The upstream sent no bank account: there is no holder to compare the customer's name with.";
        findings.gap("no_bank_account", message, asked());
    }
    findings.contradiction(
        "bank_account_of_another_customer",
        "A bank account in this customer's list names another customer as its owner.",
        foreign(accounts, facts.asked),
    );
    let message = "Several bank accounts in the list have the same id.";
    findings.contradiction("bank_account_id_repeated", message, repeated(accounts));
    holders(facts, accounts, findings);
    numbers(accounts, findings);
}

fn holders(facts: &Facts<'_>, accounts: &[Fields], findings: &mut Findings) {
    findings.contradiction(
        "holder_looks_otherwise",
        "A holder's name has characters that do not show, or letters of several scripts in one word: it may not be \
         what it looks like.",
        picked(accounts, |account| text(account, "holder_name").is_some_and(may_look_otherwise)),
    );
    let message = "A bank account has no holder name.";
    findings.gap(
        "holder_name_missing",
        message,
        picked(accounts, |account| text(account, "holder_name").is_none()),
    );
    let company = text(facts.customer, "company_name").is_some();
    let named =
        company || ["first_name", "last_name"].iter().any(|field| text(facts.customer, field).is_some());
    let holders = accounts.iter().zip(facts.nearest);
    let at = |outcome: Outcome| {
        let held = holders.clone().filter(|(account, _)| text(account, "holder_name").is_some());
        held.filter(|(_, nearest)| nearest.is(outcome)).map(|(account, _)| own_id(account)).collect()
    };
    if named {
        let message = "A holder's name cannot be compared with the customer's: see why in the comparison.";
        findings.gap("holder_not_comparable", message, at(Outcome::NotComparable));
    }
    findings.contradiction(
        "holder_differs",
        "A bank account's holder has no name in common with the customer.",
        at(Outcome::Different),
    );
    let marked = holders.clone().filter(|(account, nearest)| {
        account.get("verified") == Some(&Value::Bool(true)) && nearest.is(Outcome::Different)
    });
    findings.contradiction(
        "account_verified_while_holder_differs",
        "A bank account is marked as verified, but its holder has no name in common with the customer.",
        marked.map(|(account, _)| own_id(account)).collect(),
    );
    findings.contradiction(
        "holder_matches_partly",
        "A bank account's holder has the customer's name only in part: words are missing, shortened or others.",
        at(Outcome::Partly),
    );
    findings.contradiction(
        "legal_form_differs",
        "A bank account's holder has the company's name with another legal form, or one of the two has none.",
        at(Outcome::SameButForLegalForm),
    );
    if company {
        // As near as the person's name is the company's where both are: then nothing is to be told.
        let is_person_s = |nearest: &Compared| {
            nearest.kind == Kind::Person && nearest.comparison.outcome >= Outcome::SameAfterNormalising
        };
        let person_s =
            holders.filter(|(_, nearest)| is_person_s(nearest)).map(|(account, _)| own_id(account));
        let message =
            "The customer record has a company name, but a bank account's holder has the person's name.";
        findings.contradiction("holder_is_not_the_company", message, person_s.collect());
    }
}

fn iban(account: &Fields) -> Option<Iban> {
    text(account, "iban")?.parse().ok()
}

fn numbers(accounts: &[Fields], findings: &mut Findings) {
    let mut by_iban: BTreeMap<String, Vec<&Fields>> = BTreeMap::new();
    for account in accounts {
        if let Some(iban) = iban(account) {
            by_iban.entry(iban.as_str().to_owned()).or_default().push(account);
        }
    }
    for sharing in by_iban.values().filter(|sharing| sharing.len() > 1) {
        let mut holders = sharing.iter().filter_map(|account| text(account, "holder_name"));
        // Each with the first: as many comparisons as accounts, however many an upstream sends.
        let first = holders.next().unwrap_or_default();
        let differ = holders.any(|other| {
            let outcome = names::compare(first, other, Kind::Company).outcome;
            outcome != Outcome::NotComparable && outcome < Outcome::SameAfterNormalising
        });
        let ids = sharing.iter().map(|account| own_id(account)).collect();
        if differ {
            let message =
                "Several bank accounts have the same IBAN and holders whose names are not the same.";
            findings.contradiction("iban_with_several_holders", message, ids);
        } else {
            findings.contradiction("iban_repeated", "Several bank accounts have the same IBAN.", ids);
        }
    }
    findings.contradiction(
        "bic_country_differs",
        "The country in a bank account's BIC is not the country of its IBAN.",
        picked(accounts, |account| {
            let bic: Option<Bic> = text(account, "bic").and_then(|bic| bic.parse().ok());
            bic.zip(iban(account)).is_some_and(|(bic, iban)| bic.country() != iban.country())
        }),
    );
    findings.gap(
        "iban_not_valid",
        "A bank account has no complete, valid IBAN: its country and whether it is there twice were not looked at.",
        picked(accounts, |account| iban(account).is_none()),
    );
    findings.gap(
        "bic_not_valid",
        "A bank account's BIC is not a valid one.",
        picked(accounts, |account| {
            has(account, "bic") && text(account, "bic").is_none_or(|bic| bic.parse::<Bic>().is_err())
        }),
    );
    findings.gap(
        "currency_not_known",
        "A bank account's currency is not a code of ISO 4217.",
        picked(accounts, |account| {
            has(account, "currency")
                && text(account, "currency").is_none_or(|currency| currency.parse::<Currency>().is_err())
        }),
    );
}

//! What the simulator remembers of a customer, and how it looks at a given time.

use jiff::Timestamp;

use super::names::{VERIFIED_FROM, best_similarity, similarity};
use super::verdict::{Verdict, provider};
use super::wire;

/// A customer to create. Texts are as they were sent.
pub(super) struct NewCustomer {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) company_name: Option<String>,
    pub(super) email: String,
    pub(super) phone: Option<String>,
    pub(super) external_id: Option<String>,
}

/// A bank account to attach.
pub(super) struct NewAccount {
    pub(super) iban: String,
    pub(super) bic: Option<String>,
    pub(super) holder_name: String,
    pub(super) currency: Option<String>,
}

/// A verification to start.
pub(super) struct NewVerification {
    pub(super) provider_id: Option<String>,
    pub(super) expected_name: Option<String>,
}

/// A bank account.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) details: NewAccount,
    /// From when on its holder counts as verified: it may lie ahead, as a slow verification's decision does.
    pub(super) verified_from: Option<Timestamp>,
}

impl Account {
    pub(super) fn at(&self, now: Timestamp) -> wire::BankAccount {
        let NewAccount { iban, bic, holder_name, currency } = &self.details;
        wire::BankAccount {
            id: self.id.clone(),
            iban: iban.clone(),
            bic: bic.clone(),
            holder_name: holder_name.clone(),
            currency: currency.clone(),
            verified: self.verified_from.is_some_and(|from| from <= now),
        }
    }
}

/// A verification.
pub(super) struct Verification {
    pub(super) id: String,
    pub(super) provider_id: String,
    pub(super) verdict: Verdict,
}

impl Verification {
    pub(super) fn at(&self, now: Timestamp) -> wire::Verification {
        let seen = self.verdict.seen_at(now);
        wire::Verification {
            id: self.id.clone(),
            status: seen.status,
            match_score: seen.match_score,
            provider_id: self.provider_id.clone(),
            verified_at: seen.verified_at,
        }
    }
}

/// A customer with all that belongs to them, in order of creation.
pub(super) struct Customer {
    pub(super) details: wire::Customer,
    pub(super) accounts: Vec<Account>,
    pub(super) verifications: Vec<Verification>,
}

impl Customer {
    /// Settles and adds a verification that starts `now`.
    pub(super) fn verify(&mut self, id: String, new: NewVerification, now: Timestamp) -> wire::Verification {
        let provider_id = new.provider_id.unwrap_or_else(|| provider::INSTANT.to_owned());
        let own = self.own_names();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let expected = match &new.expected_name {
            Some(name) => vec![name.as_str()],
            None => own.clone(),
        };
        let holders: Vec<&str> =
            self.accounts.iter().map(|account| account.details.holder_name.as_str()).collect();
        let score = best_similarity(&expected, if holders.is_empty() { &own } else { &holders });
        let verdict = Verdict::new(&provider_id, score, now);
        if let Verdict::Decided { at, score } = verdict
            && score >= VERIFIED_FROM
        {
            for account in &mut self.accounts {
                let holder = account.details.holder_name.as_str();
                if expected.iter().any(|name| similarity(name, holder) >= VERIFIED_FROM) {
                    account.verified_from = Some(account.verified_from.map_or(at, |before| before.min(at)));
                }
            }
        }
        let verification = Verification { id, provider_id, verdict };
        let seen = verification.at(now);
        self.verifications.push(verification);
        seen
    }

    /// The names that the customer goes by: the person's, and the company's if there is one.
    fn own_names(&self) -> Vec<String> {
        let person = format!("{} {}", self.details.first_name, self.details.last_name);
        std::iter::once(person).chain(self.details.company_name.clone()).collect()
    }
}

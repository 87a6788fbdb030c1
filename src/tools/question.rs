//! A write in plain words, as a person is asked about it: every value, nothing left out.
//!
//! Knows what is sent. Knows nothing of how the person is asked.

use serde::{Deserialize, Serialize};

use crate::domain::shown;

/// What a person decides about.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What would be done, such as `Attach a bank account`.
    pub title: String,
    /// Every value that would be sent, and what helps to judge it.
    pub facts: Vec<Fact>,
}

/// One line of a question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What the value is, such as `IBAN`.
    pub label: String,
    /// The value as a person reads it: on one line, an IBAN in groups of four.
    pub value: String,
    /// A value to hold it against, with its label: the customer's name beside the account holder's.
    pub beside: Option<(String, String)>,
}

impl Fact {
    /// A value with its label. What came from the upstream may hold anything: what could not be seen, or would turn
    /// the line around, is shown as U+FFFD.
    pub(super) fn new(label: &str, value: impl AsRef<str>) -> Self {
        let seen = |(c, shows)| if shows { c } else { char::REPLACEMENT_CHARACTER };
        Self { label: label.to_owned(), value: shown(value.as_ref()).map(seen).collect(), beside: None }
    }

    /// The same with a value to hold it against.
    pub(super) fn beside(self, other: Self) -> Self {
        Self { beside: Some((other.label, other.value)), ..self }
    }
}

// A question is full of personal data: its contents never reach a log by way of Debug.
impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("facts", &self.facts.len()).finish_non_exhaustive()
    }
}

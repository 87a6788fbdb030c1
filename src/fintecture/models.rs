//! What the upstream answers with: records as it sent them, in either response shape.

use serde_json::{Map, Value};

/// One customer, bank account or verification, flat, with every field that the upstream sent.
///
/// It has an `id` (a string that is not empty, or a number); nothing else is promised, since the upstream
/// may leave any field out or add its own.
#[derive(Clone, PartialEq)]
pub struct Record(Map<String, Value>);

impl Record {
    /// Keeps an object that has an id.
    pub(super) fn new(fields: Map<String, Value>) -> Option<Self> {
        match fields.get("id") {
            Some(Value::String(id)) if !id.is_empty() => Some(Self(fields)),
            Some(Value::Number(_)) => Some(Self(fields)),
            _ => None,
        }
    }

    /// The id as text.
    #[must_use]
    pub fn id(&self) -> String {
        match self.0.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }

    /// The text of a field, where it is a text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// A text or number as text.
    #[must_use]
    pub fn as_text(&self, field: &str) -> Option<String> {
        match self.0.get(field)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Every field, in the order in which the upstream sent them.
    #[must_use]
    pub fn into_fields(self) -> Map<String, Value> {
        self.0
    }
}

/// A page of records, with what the upstream says about the list.
#[derive(Clone, PartialEq)]
pub struct Listing {
    /// The records, in the upstream's order.
    pub records: Vec<Record>,
    /// The members of `meta`, such as `count`.
    pub meta: Map<String, Value>,
    /// Members beside `data` and `meta`, such as `links`.
    pub rest: Map<String, Value>,
}

// Records are personal data: their contents never reach a log by way of Debug.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("fields", &self.0.len()).finish()
    }
}

impl std::fmt::Debug for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listing").field("records", &self.records.len()).finish_non_exhaustive()
    }
}

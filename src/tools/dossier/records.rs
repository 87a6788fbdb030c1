//! The upstream's records as a dossier looks at them: fields that may be missing or of another type.

use serde_json::{Map, Value};

use crate::fintecture::Listing;

/// One record with its fields.
pub(super) type Fields = Map<String, Value>;

/// A list, with what the upstream sent beside its records.
pub(super) struct List {
    pub(super) records: Vec<Fields>,
    /// `meta` and other members, as they came.
    pub(super) beside: Fields,
}

impl List {
    pub(super) fn new(listing: Listing) -> Self {
        let mut beside = listing.rest;
        if !listing.meta.is_empty() {
            beside.insert("meta".to_owned(), Value::Object(listing.meta));
        }
        Self {
            records: listing.records.into_iter().map(crate::fintecture::Record::into_fields).collect(),
            beside,
        }
    }

    /// How many records there are, as the upstream counts them.
    pub(super) fn count(&self) -> Option<u64> {
        self.beside.get("meta")?.get("count")?.as_u64()
    }

    /// Whether the upstream names a further page.
    pub(super) fn goes_on(&self) -> bool {
        self.beside.get("links").and_then(|links| links.get("next")).is_some_and(|next| !next.is_null())
    }
}

/// A text that is not blank.
pub(super) fn text<'a>(record: &'a Fields, field: &str) -> Option<&'a str> {
    record.get(field)?.as_str().filter(|text| !text.trim().is_empty())
}

/// A text or a number, as text.
pub(super) fn id(record: &Fields, field: &str) -> Option<String> {
    match record.get(field)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The record's own id, which every record has.
pub(super) fn own_id(record: &Fields) -> String {
    id(record, "id").unwrap_or_default()
}

/// Whether a field is there with a value.
pub(super) fn has(record: &Fields, field: &str) -> bool {
    record.get(field).is_some_and(|value| !value.is_null() && value != "")
}

/// A point in time.
pub(super) fn time(record: &Fields, field: &str) -> Option<jiff::Timestamp> {
    text(record, field)?.parse().ok()
}

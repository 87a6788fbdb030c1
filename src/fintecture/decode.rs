//! Reads the two response shapes that are known: flat (`{id, ...}`, `{data: [...], meta}`) and JSON:API
//! (`{data: {id, type, attributes}}`). Whatever else comes is refused rather than guessed at.

use serde_json::{Map, Value};

use super::models::{Listing, Record};
use super::text::clean_object;

/// One record, from either shape. `None` where the body is neither.
pub(super) fn record(body: &[u8]) -> Option<Record> {
    let mut body = object(body)?;
    if body.contains_key("id") || !body.get("data").is_some_and(Value::is_object) {
        return Record::new(body);
    }
    let Some(Value::Object(data)) = body.shift_remove("data") else { return None };
    let mut fields = flatten(data);
    for (name, value) in body {
        keep(&mut fields, name, value);
    }
    Record::new(fields)
}

/// A list of records, from either shape. `None` where the body or one entry is neither.
pub(super) fn listing(body: &[u8]) -> Option<Listing> {
    let mut body = object(body)?;
    let Some(Value::Array(entries)) = body.shift_remove("data") else { return None };
    let records = entries
        .into_iter()
        .map(|entry| match entry {
            Value::Object(fields) => Record::new(flatten(fields)),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    let meta = match body.shift_remove("meta") {
        Some(Value::Object(meta)) => meta,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return None,
    };
    Some(Listing { records, meta, rest: body })
}

fn object(body: &[u8]) -> Option<Map<String, Value>> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    clean_object(&mut fields);
    Some(fields)
}

/// Lifts the attributes of a JSON:API object beside its id; a flat record stays as it is.
fn flatten(mut entry: Map<String, Value>) -> Map<String, Value> {
    match entry.shift_remove("attributes") {
        Some(Value::Object(attributes)) => {
            for (name, value) in attributes {
                keep(&mut entry, name, value);
            }
        }
        Some(other) => {
            entry.insert("attributes".to_owned(), other);
        }
        None => {}
    }
    entry
}

/// Adds a field; where the name is taken by another value, under a name that is free. Nothing is lost.
fn keep(fields: &mut Map<String, Value>, name: String, value: Value) {
    let mut name = name;
    while fields.get(&name).is_some_and(|present| *present != value) {
        name.insert(0, '_');
    }
    fields.insert(name, value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fields(body: &Value) -> Option<Value> {
        record(body.to_string().as_bytes()).map(|record| Value::Object(record.into_fields()))
    }

    #[test]
    fn both_shapes_of_a_record_become_flat_and_unknown_fields_stay() {
        let flat = json!({"id": "c1", "first_name": "Ada", "new_field": {"deep": [1]}});
        assert_eq!(fields(&flat).unwrap(), flat);
        let api = json!({"meta": {"code": 200}, "data": {"id": "c1", "type": "customer",
            "attributes": {"first_name": "Ada", "type": "person"}}});
        assert_eq!(
            fields(&api).unwrap(),
            json!({"id": "c1", "type": "customer", "first_name": "Ada", "_type": "person", "meta": {"code": 200}})
        );
    }

    #[test]
    fn both_shapes_of_a_list_are_read() {
        let body = json!({"data": [{"id": "a"}, {"id": "b", "type": "t", "attributes": {"x": 1}}],
            "meta": {"count": 7}, "links": {"next": "u"}});
        let listing = listing(body.to_string().as_bytes()).unwrap();
        assert_eq!(listing.records.len(), 2);
        assert_eq!(listing.meta["count"], 7);
        assert_eq!(listing.rest["links"]["next"], "u");
    }

    #[test]
    fn what_has_no_id_is_no_record() {
        for body in
            [json!({}), json!([]), json!("x"), json!({"id": ""}), json!({"id": null}), json!({"data": []})]
        {
            assert!(fields(&body).is_none(), "{body}");
        }
        for body in [
            json!({"data": {}}),
            json!([]),
            json!({"data": [1]}),
            json!({"data": [{}]}),
            json!({"meta": 1, "data": []}),
        ] {
            assert!(listing(body.to_string().as_bytes()).is_none(), "{body}");
        }
        assert!(record(b"<html>").is_none() && record(b"{\"id\":\"a\"").is_none() && record(b"").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (record(&body), listing(&body));
        }
    }
}

//! YAML as a tree that remembers lines.
//!
//! The files go through a tree instead of straight into structs, so that all problems of a file can be
//! told at once, each with its line and its place; a derived struct stops at the first.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Spanned};

/// Most nodes that a file may have once its aliases are followed: ours have about 200.
const MAX_NODES: usize = 20_000;

/// A value and the line it stands on, from 1.
pub(super) struct Node {
    pub line: Option<u64>,
    pub value: Value,
}

/// What a node can be.
pub(super) enum Value {
    Null,
    Flag(bool),
    Number,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a text is not YAML, with the line where that showed.
pub(super) struct NotYaml {
    pub line: Option<u64>,
    pub reason: String,
}

/// Reads one YAML document. Duplicate keys and outsized documents are refused.
pub(super) fn parse(text: &str) -> Result<Node, NotYaml> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
        },
        // Lists of lists of aliases grow without bound in a few lines.
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_NODES },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| NotYaml { line: error.location().and_then(line_of), reason: reason(&error) })
}

/// The parser's reason, without the advice to programmers and the place that its own messages carry.
fn reason(error: &Error) -> String {
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the key `{key}` stands twice"),
        Error::AliasReplayLimitExceeded { .. } | Error::Budget { .. } => {
            format!("is not one YAML document of at most {MAX_NODES} values")
        }
        Error::AliasError { error, .. } => reason(error),
        _ => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            format!("is not valid YAML: {message}")
        }
    }
}

fn line_of(location: Location) -> Option<u64> {
    (location != Location::UNKNOWN).then(|| location.line())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { line: line_of(spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let mut node: Node = entries.next_value()?;
            // A person looks for the key; a nested value may start lines below it.
            node.line = line_of(key.referenced).or(node.line);
            map.push((key.value, node));
        }
        Ok(Value::Map(map))
    }
}

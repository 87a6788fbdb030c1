//! JSON objects that all who read them read alike.

use std::fmt::{Formatter, Result as Written};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Names by which `serde_json` takes a text for the JSON in it: others would see the text.
const SERDES_OWN: &str = "$serde_json::private::";

/// An object in which, at any depth, no member stands twice: of two IBANs, say, whoever looked at the message before us may
/// have seen the other one.
#[derive(Default)]
pub struct Unambiguous(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Unambiguous;

            fn expecting(&self, f: &mut Formatter<'_>) -> Written {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Unambiguous, A::Error> {
                read(members).map(Unambiguous)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read<'de, A: MapAccess<'de>>(mut members: A) -> Result<Map<String, Value>, A::Error> {
    let mut object = Map::new();
    while let Some((name, Member(value))) = members.next_entry::<String, _>()? {
        if name.starts_with(SERDES_OWN) || object.insert(name, value).is_some() {
            return Err(A::Error::custom("a member stands twice, or has a name of serde_json's own"));
        }
    }
    Ok(object)
}

/// Any value, read as [`Value`] is, but for its objects.
struct Member(Value);

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut Formatter<'_>) -> Written {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_string<E>(self, value: String) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(Member(value)) = members.next_element()? {
                    list.push(value);
                }
                Ok(Value::Array(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
                read(members).map(Value::Object)
            }
        }
        deserializer.deserialize_any(Any).map(Member)
    }
}

// What stands in a message is personal data: it never reaches a log by way of Debug.
impl std::fmt::Debug for Unambiguous {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        f.debug_struct("Unambiguous").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unambiguous_is_read_as_any_value_is() {
        for text in [
            "{}",
            r#"{"b":1,"a":[-2,1.5,1e300,18446744073709551615,99999999999999999999,-0.0,null,true],"c":{"a":{"a":"\u00e9"}}}"#,
            r#"{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":2}]}"#,
        ] {
            let Unambiguous(read) = serde_json::from_str(text).unwrap();
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(Value::Object(read).to_string(), value.to_string());
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused_at_any_depth() {
        for text in [
            r#"{"iban":1,"iban":1}"#,
            r#"{"iban":1,"x":0,"ib\u0061n":2}"#,
            r#"{"a":{"iban":1,"iban":2}}"#,
            r#"{"a":[0,[{"b":{"":1,"":2}}]]}"#,
            r#"{"iban":{"$serde_json::private::RawValue":"\"FR76\""}}"#,
        ] {
            assert!(serde_json::from_str::<Unambiguous>(text).is_err(), "{text}");
        }
        for no_object in ["[]", "1", "null", "\"text\""] {
            assert!(serde_json::from_str::<Unambiguous>(no_object).is_err(), "{no_object}");
        }
    }
}

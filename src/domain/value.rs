//! What all domain values share: a reason when parsing fails, an example, and their serde and schema forms.

/// Why a text is not the value that it was given as. Never quotes the text: it may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub &'static str);

/// A text that parses as this type, for error messages.
pub trait Example {
    /// A right value, as it would be typed.
    const EXAMPLE: &'static str;
}

/// Gives a text-like domain type (one with `FromStr` and `as_str`) its example, serde and schema forms.
///
/// The schema holds the bare type and the example: words about an argument belong to the capability files.
macro_rules! text_value {
    ($type:ident, example = $example:literal) => {
        impl $crate::domain::Example for $type {
            const EXAMPLE: &'static str = $example;
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$example] })
            }
        }
    };
}

/// Makes a whole number within bounds a domain type, with its example, serde and schema forms.
macro_rules! number_value {
    ($(#[$doc:meta])* $type:ident, $range:expr, $reason:literal, example = $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(u32);

        impl $type {
            /// The plain number.
            #[must_use]
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u32> for $type {
            type Error = $crate::domain::Invalid;

            fn try_from(number: u32) -> Result<Self, $crate::domain::Invalid> {
                if ($range).contains(&number) { Ok(Self(number)) } else { Err($crate::domain::Invalid($reason)) }
            }
        }

        impl $crate::domain::Example for $type {
            const EXAMPLE: &'static str = stringify!($example);
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = i64::deserialize(deserializer)?;
                u32::try_from(number)
                    .map_err(|_| $crate::domain::Invalid($reason))
                    .and_then(Self::try_from)
                    .map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u32(self.0)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "integer", "examples": [$example] })
            }
        }
    };
}

/// Makes `Debug` show the type's name alone, for values that are personal data.
macro_rules! redacted_debug {
    ($type:ident) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    };
}

pub(super) use {number_value, redacted_debug, text_value};

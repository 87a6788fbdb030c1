//! Paging of lists, as the upstream counts it: pages from 1, at most 100 entries a page.

use super::value::{Example, Invalid};

macro_rules! number {
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
            type Error = Invalid;

            fn try_from(number: u32) -> Result<Self, Invalid> {
                if ($range).contains(&number) { Ok(Self(number)) } else { Err(Invalid($reason)) }
            }
        }

        impl Example for $type {
            const EXAMPLE: &'static str = stringify!($example);
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = i64::deserialize(deserializer)?;
                u32::try_from(number)
                    .map_err(|_| Invalid($reason))
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

number!(
    /// Number of a page, from 1.
    PageNumber,
    1..=u32::MAX >> 1,
    "must be a page number from 1",
    example = 1
);
number!(
    /// Entries a page, 1 to 100.
    PageSize,
    1..=100,
    "must be from 1 to 100",
    example = 20
);

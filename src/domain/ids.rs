//! The identifiers that go into URL paths. Refused, never cleaned: a repaired id names somebody else.

use std::str::FromStr;

use super::value::{Invalid, text_value};

/// Longest id that is accepted, in characters.
const MAX_ID_CHARS: usize = 64;

fn parse_id(text: &str) -> Result<String, Invalid> {
    if text.is_empty() || text.len() > MAX_ID_CHARS {
        return Err(Invalid("must have 1 to 64 characters"));
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err(Invalid("may hold letters, digits, _ and - only"));
    }
    Ok(text.to_owned())
}

macro_rules! id {
    ($(#[$doc:meta])* $type:ident, example = $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $type(String);

        impl $type {
            /// The id as it stands in paths and bodies.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse_id(text).map(Self)
            }
        }

        text_value!($type, example = $example);
    };
}

id!(
    /// Names a customer of the merchant.
    CustomerId,
    example = "cus_7f3a91"
);
id!(
    /// Names a bank account of a customer.
    AccountId,
    example = "acc_52c8d0"
);
id!(
    /// Names an identity verification of a customer.
    VerificationId,
    example = "ver_9b1e44"
);
id!(
    /// Names the bank through which an identity is verified.
    ProviderId,
    example = "bnpparibas"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_change_a_path_is_refused() {
        let long = "a".repeat(65);
        for bad in [
            "..", ".", "", "../x", "%2e%2e", "..%2f", "a/b", "a\\b", "?", "#", "a\0", "a\r\n", "é", " a",
            &long,
        ] {
            assert!(bad.parse::<CustomerId>().is_err(), "{bad:?}");
        }
        assert_eq!("sim_Cus-1".parse::<CustomerId>().unwrap().as_str(), "sim_Cus-1");
    }
}

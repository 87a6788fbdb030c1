//! Business Identifier Codes, ISO 9362.

use std::str::FromStr;

use super::value::{Invalid, text_value};

/// A BIC of 8 or 11 characters, upper case: institution, country, location, branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bic(String);

impl Bic {
    /// The code in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ISO 3166 alpha-2 code of the institution's country.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(4..6).unwrap_or_default()
    }
}

impl FromStr for Bic {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let code = Self(text.to_ascii_uppercase());
        if !matches!(text.len(), 8 | 11) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Invalid("is not a BIC: 8 or 11 letters and digits"));
        }
        // Kosovo has no ISO 3166 code, and its banks use XK.
        if code.country() != "XK" && rust_iso3166::from_alpha2(code.country()).is_none() {
            return Err(Invalid("is not a BIC: characters 5 and 6 must be a country code"));
        }
        Ok(code)
    }
}

text_value!(Bic, example = "BNPAFRPP");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bic_has_a_form_and_a_country() {
        assert_eq!("BNPAFRPPXXX".parse::<Bic>().unwrap().country(), "FR");
        assert_eq!("deutdeff".parse::<Bic>().unwrap().as_str(), "DEUTDEFF");
        for bad in ["BNPAFRP", "BNPAFRPPX", "BNPA12PP", "BNPAQQPP", "BNPAFRPÉ", "BNPA FRPP", ""] {
            assert!(bad.parse::<Bic>().is_err(), "{bad}");
        }
    }
}

//! Currencies of bank accounts, ISO 4217.

use std::str::FromStr;

use super::value::{Invalid, text_value};

/// An ISO 4217 code of money that an account can be kept in: no metals, no test or placeholder codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three-letter code.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.0.code()
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        iso_currency::Currency::from_code(&text.to_ascii_uppercase())
            .filter(|currency| !currency.is_special())
            .map(Self)
            .ok_or(Invalid("is not a currency code of ISO 4217"))
    }
}

text_value!(Currency, example = "EUR");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_accepted_and_placeholders_are_not() {
        assert_eq!("eur".parse::<Currency>().unwrap().as_str(), "EUR");
        for bad in ["XXX", "XAU", "XAG", "XTS", "EURO", "€", ""] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}

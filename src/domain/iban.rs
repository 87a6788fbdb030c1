//! International Bank Account Numbers, ISO 13616.

use std::str::FromStr;

use iban::IbanLike;

use super::value::{Invalid, redacted_debug, text_value};

/// A valid IBAN in electronic form: upper case, no spaces, right length for its country, right check digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

impl Iban {
    /// The electronic form, such as `FR1420041010050500013M02606`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that people read and compare: in groups of four.
    #[must_use]
    pub fn in_fours(&self) -> String {
        self.0.parse::<iban::Iban>().map_or_else(|_| self.0.clone(), |iban| iban.to_string())
    }

    /// The ISO 3166 alpha-2 code of the country that issued it.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }
}

impl FromStr for Iban {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let compact: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_uppercase()).collect();
        match compact.parse::<iban::Iban>() {
            Ok(iban) => Ok(Self(iban.electronic_str().to_owned())),
            Err(iban::ParseIbanError::InvalidBaseIban {
                source: iban::ParseBaseIbanError::InvalidChecksum,
            }) => Err(Invalid(
                "is not an IBAN: its check digits do not fit, so a character is wrong or missing",
            )),
            Err(iban::ParseIbanError::UnknownCountry(_)) => {
                Err(Invalid("is not an IBAN: no country with this code issues IBANs"))
            }
            Err(_) => Err(Invalid("is not an IBAN: wrong form or length for its country")),
        }
    }
}

text_value!(Iban, example = "FR1420041010050500013M02606");
redacted_debug!(Iban);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ibans_become_electronic() {
        for good in [
            "FR1420041010050500013M02606",
            "FR7630006000011234567890189",
            "DE89370400440532013000",
            "GB82WEST12345698765432",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
        ] {
            assert_eq!(good.parse::<Iban>().unwrap().as_str(), good);
        }
        let spaced = "fr14 2004 1010 0505 0001 3m02 606".parse::<Iban>().unwrap();
        assert_eq!(spaced.as_str(), "FR1420041010050500013M02606");
        assert_eq!(spaced.country(), "FR");
    }

    #[test]
    fn a_wrong_iban_says_what_is_wrong() {
        let reason = |text: &str| text.parse::<Iban>().unwrap_err().0;
        assert!(reason("FR7630006000011234567890188").contains("check digits"));
        assert!(reason("XX7630006000011234567890189").contains("check digits"));
        assert!(reason("FR76").contains("wrong form or length"));
        assert!(reason("12").contains("wrong form"));
    }

    #[test]
    fn debug_shows_no_digit() {
        assert_eq!(format!("{:?}", "NO9386011117947".parse::<Iban>().unwrap()), "Iban(..)");
    }
}

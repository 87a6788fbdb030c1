//! Phone numbers of customers, E.164.

use std::str::FromStr;

use super::value::{Invalid, redacted_debug, text_value};

/// Longest text that is looked at, in bytes; a number with its separators is far shorter.
const MAX_PHONE_BYTES: usize = 40;

/// A number that exists in its country's plan, in E.164 form: `+`, country code, digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(String);

impl Phone {
    /// The E.164 form, such as `+33612345678`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const REASON: Invalid = Invalid("is not a valid phone number with + and country code");
        let separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
        let written_as_a_number =
            text.starts_with('+') && text.chars().skip(1).all(|c| c.is_ascii_digit() || separator(c));
        if text.len() > MAX_PHONE_BYTES || !written_as_a_number {
            return Err(REASON);
        }
        let number = phonenumber::parse(None, text).map_err(|_| REASON)?;
        if !number.is_valid() {
            return Err(REASON);
        }
        Ok(Self(number.format().mode(phonenumber::Mode::E164).to_string()))
    }
}

text_value!(Phone, example = "+33612345678");
redacted_debug!(Phone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_e164() {
        assert_eq!("+33 6 12 34 56 78".parse::<Phone>().unwrap().as_str(), "+33612345678");
        for bad in ["0612345678", "+33", "+999123456789", "call me", "+33612345678 ext 5", "٠٦١٢", ""] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
    }
}

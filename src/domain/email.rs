//! E-mail addresses of customers.

use std::str::FromStr;

use email_address::{EmailAddress, Options};

use super::text::{MAX_TEXT_CHARS, is_printable};
use super::value::{Invalid, redacted_debug, text_value};

/// An address with a top-level domain, without display text or domain literal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        if text.chars().count() > MAX_TEXT_CHARS || !text.chars().all(is_printable) {
            return Err(Invalid("is not an e-mail address of at most 255 printable characters"));
        }
        EmailAddress::parse_with_options(text, options)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| Invalid("is not an e-mail address"))
    }
}

text_value!(Email, example = "ada.byron@example.com");
redacted_debug!(Email);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_is_accepted() {
        assert!("ada.byron+kyc@example.co.uk".parse::<Email>().is_ok());
        for bad in [
            "nope",
            "a@b",
            "a@[127.0.0.1]",
            "Ada <ada@example.com>",
            "a b@example.com",
            "a@example.com\n",
            "",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }
}

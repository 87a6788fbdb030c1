//! Texts that people read: names, and the merchant's own references.

use std::str::FromStr;

use super::value::{Invalid, redacted_debug, text_value};

/// Longest text that is accepted, in characters.
pub const MAX_TEXT_CHARS: usize = 255;

/// Whether a character shows, and leaves its neighbours where they are: no control characters, no line or
/// paragraph separators, no bidi overrides or marks, no invisible fillers or tags. Joiners stay: scripts need them.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        // The last two of every plane are no characters at all.
        && u32::from(c) & 0xFFFE != 0xFFFE
}

/// The characters of a text, each with whether it shows. A variation selector does where it stands right behind what it
/// can vary, as in `❤️` and in names that are written with a rare form of a character.
pub fn shown(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut base = None;
    text.chars().map(move |c| {
        let varies = base.is_some_and(|base| is_varied(base, c));
        let shows = varies || is_printable(c);
        base = (shows && !varies && !c.is_whitespace()).then_some(c);
        (c, shows)
    })
}

/// Whether this selector is for characters such as this one; behind all others it would only carry hidden text.
fn is_varied(base: char, selector: char) -> bool {
    match selector {
        '\u{FE00}'..='\u{FE0F}' => !base.is_ascii() || matches!(base, '0'..='9' | '#' | '*'),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => matches!(base, '\u{1800}'..='\u{18AF}'),
        '\u{E0100}'..='\u{E01EF}' => {
            matches!(base, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
        }
        _ => false,
    }
}

fn parse_text(text: &str) -> Result<String, Invalid> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(Invalid("is too long: at most 255 characters"));
    }
    if !shown(text).all(|(_, shows)| shows) {
        return Err(Invalid(
            "holds characters that do not show: control, line-break, text-direction or the like",
        ));
    }
    if text.chars().all(char::is_whitespace) {
        return Err(Invalid("must not be blank"));
    }
    Ok(text.to_owned())
}

macro_rules! text {
    ($(#[$doc:meta])* $type:ident, example = $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $type(String);

        impl $type {
            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                parse_text(text).map(Self)
            }
        }

        text_value!($type, example = $example);
        redacted_debug!($type);
    };
}

text!(
    /// The name of a person or company: 1 to 255 printable characters.
    Name,
    example = "Ada"
);
text!(
    /// The merchant's own reference of a customer: 1 to 255 printable characters. Counts as personal data.
    ExternalId,
    example = "crm-1042"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_pass_and_hidden_characters_do_not() {
        for good in [
            "Ada",
            "Éloïse O'Neil-Müller",
            "山田 太郎",
            "عائشة",
            "辻\u{E0100} 葛\u{E0101}",
            "❤\u{FE0F} 1\u{FE0F}\u{20E3} Acme ™\u{FE0F}",
            "ᠭ\u{180B}",
            "a".repeat(255).as_str(),
        ] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\u{202E}b",
            "a\u{2066}b",
            "a\0",
            "crm\u{200B}",
            "\u{3164}",
            "a\u{E0041}",
            "a\u{FE0F}",
            "\u{FE0F}",
            "a \u{FE0F}",
            "❤\u{FE0F}\u{FE0F}",
            "辻\u{E0100}\u{E0101}",
            "é\u{E0100}",
            "辻\u{180B}",
            "é".repeat(256).as_str(),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}

//! Look-alikes of ASCII characters (full-width, circled, mathematical ones) become ASCII, so that the searches
//! need to know ASCII alone.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The text with its look-alikes as ASCII; every other character stays as it is.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_look_alike) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        if is_look_alike(c) {
            folded.extend(std::iter::once(c).nfkc());
        } else {
            folded.push(c);
        }
    }
    Cow::Owned(folded)
}

fn is_look_alike(c: char) -> bool {
    // The ellipsis is a look-alike of three dots, but it is also our mask.
    if c.is_ascii() || c == '…' {
        return false;
    }
    let mut all_graphic = true;
    let mut any_alphanumeric = false;
    for c in std::iter::once(c).nfkc() {
        all_graphic &= c.is_ascii_graphic();
        any_alphanumeric |= c.is_ascii_alphanumeric();
    }
    all_graphic || any_alphanumeric
}

/// Characters that do not show, and so separate nothing for the reader; and the one that stands where such a one stood.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{FEFF}'
        | char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_become_ascii_and_the_rest_stays() {
        for (text, folded) in [
            ("ＦＲ７６ ＠ ＋", "FR76 @ +"),
            ("①𝟗Ⅷ", "19VIII"),
            ("é ñ 山田 … « x »", "é ñ 山田 … « x »"),
            ("a\u{A0}b\u{202F}c", "a\u{A0}b\u{202F}c"),
        ] {
            assert_eq!(fold(text), folded);
        }
        assert!(matches!(fold("é"), Cow::Borrowed(_)));
    }
}

//! Phone numbers: in fields that say phone, whatever their form; elsewhere where they begin with `+`.

use super::escapes;
use super::fold::is_invisible;
use super::{Cover, HIDDEN};

/// Digits of a number with its country code, ITU-T E.164; eight as the least that people have.
const E164_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// How many characters stay readable at the start of a number with `+`.
const SHOWN_START: usize = 4;
/// How many digits stay readable at the end.
const SHOWN_END: usize = 2;
/// Digits of a UUID, which is no phone number wherever it stands.
const UUID_DIGITS: usize = 32;

/// The value of a field that says phone, hidden; nothing where it is no number (a word, a date, a UUID).
pub(super) fn mask_field(text: &str) -> Option<String> {
    if !text.chars().any(char::is_numeric) || is_date(text) || is_uuid(text) {
        return None;
    }
    Some(shorten(text))
}

/// The E.164 numbers in a text.
pub(super) fn find(text: &str) -> Vec<Cover> {
    let mut covers = Vec::new();
    let mut from = 0;
    while let Some(sign) = next_plus(text, from) {
        from = sign.end;
        let Some((length, digits)) = text.get(sign.end..).and_then(|rest| number(rest, sign.escaped)) else {
            continue;
        };
        from = sign.end + length;
        covers.push(Cover { start: sign.start, end: from, mask: shorten(&format!("+{digits}")) });
    }
    covers
}

/// `+336…78`, or `…78` without `+`. The result, shortened again, is the same.
fn shorten(number: &str) -> String {
    let mut characters = number.chars().filter(|c| !is_separator(*c)).peekable();
    let mut short = String::new();
    if characters.peek() == Some(&'+') {
        for _ in 0..SHOWN_START {
            short.extend(characters.next_if(|c| *c != '…'));
        }
    }
    short.push_str(HIDDEN);
    let digits: Vec<char> = characters.filter(|c| c.is_numeric()).collect();
    short.extend(digits.iter().skip(digits.len().saturating_sub(SHOWN_END)));
    short
}

/// A `+`, plain or as `%2B`.
struct Plus {
    start: usize,
    end: usize,
    escaped: bool,
}

fn next_plus(text: &str, mut from: usize) -> Option<Plus> {
    loop {
        let start = from + text.get(from..)?.find(['+', '%', '\\', '&'])?;
        let bytes = text.as_bytes().get(start..)?;
        if bytes.starts_with(b"+") {
            return Some(Plus { start, end: start + 1, escaped: false });
        }
        if let Some(escape) = escapes::at_start(bytes)
            && escape.ascii() == Some('+')
        {
            return Some(Plus { start, end: start + escape.length, escaped: true });
        }
        from = start + 1;
    }
}

/// Reads the number whose `+` stands before: its length in bytes, and its digits. `form`: a plain `+` is a
/// space there.
fn number(rest: &str, form: bool) -> Option<(usize, String)> {
    let mut at = separators_length(rest, form);
    // No country code begins with 0, but the offset of a time can (`+0200`).
    if !rest.get(at..)?.starts_with(|c| matches!(c, '1'..='9')) {
        return None;
    }
    let mut digits = String::new();
    let mut end = 0;
    loop {
        let tail = rest.get(at..)?;
        let group = tail.get(..tail.bytes().take_while(u8::is_ascii_digit).count())?;
        // With a group too many, that group is another number, such as a postal code.
        if group.is_empty() || digits.len() + group.len() > *E164_DIGITS.end() {
            break;
        }
        digits.push_str(group);
        end = at + group.len();
        at = end + separators_length(rest.get(end..)?, form);
    }
    E164_DIGITS.contains(&digits.len()).then_some((end, digits))
}

fn separators_length(text: &str, form: bool) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(c) = rest.chars().next()
    {
        at += match escapes::at_start(rest.as_bytes()) {
            Some(escape) if escape.ascii().is_none_or(is_separator) => escape.length,
            _ if is_separator(c) || (form && c == '+') => c.len_utf8(),
            _ => break,
        };
    }
    at
}

/// What people write between the digits.
fn is_separator(c: char) -> bool {
    (c.is_whitespace() && !matches!(c, '\n' | '\r'))
        || matches!(c, '-' | '.' | '/' | '(' | ')' | '·' | '\u{2010}'..='\u{2015}' | '−')
        || is_invisible(c)
}

/// `2024-05-01`, with or without a time. A year of our days, since `0612-12-12` may be a number.
fn is_date(text: &str) -> bool {
    (text.starts_with("19") || text.starts_with("20"))
        && text.get(4..5) == Some("-")
        && text.get(7..8) == Some("-")
        && (text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok())
}

fn is_uuid(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && text.bytes().filter(u8::is_ascii_hexdigit).count() == UUID_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::masking::hide;

    fn mask(text: &str) -> Option<String> {
        hide(text, &find(text))
    }

    #[test]
    fn numbers_in_fields() {
        for (text, masked) in [
            ("+33612345678", "+336…78"),
            ("+33 6 12 34 56 78", "+336…78"),
            (" +33 (0)6.12", "+330…12"),
            ("0612345678", "…78"),
            ("06 12 34 56 7 8", "…78"),
            ("tel:+33612345678", "…78"),
            ("٠٦١٢٣", "…٢٣"),
            ("+33", "+33…"),
            ("+3367", "+336…7"),
            ("7", "…7"),
            ("33612345678", "…78"),
            ("+336…78", "+336…78"),
            ("…78", "…78"),
        ] {
            assert_eq!(mask_field(text).as_deref(), Some(masked), "{text}");
            assert_eq!(mask_field(masked).as_deref(), Some(masked), "{masked}");
        }
        for text in
            ["", "verified", "2024-05-01", "2024-05-01T10:00:00Z", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"]
        {
            assert_eq!(mask_field(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_in_texts() {
        for (text, masked) in [
            ("+33612345678", "+336…78"),
            ("call +33 6 12 34 56 78, please", "call +336…78, please"),
            ("+33\u{A0}6\u{202F}12\u{200B}34-56.78", "+336…78"),
            ("+44 (0)20/7946-0958x1", "+440…58x1"),
            ("a+33612345678b+14155550123", "a+336…78b+141…23"),
            ("to=%2B33612345678&x=1", "to=+336…78&x=1"),
            ("to=%2B33+6+12+34+56+78", "to=+336…78"),
            ("+33%206%2012%2034%2056%2078", "+336…78"),
            ("+33 6 12 34 56 78 75001 Paris", "+336…78 75001 Paris"),
            ("tel:+33612345678\n75", "tel:+336…78\n75"),
        ] {
            assert_eq!(mask(text).as_deref(), Some(masked), "{text}");
            assert_eq!(mask(masked), None, "{masked}");
        }
        for text in [
            "",
            "+",
            "+1234567",
            "+1234567890123456",
            "0612345678",
            "2024-05-01T10:00:00+0200 2024",
            "2024-05-01T10:00:00+10:00",
            "1+1",
            "+a12345678",
            "%2B",
        ] {
            assert_eq!(mask(text), None, "{text}");
        }
    }
}

//! IBANs in a text, however they are written.
//!
//! Letters and digits are looked at as if nothing stood between them. From every place that could begin an
//! IBAN, the country says how many characters to read (34 at most), so the work grows with the text alone.

use super::escapes;
use super::{Cover, HIDDEN};

const MAX_LENGTH: usize = 34;
/// Of the shortest, Norway's.
pub(super) const MIN_LENGTH: usize = 15;
/// How many characters stay readable at either end.
const SHOWN: usize = 4;
/// Digits of a UUID, with or without its dashes.
const UUID_DIGITS: usize = 32;
const UUID_BYTES: usize = 36;

/// The IBANs in a text.
pub(super) fn find(text: &str) -> Vec<Cover> {
    // Both readings count: in `%DE89...` the `%DE` may be an escape or the start of an IBAN.
    let mut found = hits(Letters { text, at: 0, decoded: false });
    if escapes::may_be_in(text) {
        found.extend(hits(Letters { text, at: 0, decoded: true }));
        found.sort_by_key(|hit| hit.start);
    }
    merge(certain(found)).into_iter().map(Hit::cover).collect()
}

/// A stretch of the text that holds an IBAN, or several that overlap.
struct Hit {
    start: usize,
    end: usize,
    head: [u8; SHOWN],
    tail: [u8; SHOWN],
    /// Whether it also has the form that its country gives to account numbers.
    exact: bool,
}

impl Hit {
    fn cover(self) -> Cover {
        let [head, tail] = [self.head, self.tail].map(|end| end.map(char::from));
        let mask = head.into_iter().chain(HIDDEN.chars()).chain(tail).collect();
        Cover { start: self.start, end: self.end, mask }
    }
}

fn hits(mut letters: Letters<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    loop {
        let from_here = letters.clone();
        let Some(letter) = letters.next() else { break };
        if letter.upper.is_ascii_uppercase()
            && let Some(hit) = read(from_here)
        {
            hits.push(hit);
        }
    }
    hits
}

/// Check digits fit by chance once in 97 times. Where a real IBAN overlaps with such a run, the real one decides what is
/// hidden; the caller looks again for what is left.
fn certain(mut hits: Vec<Hit>) -> Vec<Hit> {
    if hits.iter().any(|hit| hit.exact) {
        hits.retain(|hit| hit.exact);
    }
    hits
}

/// Reads an IBAN that begins with the next letter.
fn read(mut letters: Letters<'_>) -> Option<Hit> {
    let text = letters.text;
    let first = letters.next()?;
    let second = letters.next().filter(|letter| letter.upper.is_ascii_uppercase())?;
    let length = length_in([first.upper, second.upper])?;
    let mut characters = [first.upper; MAX_LENGTH];
    let mut end = second.end;
    for (position, place) in characters.get_mut(..length)?.iter_mut().enumerate().skip(1) {
        let letter = if position == 1 { second } else { letters.next()? };
        if matches!(position, 2 | 3) && !letter.upper.is_ascii_digit() {
            return None;
        }
        *place = letter.upper;
        end = letter.end;
    }
    let characters = characters.get(..length)?;
    if remainder(characters) != 1 {
        return None;
    }
    let exact = std::str::from_utf8(characters).ok()?.parse::<iban::Iban>().is_ok();
    if !exact && is_in_uuid(text.as_bytes(), first.start, end) {
        return None;
    }
    Some(Hit {
        start: first.start,
        end,
        head: *characters.first_chunk()?,
        tail: *characters.last_chunk()?,
        exact,
    })
}

/// Joins those that overlap, so that none shows what another hides. They come by their start.
fn merge(hits: Vec<Hit>) -> Vec<Hit> {
    let mut merged: Vec<Hit> = Vec::with_capacity(hits.len());
    for hit in hits {
        match merged.last_mut() {
            Some(last) if hit.start < last.end => {
                if hit.end > last.end {
                    last.end = hit.end;
                    last.tail = hit.tail;
                }
            }
            _ => merged.push(hit),
        }
    }
    merged
}

/// ISO 7064 mod 97-10: the country and check digits at the end, letters as 10 to 35.
fn remainder(characters: &[u8]) -> u32 {
    characters.iter().cycle().skip(4).take(characters.len()).fold(0, |sum, character| {
        let value = char::from(*character).to_digit(36).unwrap_or_default();
        (sum * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// Whether this part of the text lies within a UUID, dashes or not. One in a thousand random UUIDs has fitting
/// check digits somewhere; if it were masked, the agent could not name the record any more.
fn is_in_uuid(text: &[u8], start: usize, end: usize) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return false };
    let left = before.iter().rev().take(UUID_BYTES).take_while(is_part).count();
    let right = after.iter().take(UUID_BYTES).take_while(is_part).count();
    let is_glued = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let run = text.get(start - left..end + right).unwrap_or_default();
    run.iter().all(|byte| is_part(&byte))
        && run.iter().filter(|byte| byte.is_ascii_hexdigit()).count() == UUID_DIGITS
        && !is_glued(before.iter().rev().nth(left))
        && !is_glued(after.get(right))
}

/// An ASCII letter or digit of the text, and the bytes it is written with.
#[derive(Clone, Copy)]
struct Letter {
    upper: u8,
    start: usize,
    end: usize,
}

/// The ASCII letters and digits of a text; `decoded`: with its escapes read.
#[derive(Clone)]
struct Letters<'a> {
    text: &'a str,
    at: usize,
    decoded: bool,
}

impl Iterator for Letters<'_> {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        loop {
            let start = self.at;
            let rest = self.text.as_bytes().get(start..)?;
            let mut character = char::from(*rest.first()?);
            self.at += 1;
            if self.decoded
                && let Some(escape) = escapes::at_start(rest)
            {
                self.at = start + escape.length;
                character = escape.ascii().unwrap_or(' ');
            }
            if character.is_ascii_alphanumeric() {
                let upper = u8::try_from(character.to_ascii_uppercase()).ok()?;
                return Some(Letter { upper, start, end: self.at });
            }
        }
    }
}

/// Length of a country's IBANs; at the end of a line those that are in use without being in the registry. The
/// crate keeps its own lengths to itself; a test compares them.
fn length_in(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FK" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" | b"AO" | b"CV" | b"GW" | b"MZ" => 25,
        b"IS" | b"TR" | b"DZ" | b"IR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" | b"CF" | b"CG" | b"CM" | b"GA"
        | b"GQ" | b"KM" | b"MG" | b"TD" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" | b"BF"
        | b"BJ" | b"CI" | b"HN" | b"MA" | b"ML" | b"NE" | b"SN" | b"TG" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::masking::hide;

    fn mask(text: &str) -> Option<String> {
        hide(text, &find(text))
    }

    #[test]
    fn ibans_in_texts() {
        for (text, masked) in [
            ("FR7630006000011234567890189", "FR76…0189"),
            ("fr76 3000 6000 0112 3456 7890 189", "FR76…0189"),
            ("xxFR1420041010050500013M02606yy9", "xxFR14…2606yy9"),
            ("A:DE89-3704.0044/0532\u{A0}0130\u{200B}00.", "A:DE89…3000."),
            ("d\né\u{202E}e89370400440532013000", "DE89…3000"),
            ("iban=FR76%203000+6000%C2%A00112%2520345678&nbsp;90189&x", "iban=FR76…0189&x"),
            ("%46R76 30006000011234567890189", "FR76…0189"),
            // Read with the digits of its escapes, it has check digits that fit, too.
            ("FR76%203000%206000%200112%203456%207890%20189", "FR76…0189"),
            ("%DE89370400440532013000", "%DE89…3000"),
            ("NO9386011117947 BE68539007547034", "NO93…7947 BE68…7034"),
            ("MT84MALT011000012345MTLCAST001S", "MT84…001S"),
            // Morocco is not in the registry, yet its banks issue IBANs.
            ("MA64011519000001205000534921", "MA64…4921"),
        ] {
            assert_eq!(mask(text).as_deref(), Some(masked), "{text}");
            assert_eq!(mask(masked), None, "{masked}");
        }
        for text in ["", "FR76", "FR7630006000011234567890188", "XX7630006000011234567890189", "FR76…0189"]
        {
            assert_eq!(mask(text), None, "{text}");
        }
    }

    /// Looks for a run of hexadecimal digits whose check digits fit although no bank would write it so.
    fn unlucky_uuid() -> String {
        (0..10_000)
            .map(|seed: u64| {
                format!(
                    "{:032x}",
                    0xab12_0000_0000_0000_0000_0000_0000_abcd_u128 + u128::from(seed) * 0xa_0001_0000_0000
                )
            })
            .find(|digits| mask(&format!("{digits}z")).is_some())
            .unwrap()
    }

    #[test]
    fn uuids_stay() {
        let unlucky = unlucky_uuid();
        let id = format!("sim_cus_{unlucky}");
        assert_eq!(mask(&id), None);
        let dashed = uuid::Uuid::parse_str(&unlucky).unwrap().to_string();
        assert_eq!(mask(&dashed), None);
        // What only looks like a UUID is an IBAN all the same.
        assert!(mask("de893704-0044-0532-0130-00aaaaaaaaaa").is_some());
    }

    #[test]
    fn the_lengths_are_those_of_the_registry() {
        let mut compared = 0;
        for (first, second) in
            (b'A'..=b'Z').flat_map(|first| (b'A'..=b'Z').map(move |second| (first, second)))
        {
            let country = format!("{}{}", char::from(first), char::from(second));
            let Some(length) = length_in([first, second]) else {
                assert!(!is_in_registry(&with_check_digits(&country, "00000000000")), "{country}");
                continue;
            };
            // Account numbers are digits, with up to six letters before and three after.
            let forms = (0..=6).flat_map(|before| (0..=3).map(move |after| (before, after)));
            let mut examples = forms.map(|(before, after)| {
                let digits = "0".repeat(length - 4 - before - after);
                with_check_digits(&country, &format!("{}{digits}{}", "A".repeat(before), "A".repeat(after)))
            });
            assert!((MIN_LENGTH..=MAX_LENGTH).contains(&length), "{country}");
            if is_in_registry(&examples.next().unwrap_or_default()) {
                let zero = with_check_digits(&country, &"0".repeat(length - 4));
                assert!(examples.chain([zero]).any(|text| text.parse::<iban::Iban>().is_ok()), "{country}");
                compared += 1;
            }
        }
        assert!(compared > 80, "{compared}");
    }

    fn with_check_digits(country: &str, account: &str) -> String {
        let texts = (2..=98).map(|check| format!("{country}{check:02}{account}"));
        texts.into_iter().find(|text| remainder(text.as_bytes()) == 1).unwrap()
    }

    fn is_in_registry(valid: &str) -> bool {
        !matches!(valid.parse::<iban::Iban>(), Err(iban::ParseIbanError::UnknownCountry(_)))
    }
}

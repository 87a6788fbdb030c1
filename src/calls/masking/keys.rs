//! Member names: which of them say "phone", and how masked ones are kept apart.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::mask_text;

/// Words in a member's name that say its value is a phone number.
const PHONE_WORDS: [&str; 16] = [
    "phone",
    "phones",
    "phoneno",
    "phonenumber",
    "phonenumbers",
    "cellphone",
    "mobile",
    "mobiles",
    "mobilenumber",
    "mobilephone",
    "msisdn",
    "tel",
    "telephone",
    "telephones",
    "telephonenumber",
    "téléphone",
];

/// Whether one of the name's words says phone: `phone`, `mobile_number`, `contactTel`, `PHONE2`; not `hotel`.
pub(super) fn says_phone(key: &str) -> bool {
    // Names such as `pHONE` have capitals that begin no word.
    key.split(|c: char| !c.is_alphabetic()).any(|part| is_phone(part) || camel_words(part).any(is_phone))
}

fn is_phone(word: &str) -> bool {
    if word.is_ascii() {
        return PHONE_WORDS.iter().any(|phone| word.eq_ignore_ascii_case(phone));
    }
    PHONE_WORDS.contains(&word.to_lowercase().as_str())
}

/// The words of `camelCase`, `PascalCase` and `HTTPServer`.
fn camel_words(part: &str) -> impl Iterator<Item = &str> {
    let mut rest = part;
    std::iter::from_fn(move || {
        let mut characters = rest.char_indices().peekable();
        let (_, mut before) = characters.next()?;
        let mut end = rest.len();
        while let Some((at, now)) = characters.next() {
            let next_is_small = characters.peek().is_some_and(|(_, next)| next.is_lowercase());
            if now.is_uppercase() && (!before.is_uppercase() || next_is_small) {
                end = at;
                break;
            }
            before = now;
        }
        let (word, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(word)
    })
}

/// Masks the names of members, in their order. Names that become equal get ` #2`, ` #3`, ...
pub(super) fn rename(members: &mut Map<String, Value>) {
    let old = std::mem::take(members);
    let quiet = |key: &str| matches!(mask_text(key), Cow::Borrowed(_));
    let mut taken: HashSet<String> = old.keys().filter(|key| quiet(key)).cloned().collect();
    let mut counters: HashMap<String, usize> = HashMap::new();
    for (key, value) in old {
        let Cow::Owned(masked) = mask_text(&key) else {
            members.insert(key, value);
            continue;
        };
        let mut name = masked.clone();
        // The counter's own digits could complete an IBAN, so the name is looked at again.
        while taken.contains(&name) || !quiet(&name) {
            let counter = counters.entry(masked.clone()).or_insert(1);
            *counter += 1;
            name = format!("{masked} #{counter}");
        }
        taken.insert(name.clone());
        members.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_phone() {
        for key in [
            "phone",
            "PHONE",
            "Phone",
            "pHoNe",
            "phone_number",
            "phoneNumber",
            "PhoneNumber",
            "PHONENumber",
            "mobile",
            "user_mobile",
            "tel",
            "contactTel",
            "contact-tel",
            "home.telephone",
            "TELEPHONE_2",
            "phone2",
            "customerPhoneNumberVerified",
            "phonenumber",
            "MyTELNumber",
        ] {
            assert!(says_phone(key), "{key}");
        }
        for key in [
            "",
            "hotel",
            "telemetry",
            "automobile",
            "holder_name",
            "iban",
            "microphone",
            "headphones",
            "Telex",
        ] {
            assert!(!says_phone(key), "{key}");
        }
    }
}

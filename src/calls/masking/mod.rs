//! Hides IBANs, e-mail addresses and phone numbers in what an agent receives.
//!
//! It looks at every string and every member name, at any depth, and trusts no field name but those that say
//! "phone": the upstream may put an IBAN into a label, a message, or a field that nobody has heard of. It does
//! not know what the fields mean, nor whether masking is on.

mod email;
mod escapes;
mod fold;
mod iban;
mod keys;
mod phone;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What stands where something was hidden.
const HIDDEN: &str = "…";
/// Hiding one thing can bring the characters around it together into another, so the search is repeated until
/// it finds nothing. A text that is still not quiet after so many times was made to be so, and is hidden whole.
const MAX_ROUNDS: usize = 24;

/// Hides personal data in a result, in place. The order of members stays; our own examples stay as they are.
pub fn mask(result: &mut Value) {
    let kept: Vec<Value> = examples(result).map(Value::take).collect();
    mask_value(result, false);
    for (place, example) in examples(result).zip(kept) {
        *place = example;
    }
}

/// Hides personal data in a text. Borrowed where there is nothing to hide.
pub(crate) fn mask_text(text: &str) -> Cow<'_, str> {
    if is_quiet(text) {
        return Cow::Borrowed(text);
    }
    let folded = fold::fold(text);
    match quieten(&folded) {
        Some(masked) => Cow::Owned(masked),
        None => Cow::Borrowed(text),
    }
}

/// Whether one look tells that there is nothing: ASCII, no mark of an address or a phone, no escape, and too few letters
/// and digits for an IBAN. Most names of members and most values are.
fn is_quiet(text: &str) -> bool {
    let mut characters = 0;
    for byte in text.bytes() {
        match byte {
            b'@' | b'+' | b'%' | b'\\' | b'&' | 0x80.. => return false,
            byte if byte.is_ascii_alphanumeric() => characters += 1,
            _ => {}
        }
    }
    characters < iban::MIN_LENGTH
}

/// A stretch of a text, in bytes, and what is to stand there.
struct Cover {
    start: usize,
    end: usize,
    mask: String,
}

fn quieten(text: &str) -> Option<String> {
    let mut masked: Option<String> = None;
    for _ in 0..MAX_ROUNDS {
        let now = masked.as_deref().unwrap_or(text);
        let mut covers = find(now);
        // What is spelled with escapes is found without them, and hidden where they stand.
        if covers.is_empty()
            && let Some(read) = escapes::read(now)
        {
            covers = find(&read.text);
            for cover in &mut covers {
                (cover.start, cover.end) = (read.place(cover.start), read.place(cover.end));
            }
        }
        match hide(now, &covers) {
            Some(next) => masked = Some(next),
            None => return masked,
        }
    }
    Some(HIDDEN.to_owned())
}

fn find(text: &str) -> Vec<Cover> {
    let kinds = [iban::find, email::find, phone::find];
    kinds.into_iter().map(|find| find(text)).find(|covers| !covers.is_empty()).unwrap_or_default()
}

/// The text with these stretches hidden, which come in their order; nothing where there is none.
fn hide(text: &str, covers: &[Cover]) -> Option<String> {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for cover in covers {
        masked.push_str(text.get(copied..cover.start)?);
        masked.push_str(&cover.mask);
        copied = cover.end;
    }
    masked.push_str(text.get(copied..)?);
    (!covers.is_empty()).then_some(masked)
}

/// The examples in our own error messages: they are made up, and useless when masked.
fn examples(result: &mut Value) -> impl Iterator<Item = &mut Value> {
    let problems = result.pointer_mut("/error/problems").and_then(Value::as_array_mut);
    problems.into_iter().flatten().filter_map(|problem| problem.get_mut("example"))
}

/// `phone`: the value stands in a field whose name says so, be it inside a list or an object.
fn mask_value(value: &mut Value, phone: bool) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => {
            if phone && let Some(masked) = phone::mask_field(&number.to_string()) {
                *value = Value::String(masked);
            }
        }
        Value::String(text) => {
            let masked = if phone { phone::mask_field(&fold::fold(text)) } else { None };
            if let Some(masked) = masked {
                *text = masked;
            } else if let Cow::Owned(masked) = mask_text(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_value(item, phone)),
        Value::Object(members) => mask_members(members, phone),
    }
}

fn mask_members(members: &mut Map<String, Value>, phone: bool) {
    let mut renamed = false;
    for (key, value) in members.iter_mut() {
        let masked = mask_text(key);
        renamed |= matches!(masked, Cow::Owned(_));
        // Both names count, so that masking the masked result again changes nothing.
        let says_so = keys::says_phone(key) || matches!(&masked, Cow::Owned(name) if keys::says_phone(name));
        let phone = phone || says_so;
        mask_value(value, phone);
    }
    if renamed {
        keys::rename(members);
    }
}

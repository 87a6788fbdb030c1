//! Text from outside is data: hidden characters are made visible, and over-long texts are cut where one sees it.

use serde_json::{Map, Value};

use crate::domain::shown;

/// Longest text of a record that is passed on, in characters.
const MAX_CHARS: usize = 10_000;
/// Longest detail of an error that is passed on, in characters.
const MAX_DETAIL_CHARS: usize = 500;

/// Cleans every text and key of a JSON value. Line breaks stay, since JSON escapes them.
pub(super) fn clean_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(cleaned) = cleaned(text, MAX_CHARS) {
                *text = cleaned;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean_value),
        Value::Object(fields) => clean_object(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn clean_object(fields: &mut Map<String, Value>) {
    if fields.keys().any(|key| cleaned(key, MAX_CHARS).is_some()) {
        let dirty = std::mem::take(fields);
        for (key, value) in dirty {
            let mut key = cleaned(&key, MAX_CHARS).unwrap_or(key);
            // Two keys that differed in what was hidden stay two.
            while fields.contains_key(&key) {
                key.push('_');
            }
            fields.insert(key, value);
        }
    }
    fields.values_mut().for_each(clean_value);
}

/// A detail of an error, on one line and of a readable length.
pub(super) fn clean_detail(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cleaned(&line, MAX_DETAIL_CHARS).unwrap_or(line)
}

/// The text without hidden characters and over-length; nothing where it is fine as it is.
fn cleaned(text: &str, max_chars: usize) -> Option<String> {
    // Nearly all texts are: looked at as bytes, which is a tenth of the work.
    if text.len() <= max_chars && text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return None;
    }
    let kept = |(c, shows): (char, bool)| shows || matches!(c, '\n' | '\r' | '\t');
    let too_long = text.len() > max_chars && text.chars().count() > max_chars;
    if !too_long && shown(text).all(kept) {
        return None;
    }
    let seen = |(c, shows)| if kept((c, shows)) { c } else { char::REPLACEMENT_CHARACTER };
    let mut cleaned: String = shown(text).take(max_chars).map(seen).collect();
    if too_long {
        cleaned.push_str("… (cut here)");
    }
    Some(cleaned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_characters_become_visible_wherever_they_stand() {
        let mut value =
            json!({"a\u{202E}b": ["x\u{0}y", {"ok": "line\nbreak"}], "n": 1, "name": "辻\u{E0100}❤\u{FE0F}"});
        clean_value(&mut value);
        assert_eq!(
            value,
            json!({"a\u{FFFD}b": ["x\u{FFFD}y", {"ok": "line\nbreak"}], "n": 1, "name": "辻\u{E0100}❤\u{FE0F}"})
        );
    }

    #[test]
    fn long_texts_are_cut_visibly_and_details_stay_on_one_line() {
        let mut value = json!("é".repeat(MAX_CHARS + 1));
        clean_value(&mut value);
        assert_eq!(value.as_str().unwrap(), format!("{}… (cut here)", "é".repeat(MAX_CHARS)));
        assert_eq!(clean_detail("  a\r\n b\u{1b}[31m "), "a b\u{FFFD}[31m");
    }
}

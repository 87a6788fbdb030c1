//! How a value is found again, in whatever spelling it stands somewhere.

/// What to look for.
#[derive(Debug, Clone)]
pub(super) enum Needle {
    /// A text that nobody else has, however it is grouped, cased or escaped.
    Text(String),
    /// A short one, which stands alone.
    Word(String),
    /// A value that others have, too, behind its name.
    Named { name: &'static str, value: String },
}

impl Needle {
    /// Whether it stands in this text. `compact` is the same text in [`compact`] form.
    pub(super) fn is_in(&self, text: &str, compact: &str) -> bool {
        match self {
            Self::Text(value) => text.contains(value.as_str()) || compact.contains(&self::compact(value)),
            Self::Word(value) => text.match_indices(value.as_str()).any(|(at, _)| {
                // Beside what is no text there is no word: sealed bytes hold any three letters sooner or later.
                let ends = |c: char| !c.is_alphanumeric() && c != char::REPLACEMENT_CHARACTER;
                text[..at].chars().next_back().is_none_or(ends)
                    && text[at + value.len()..].chars().next().is_none_or(ends)
            }),
            Self::Named { name, value } => text.match_indices(name).any(|(at, _)| {
                let rest = text[at + name.len()..].trim_start_matches(|c: char| !c.is_alphanumeric());
                rest.strip_prefix(value.as_str())
                    .is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
            }),
        }
    }
}

/// Letters and digits alone, in lower case: groups of an IBAN and dashes of a phone are gone.
pub(super) fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[test]
fn a_value_is_found_in_any_spelling_and_no_other_one_is() {
    let is_in = |needle: &Needle, text: &str| needle.is_in(text, &compact(text));
    let iban = Needle::Text("DE89370400440532013000".to_owned());
    assert!(is_in(&iban, "pays to de89 3704 0044 0532 0130 00.") && !is_in(&iban, "DE89…3000"));
    let word = Needle::Word("XPF".to_owned());
    assert!(is_in(&word, r#""currency":"XPF""#) && !is_in(&word, "aXPFb"));
    let named = Needle::Named { name: "size", value: "97".to_owned() };
    assert!(is_in(&named, r#"{\"size\":97}"#) && !is_in(&named, "size=970") && !is_in(&named, "port 97"));
}

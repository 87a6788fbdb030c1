//! A name as words that can be compared: its spellings, its script, and which words belong to it loosely.
//!
//! Knows nothing of customers or accounts; what the steps are for stands in [`super::names`].

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::vocabulary::{SMALL, TITLES};
use crate::domain::{is_printable, shown};

/// Longest name that is compared, in characters. What is longer is no name.
const MAX_CHARS: usize = 512;
/// Most words that are compared: the work grows with their cube.
const MAX_WORDS: usize = 40;
/// Fewest digits that make a text more than a name: an account number, a phone number.
const NUMBER_DIGITS: usize = 6;

/// Apostrophes and what stands for them: they join (`O'Neill` is `oneill`).
const APOSTROPHES: [char; 9] =
    ['\'', '\u{2019}', '\u{2018}', '\u{2BC}', '\u{2032}', '`', '\u{B4}', '\u{2B9}', '\u{201B}'];

/// Why a text cannot be compared as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// There is none.
    NoName,
    /// It has no letter or digit.
    NoLetters,
    /// It holds an address, a number or an escape, which may be personal data that masking hides: its
    /// normalised form would be another spelling of that, out of masking's sight.
    NotOnlyAName,
    /// It is far longer than names are.
    TooLong,
    /// The names are written in different scripts, and have no word in common after transliteration.
    OtherScript,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NoName => "no_name",
            Self::NoLetters => "no_letters",
            Self::NotOnlyAName => "not_only_a_name",
            Self::TooLong => "too_long",
            Self::OtherScript => "other_script",
        }
    }
}

/// A word in plain small letters, in one or two spellings: `muller` and `mueller` for `Müller`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    pub(super) plain: String,
    pub(super) long: String,
}

impl Word {
    /// Whether a spelling of the one is a spelling of the other.
    pub(super) fn is(&self, other: &Self) -> bool {
        [&self.plain, &self.long]
            .into_iter()
            .any(|spelling| *spelling == other.plain || *spelling == other.long)
    }

    /// Whether one is the initial of the other.
    pub(super) fn is_initial_of(&self, other: &Self) -> bool {
        let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
        initial(&self.plain, &other.plain) || initial(&other.plain, &self.plain)
    }

    /// Whether it says something to have this word in common.
    pub(super) fn is_telling(&self) -> bool {
        self.plain.chars().nth(1).is_some() && !SMALL.contains(&self.plain.as_str())
    }

    pub(super) fn is_title(&self) -> bool {
        TITLES.contains(&self.plain.as_str())
    }
}

/// A name taken apart.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    /// Whether it has letters of these: Latin, Greek, Cyrillic, others.
    pub(super) scripts: [bool; 4],
}

/// Takes a name apart.
pub(super) fn read(name: &str) -> Result<Words, Why> {
    if name.trim().is_empty() {
        return Err(Why::NoName);
    }
    if name.chars().nth(MAX_CHARS).is_some() {
        return Err(Why::TooLong);
    }
    if is_more_than_a_name(name) {
        return Err(Why::NotOnlyAName);
    }
    let mut words = vec![Word::default()];
    let mut scripts = [false; 4];
    for c in name.nfkc().flat_map(char::to_lowercase).nfkc() {
        if c.is_alphanumeric() {
            if let (Some(script), Some(word)) = (scripts.get_mut(script(c)), words.last_mut()) {
                *script |= c.is_alphabetic();
                spell(c, word);
            }
        } else if !joins(c) {
            words.push(Word::default());
        }
    }
    words.retain(|word| !word.plain.is_empty());
    match words.len() {
        0 => Err(Why::NoLetters),
        1..=MAX_WORDS => Ok(Words { words, scripts }),
        _ => Err(Why::TooLong),
    }
}

/// What leaves the letters around it in one word: accents, apostrophes, characters that do not show.
fn joins(c: char) -> bool {
    let parts = is_printable(c) || c.is_control() || c.is_whitespace();
    !parts || is_combining_mark(c) || APOSTROPHES.contains(&c)
}

fn is_more_than_a_name(name: &str) -> bool {
    let folded: String = name.nfkc().collect();
    let digits = folded.chars().filter(|c| c.is_numeric()).count();
    let escaped = |at: usize| {
        let entity = folded.get(at + 1..).and_then(|rest| rest.split_once(';'));
        entity.is_some_and(|(name, _)| name.chars().all(|c| c == '#' || c.is_alphanumeric()))
    };
    digits >= NUMBER_DIGITS
        || folded.contains(['@', '%', '\\'])
        || folded.match_indices('&').any(|(at, _)| escaped(at))
}

fn script(c: char) -> usize {
    match c {
        '\u{0}'..='\u{2AF}' | '\u{1D00}'..='\u{1D7F}' | '\u{1E00}'..='\u{1EFF}' => 0,
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => 1,
        '\u{400}'..='\u{52F}' => 2,
        _ => 3,
    }
}

/// Adds a letter in small letters without accents, and as German and Nordic write it in plain ones.
fn spell(c: char, word: &mut Word) {
    let before = word.plain.len();
    for base in c.nfkd().filter(|base| !is_combining_mark(*base)) {
        match base {
            // ου is one sound, and passports write it in two letters.
            'υ' if word.plain.ends_with('o') && matches!(c, 'υ' | 'ύ') => word.plain.push('u'),
            // Elsewhere than in these, transliteration by letters gives no name that anybody writes.
            _ if script(base) < 3 => {
                word.plain.extend(
                    any_ascii::any_ascii_char(base)
                        .chars()
                        .filter(char::is_ascii_alphanumeric)
                        .map(|c| c.to_ascii_lowercase()),
                );
            }
            _ => word.plain.push(base),
        }
    }
    let long = match c {
        'ä' => "ae",
        'ö' | 'ø' => "oe",
        'ü' => "ue",
        'å' => "aa",
        _ => word.plain.get(before..).unwrap_or_default(),
    };
    word.long.push_str(long);
}

/// Whether a name has characters that do not show (or did, before the upstream's answer was cleaned), or letters
/// of several scripts in one word, which can look like those of one.
pub(super) fn may_look_otherwise(name: &str) -> bool {
    let hides = |(c, shows): (char, bool)| !shows || c == char::REPLACEMENT_CHARACTER;
    let mixes = |word: &str| {
        let of = |wanted: usize| word.chars().any(|c| c.is_alphabetic() && script(c) == wanted);
        [of(0), of(1), of(2)].into_iter().filter(|found| *found).count() > 1
    };
    shown(name.trim()).any(hides) || name.split(|c: char| !c.is_alphanumeric()).any(mixes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_two_scripts_in_one_word_and_hidden_characters_are_seen() {
        for name in
            ["\u{410}da Byron", "Ada \u{3A1}yron", "Ada By\u{200B}ron", "Ada\nByron", "Ada \u{FFFD}Byron"]
        {
            assert!(may_look_otherwise(name), "{name:?}");
        }
        for name in
            ["Ada Byron", " Ada\n", "Zoe\u{301} Müller-Lefèvre", "Иван Smith", "山田 Taro", "O’Neill 3M"]
        {
            assert!(!may_look_otherwise(name), "{name:?}");
        }
    }
}

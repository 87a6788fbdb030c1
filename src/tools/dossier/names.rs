//! The comparison of a customer's name with the name of an account's holder: facts on two texts, no verdict on
//! two persons.
//!
//! # Steps
//!
//! | step | example |
//! |---|---|
//! | look-alikes and composed characters become one form (NFKC); capitals become small | `ＡＤＡ` is `ada` |
//! | accents are dropped, letters of the Latin script become plain ones | `Zoé Łukasz` is `zoe lukasz` |
//! | German and Nordic letters have a second spelling: ä ae, ö ø oe, ü ue, å aa (ß ss, æ ae, œ oe in both) | `Müller` is `muller` or `mueller`; those two are not each other |
//! | Greek and Cyrillic are transliterated letter by letter; other scripts stay as they are | `Иван` is `ivan` |
//! | apostrophes join, everything else that is no letter or digit parts | `O'Neill` is `oneill`, `Jean-Pierre` is `jean pierre` |
//! | the order of words does not count | `BYRON ADA` is `ada byron` |
//! | spaces may be left out, where the words stand in the same order or begin elsewhere in it | `Jean Pierre Roy` is `ROY JEANPIERRE` |
//! | a person's titles are set aside, where two words remain (`M.`, which may be an initial, is none) | `Dr. Ada Byron` is `ada byron` |
//! | a company's legal form is set aside at either end | `Engines S.A.R.L.` is `engines` with `sarl` |
//!
//! # Outcomes
//!
//! | outcome | means |
//! |---|---|
//! | `same` | the same text but for Unicode composition and white space at its ends |
//! | `same_after_normalising` | every word has its like, none is left over |
//! | `same_but_for_legal_form` | companies: the same, but one has no legal form or another one |
//! | `partly` | a telling word in common (not `de`, `von`, `and`), or every word of the shorter name found, initials counted |
//! | `different` | none of these |
//! | `not_comparable` | a name is missing, has no letters, holds more than a name (an address, a long number), is far too long, or is in another script with no word in common |
//!
//! Swapping the two names gives the same outcome. It does not know who the names belong to.

use unicode_normalization::UnicodeNormalization;

use super::vocabulary::legal_form;
use super::words::{self, Why, Word, Words};

/// What a customer's name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// First and last name: titles are set aside.
    Person,
    /// A company: its legal form is set aside.
    Company,
}

/// How two names are to each other. The order is from far to near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    NotComparable,
    Different,
    Partly,
    SameButForLegalForm,
    SameAfterNormalising,
    Same,
}

impl Outcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::NotComparable => "not_comparable",
            Self::Different => "different",
            Self::Partly => "partly",
            Self::SameButForLegalForm => "same_but_for_legal_form",
            Self::SameAfterNormalising => "same_after_normalising",
            Self::Same => "same",
        }
    }
}

/// One name as it was compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Form {
    /// All its words in their order, set-aside ones included, in one or two spellings.
    ///
    /// Letters and digits stand in the order of the name, so that masking finds in it what it finds there.
    pub(super) spellings: Vec<String>,
    /// Titles and legal forms that did not count.
    pub(super) set_aside: Vec<String>,
}

/// The comparison of two names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) outcome: Outcome,
    /// Why they could not be compared.
    pub(super) why: Option<Why>,
    /// The forms of both, in the order in which they were given, where both could be read.
    pub(super) forms: Option<[Form; 2]>,
}

/// Compares two names.
pub(super) fn compare(one: &str, other: &str, kind: Kind) -> Comparison {
    let (left, right) = match (words::read(one), words::read(other)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(why), _) | (_, Err(why)) => {
            return Comparison { outcome: Outcome::NotComparable, why: Some(why), forms: None };
        }
    };
    let (mut left_form, mut right_form) = (form(&left), form(&right));
    let outcome = if one.trim().nfc().eq(other.trim().nfc()) {
        Outcome::Same
    } else if are_alike(&left.words, &right.words) {
        Outcome::SameAfterNormalising
    } else {
        let (left_core, left_aside) = set_aside(&left.words, kind);
        let (right_core, right_aside) = set_aside(&right.words, kind);
        let outcome = match kind {
            _ if !are_alike(&left_core, &right_core) => share(&left_core, &right_core),
            Kind::Company if left_aside != right_aside => Outcome::SameButForLegalForm,
            _ => Outcome::SameAfterNormalising,
        };
        (left_form.set_aside, right_form.set_aside) = (left_aside, right_aside);
        outcome
    };
    let unlike_scripts = left.scripts != right.scripts;
    let (outcome, why) = match outcome {
        // Transliteration has many systems: two spellings of one name may have no word in common.
        Outcome::Different if unlike_scripts => (Outcome::NotComparable, Some(Why::OtherScript)),
        outcome => (outcome, None),
    };
    Comparison { outcome, why, forms: Some([left_form, right_form]) }
}

fn form(name: &Words) -> Form {
    let joined = |spelling: fn(&Word) -> &str| name.words.iter().map(spelling).collect::<Vec<_>>().join(" ");
    let mut spellings = vec![joined(|word| &word.plain), joined(|word| &word.long)];
    spellings.dedup();
    Form { spellings, set_aside: Vec::new() }
}

/// The words that count, and what does not.
fn set_aside(words: &[Word], kind: Kind) -> (Vec<Word>, Vec<String>) {
    match kind {
        Kind::Person => {
            let (titles, rest): (Vec<Word>, Vec<Word>) = words.iter().cloned().partition(Word::is_title);
            // `Herr` and `Miss` are surnames, too: one word alone is not taken for the whole name.
            if rest.len() < 2 {
                return (words.to_vec(), Vec::new());
            }
            let mut titles: Vec<String> = titles.into_iter().map(|title| title.plain).collect();
            titles.sort_unstable();
            (rest, titles)
        }
        Kind::Company => match legal_form(words) {
            Some((range, form)) => {
                let counts = |at: &usize| !range.contains(at);
                let rest =
                    words.iter().enumerate().filter(|(at, _)| counts(at)).map(|(_, word)| word.clone());
                (rest.collect(), vec![form.to_owned()])
            }
            None => (words.to_vec(), Vec::new()),
        },
    }
}

/// Whether each word has its like in the other name, in any order, or the names differ in spaces alone.
fn are_alike(left: &[Word], right: &[Word]) -> bool {
    (left.len() == right.len() && pairs(left, right, Word::is) == left.len()) || differ_in_spaces(left, right)
}

/// What names that are not alike have in common.
fn share(left: &[Word], right: &[Word]) -> Outcome {
    let telling = left.iter().any(|word| word.is_telling() && right.iter().any(|other| word.is(other)));
    let shorter = left.len().min(right.len());
    let initials = pairs(left, right, |one, other| one.is(other) || one.is_initial_of(other)) == shorter
        && left.len().max(right.len()) > 1;
    if telling || initials { Outcome::Partly } else { Outcome::Different }
}

/// How many words can be paired, each with one of the other name: the most there can be, whatever the order.
fn pairs(left: &[Word], right: &[Word], fits: fn(&Word, &Word) -> bool) -> usize {
    let mut taken: Vec<Option<usize>> = vec![None; right.len()];
    (0..left.len())
        .filter(|at| augment(*at, left, right, fits, &mut taken, &mut vec![false; right.len()]))
        .count()
}

/// Finds a partner for one word, moving others to another partner where needed (Kuhn's algorithm).
fn augment(
    at: usize,
    left: &[Word],
    right: &[Word],
    fits: fn(&Word, &Word) -> bool,
    taken: &mut Vec<Option<usize>>,
    seen: &mut Vec<bool>,
) -> bool {
    let Some(word) = left.get(at) else { return false };
    for (place, other) in right.iter().enumerate() {
        if !fits(word, other) || seen.get(place).copied().unwrap_or(true) {
            continue;
        }
        if let Some(seen) = seen.get_mut(place) {
            *seen = true;
        }
        let owner = taken.get(place).copied().flatten();
        if owner.is_none_or(|owner| augment(owner, left, right, fits, taken, seen)) {
            if let Some(slot) = taken.get_mut(place) {
                *slot = Some(at);
            }
            return true;
        }
    }
    false
}

/// Whether the letters are the same when no space is written, the words beginning at any of them: surnames
/// stand first or last.
fn differ_in_spaces(left: &[Word], right: &[Word]) -> bool {
    let rights = rotations(right);
    rotations(left).iter().any(|spelling| rights.contains(spelling))
}

fn rotations(words: &[Word]) -> Vec<String> {
    let joined = |start: usize, spelling: fn(&Word) -> &str| -> String {
        words.iter().cycle().skip(start).take(words.len()).map(spelling).collect()
    };
    (0..words.len())
        .flat_map(|start| [joined(start, |word| &word.plain), joined(start, |word| &word.long)])
        .collect()
}

#[cfg(test)]
mod tests;

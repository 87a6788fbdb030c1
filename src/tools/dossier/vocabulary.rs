//! Words that belong to names loosely: titles, particles, legal forms. A word that is not here counts in full.

use std::ops::Range;

use super::words::Word;

/// Words that stand before a person's name.
pub(super) const TITLES: [&str; 19] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "doctor",
    "prof",
    "professor",
    "monsieur",
    "madame",
    "mademoiselle",
    "mme",
    "mlle",
    "herr",
    "frau",
    "sig",
    "signora",
    "sra",
];

/// Words that many names have: one of these in common says nothing.
pub(super) const SMALL: [&str; 34] = [
    "de", "la", "le", "les", "du", "des", "da", "di", "del", "della", "dos", "van", "von", "der", "den",
    "ter", "te", "zu", "of", "the", "and", "or", "ou", "et", "und", "oder", "al", "el", "bin", "ben", "ibn",
    "bint", "st", "co",
];

/// Legal forms: what they are called here, and how they are written, in plain letters without spaces.
const LEGAL_FORMS: [(&str, &[&str]); 47] = [
    ("ab", &["ab", "aktiebolag"]),
    ("ag", &["ag", "aktiengesellschaft"]),
    ("aps", &["aps"]),
    ("as", &["as"]),
    ("asa", &["asa"]),
    ("bv", &["bv"]),
    ("bvba", &["bvba"]),
    ("corp", &["corp", "corporation"]),
    ("doo", &["doo"]),
    ("eg", &["eg"]),
    ("ei", &["ei"]),
    ("eirl", &["eirl"]),
    ("ek", &["ek"]),
    ("eood", &["eood"]),
    ("eurl", &["eurl"]),
    ("gmbh", &["gmbh", "gesellschaftmitbeschrankterhaftung"]),
    ("gmbh & co kg", &["gmbhcokg", "gmbhundcokg"]),
    ("inc", &["inc", "incorporated"]),
    ("kft", &["kft"]),
    ("kg", &["kg", "kommanditgesellschaft"]),
    ("lda", &["lda", "limitada"]),
    ("llc", &["llc"]),
    ("llp", &["llp"]),
    ("ltd", &["ltd", "limited"]),
    ("nv", &["nv"]),
    ("ohg", &["ohg"]),
    ("ood", &["ood"]),
    ("ooo", &["ooo"]),
    ("oy", &["oy"]),
    ("oyj", &["oyj"]),
    ("plc", &["plc"]),
    ("sa", &["sa", "societeanonyme"]),
    ("sarl", &["sarl", "societearesponsabilitelimitee"]),
    ("sas", &["sas", "societeparactionssimplifiee"]),
    ("sasu", &["sasu"]),
    ("sci", &["sci"]),
    ("scop", &["scop"]),
    ("se", &["se"]),
    ("selarl", &["selarl"]),
    ("sl", &["sl"]),
    ("slu", &["slu"]),
    ("snc", &["snc"]),
    ("spa", &["spa"]),
    ("spzoo", &["spzoo"]),
    ("srl", &["srl"]),
    ("sro", &["sro"]),
    ("ug", &["ug"]),
];
/// Most words that a legal form is written in (`S. A. R. L. U.`, `société par actions simplifiée`).
const MAX_FORM_WORDS: usize = 5;

/// Where a company's legal form stands among its words, and what it is called; at an end, and never all of them.
pub(super) fn legal_form(words: &[Word]) -> Option<(Range<usize>, &'static str)> {
    let all = words.len();
    let most = MAX_FORM_WORDS.min(all.saturating_sub(1));
    let ends = (1..=most).rev().flat_map(|length| [all - length..all, 0..length]);
    ends.into_iter().find_map(|range| {
        let written: String = words.get(range.clone())?.iter().map(|word| word.plain.as_str()).collect();
        // Without this, the single letters of a form would be a name with a shorter form.
        let mut rest = words.iter().enumerate().filter(|(at, _)| !range.contains(at));
        if !rest.any(|(_, word)| word.plain.chars().nth(1).is_some()) {
            return None;
        }
        let form = LEGAL_FORMS.iter().find(|(_, spellings)| spellings.contains(&written.as_str()))?;
        Some((range, form.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::dossier::words::read;

    #[test]
    fn a_legal_form_stands_at_an_end_and_is_never_the_whole_name() {
        let form = |name: &str| legal_form(&read(name).unwrap().words);
        assert_eq!(form("Engines S.A.R.L."), Some((1..5, "sarl")));
        assert_eq!(form("SARL Engines"), Some((0..1, "sarl")));
        assert_eq!(form("Engines GmbH & Co. KG"), Some((1..4, "gmbh & co kg")));
        assert_eq!(form("Engines société par actions simplifiée"), Some((1..5, "sas")));
        assert_eq!(form("The SAS Engines"), None);
        assert_eq!(form("S.A.S."), None);
        assert_eq!(form("Limited"), None);
    }
}

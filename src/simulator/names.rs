//! How alike two names are.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The score, from 0 to 1, at and above which two names are the same.
pub const VERIFIED_FROM: f64 = 0.85;

/// Longest part of a name that is compared, in characters: the comparison takes time with its square.
const MAX_COMPARED_CHARS: usize = 256;

/// How alike two names are, from 0 to 1 in hundredths. A name without letters or digits is like no other.
pub(super) fn similarity(one: &str, other: &str) -> f64 {
    let (one, other) = (words(one), words(other));
    if one.is_empty() || other.is_empty() {
        return 0.0;
    }
    let as_written = strsim::jaro_winkler(&one.join(" "), &other.join(" "));
    let in_any_order = strsim::jaro_winkler(&sorted(one), &sorted(other));
    // Rounded before it is judged: what a caller sees must agree with the verdict.
    (as_written.max(in_any_order) * 100.0).round() / 100.0
}

/// The best similarity of any of these names with any of those, from 0 to 1.
pub(super) fn best_similarity(these: &[&str], others: &[&str]) -> f64 {
    these.iter().flat_map(|name| others.iter().map(|other| similarity(name, other))).fold(0.0, f64::max)
}

/// The words of a name in lower case, accents folded, punctuation taken as space.
fn words(name: &str) -> Vec<String> {
    let folded: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .take(MAX_COMPARED_CHARS)
        .collect();
    folded.split_whitespace().map(str::to_owned).collect()
}

fn sorted(mut words: Vec<String>) -> String {
    words.sort_unstable();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_score(one: &str, other: &str, expected: f64) {
        let score = similarity(one, other);
        assert!((score - expected).abs() < f64::EPSILON, "{one} / {other}: {score}");
    }

    #[test]
    fn case_accents_punctuation_and_order_do_not_count() {
        assert_score("Ada Byron", "  ada   BYRON ", 1.0);
        assert_score("Zoé Müller-Lefèvre", "LEFEVRE MULLER ZOE", 1.0);
        assert_score("Zoe\u{301}", "Zoé", 1.0);
        assert_score("山田 太郎", "太郎 山田", 1.0);
    }

    #[test]
    fn a_slip_of_the_pen_passes_and_another_person_does_not() {
        assert!(similarity("Ada Byron", "Ada Biron") >= VERIFIED_FROM);
        assert!(similarity("Ada Byron", "Adah Byron") >= VERIFIED_FROM);
        for other in ["Georgiana Whitmore", "Charles Babbage", "Noor Haddad", "Grace Hopper"] {
            assert!(similarity("Ada Byron", other) < VERIFIED_FROM, "{other}");
        }
        assert!(similarity("Charles Babbage", "Georgiana Whitmore") < VERIFIED_FROM);
    }

    #[test]
    fn a_blank_name_is_like_no_other() {
        for blank in ["", "  ", "\0", "--"] {
            assert_score(blank, blank, 0.0);
            assert_score(blank, "Ada Byron", 0.0);
        }
        assert!(best_similarity(&[], &["Ada"]).abs() < f64::EPSILON);
    }

    #[test]
    fn the_best_pair_counts() {
        let best =
            best_similarity(&["Luigi Menabrea", "Analytical Engines"], &["Noor", "ANALYTICAL ENGINES"]);
        assert!((best - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_huge_name_is_compared_quickly() {
        let huge = "\u{FDFA}".repeat(300_000);
        let started = std::time::Instant::now();
        assert_score(&huge, &huge, 1.0);
        assert!(started.elapsed().as_secs() < 5);
    }
}

//! Values as a page shows them: the upstream's words may hold what would hide, or turn around, what stands beside it.

use std::borrow::Cow;

use crate::domain::shown;

/// The text, with U+FFFD for every character that does not show or moves its neighbours.
pub(super) fn plain(text: &str) -> String {
    shown(text).map(|(c, shows)| if shows { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// A time of day without its letters, for people: `2026-11-22 20:41:05 UTC`.
pub(super) fn time(rfc_3339: &str) -> Cow<'_, str> {
    rfc_3339
        .strip_suffix('Z')
        .map_or(Cow::Borrowed(rfc_3339), |time| format!("{} UTC", time.replace('T', " ")).into())
}

/// A span of time, rounded to what a person needs: `9 minutes`, `1 second`.
pub(super) fn span(seconds: u64) -> String {
    let (number, unit) = if seconds >= 120 { (seconds / 60, "minute") } else { (seconds, "second") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_is_shown_as_something_that_does_not_show() {
        assert_eq!(plain("Éloïse 山田 عائشة"), "Éloïse 山田 عائشة");
        assert_eq!(plain("a\u{202E}b\nc\u{200B}d\u{0}"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\u{FFFD}");
    }

    #[test]
    fn times_and_spans_read_well() {
        assert_eq!(time("2026-11-22T20:41:05Z"), "2026-11-22 20:41:05 UTC");
        assert_eq!(span(600), "10 minutes");
        assert_eq!(span(119), "119 seconds");
        assert_eq!(span(1), "1 second");
    }
}

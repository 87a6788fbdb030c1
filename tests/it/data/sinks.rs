//! Where a value may end up, each with all that was seen there.

use super::needle::{Needle, compact};

/// Every place, in the order of the page's columns.
const NAMES: [&str; 12] = [
    "upstream",
    "token URL",
    "issuer",
    "agent",
    "masked agent",
    "form",
    "page",
    "log",
    "metrics",
    "traces",
    "audit trail",
    "store",
];

/// All that was seen.
pub(super) struct Sinks(Vec<(&'static str, Sink)>);

/// What was seen in one place.
#[derive(Default)]
pub(super) struct Sink {
    open: Vec<Seen>,
    sealed: Vec<Seen>,
}

struct Seen {
    text: String,
    compact: String,
}

impl Sinks {
    pub(super) fn new() -> Self {
        Self(NAMES.map(|name| (name, Sink::default())).into())
    }

    pub(super) fn at(&mut self, name: &str) -> &mut Sink {
        let found = self.0.iter_mut().find(|(known, _)| *known == name);
        &mut found.unwrap_or_else(|| panic!("there is no {name}")).1
    }

    /// How this value stands in these places, in the page's words: `yes`, `masked`, `sealed` or a dash. What does not
    /// stand alike in all of them has no word.
    pub(super) fn word(&self, names: &str, needles: &[Needle], masked: Option<&str>) -> &'static str {
        let mut words: Vec<&str> = names.split(", ").map(|name| self.in_one(name, needles, masked)).collect();
        words.dedup();
        if let [word] = words[..] { word } else { "needs columns of their own" }
    }

    fn in_one(&self, name: &str, needles: &[Needle], masked: Option<&str>) -> &'static str {
        let (_, sink) = self.0.iter().find(|(known, _)| *known == name).expect("a column is a place");
        assert!(sink.open.iter().any(|seen| !seen.text.is_empty()), "nothing was seen in {name}");
        let is_in = |all: &[Seen]| {
            all.iter().any(|seen| needles.iter().any(|needle| needle.is_in(&seen.text, &seen.compact)))
        };
        if is_in(&sink.open) {
            "yes"
        } else if masked.is_some_and(|masked| sink.open.iter().any(|seen| seen.text.contains(masked))) {
            "masked"
        } else if is_in(&sink.sealed) {
            "sealed"
        } else {
            "–"
        }
    }
}

impl Sink {
    /// This was seen there, for everybody to read.
    pub(super) fn shows(&mut self, text: &str) {
        self.open.push(Seen { text: text.to_owned(), compact: compact(text) });
    }

    /// This was seen there, by whoever has the key.
    pub(super) fn hides(&mut self, text: &str) {
        self.sealed.push(Seen { text: text.to_owned(), compact: compact(text) });
    }
}

//! Why capability files are refused: each problem with its file, its place and its reason.

use std::fmt;

use crate::domain::is_printable;

/// How alike two names must be for the one to be offered in place of the other; 1 is equal.
const CLOSE_ENOUGH: f64 = 0.7;

/// The capability files are not usable: every problem of all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Refused(pub Vec<Refusal>);

/// One problem. Its text is always one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file's path, as the person who named it would write it.
    pub file: String,
    /// The line, from 1, where the file could be read that far.
    pub line: Option<u64>,
    /// The dotted path to the value, empty for the file as a whole.
    pub place: String,
    /// What is wrong, and where it can be said, what would be right.
    pub reason: String,
}

impl Refusal {
    pub(super) fn of_file(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, place: String::new(), reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let place = if self.place.is_empty() { String::new() } else { format!(" {}:", self.place) };
        let text = format!("{}{line}:{place} {}", self.file, self.reason);
        // Names are quoted from the file: none may forge a second line or hide in the terminal.
        for c in text.chars() {
            if is_printable(c) { write!(f, "{c}")? } else { write!(f, "{}", c.escape_default())? }
        }
        Ok(())
    }
}

/// `; did you mean ...?` where one of the known words is close to `word`, and nothing otherwise.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|candidate| (strsim::normalized_damerau_levenshtein(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= CLOSE_ENOUGH)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| format!("; did you mean `{candidate}`?"))
        .unwrap_or_default()
}

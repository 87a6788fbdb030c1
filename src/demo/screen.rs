//! The terminal: paragraphs as wide as it is, in colour where it has any, and a line that moves while a call runs.
//!
//! Colours and progress leave by themselves where they are of no use: in a pipe, under `NO_COLOR`, on a dumb terminal.

use std::collections::HashSet;
use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value};
use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSplitter};

/// Columns at most, and where the terminal does not say how many it has: longer lines are hard to read.
const MAX_COLUMNS: usize = 100;
/// Between two pictures of what moves.
const TICK: Duration = Duration::from_millis(100);

/// Of an id longer than this, so many characters are shown; `sim_` counts as none.
const LONGEST_ID: usize = 20;
const KEPT_OF_ID: usize = 10;

/// A space at which no line ends: names stay together.
const TIE: &str = "\u{a0}";

const HEADING: Style = Style::new().bold();
pub(super) const CALL: Style = AnsiColor::Cyan.on_default();
const QUESTION: Style = AnsiColor::Magenta.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const MIDDLING: Style = AnsiColor::Yellow.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// Where the story is shown: standard output, with what moves on standard error.
#[derive(Debug)]
pub struct Screen {
    out: Mutex<AutoStream<Stdout>>,
    columns: usize,
    progress: ProgressBar,
    /// The questions that were shown in full.
    asked: Mutex<HashSet<String>>,
}

impl Screen {
    /// The terminal of this process, or whatever stands in its place.
    #[must_use]
    pub fn new() -> Self {
        let columns =
            terminal_size_of(io::stdout()).map_or(MAX_COLUMNS, |(Width(columns), _)| columns.into());
        // Where the story goes elsewhere, such as to a pager, nothing may move over it.
        let moves = std::env::var_os("TERM").is_some_and(|kind| kind != "dumb");
        let target = if io::stdout().is_terminal() && moves {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}");
        let progress = ProgressBar::with_draw_target(None, target)
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self {
            out: Mutex::new(AutoStream::auto(io::stdout())),
            columns: columns.min(MAX_COLUMNS),
            progress,
            asked: Mutex::default(),
        }
    }

    /// Takes away what moves, so that others can write.
    pub fn clear(&self) {
        self.progress.finish_and_clear();
    }

    /// The first act of so many begins.
    pub(super) fn begin(&self, acts: usize) {
        self.progress.set_length(acts as u64);
        self.progress.enable_steady_tick(TICK);
    }

    /// What is waited for.
    pub(super) fn wait(&self, what: &str) {
        self.progress.set_message(what.to_owned());
    }

    /// The next act.
    pub(super) fn act(&self, title: &str) -> io::Result<()> {
        self.progress.inc(1);
        self.gap()?;
        self.paragraph("", "", &paint(HEADING, &format!("{}. {title}", self.progress.position())))
    }

    /// What an agent's person is asked, with all that they are told where it is asked for the first time.
    pub(super) fn question(&self, message: &str) -> io::Result<()> {
        let (question, told) = message.split_once('\n').unwrap_or((message, ""));
        let is_new = self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(question.to_owned());
        self.paragraph(&paint(QUESTION, "  ? "), "    ", &paint(QUESTION, question))?;
        for line in told.lines().filter(|_| is_new) {
            self.paragraph(&paint(QUESTION, "  │ "), "    ", &short(line))?;
        }
        self.paragraph(&paint(GOOD, "  ✓ "), "    ", "the person says yes")
    }

    /// An empty line.
    pub(super) fn gap(&self) -> io::Result<()> {
        self.write("\n")
    }

    /// A paragraph; `first` stands before its first line, `rest` before the others.
    pub(super) fn paragraph(&self, first: &str, rest: &str, text: &str) -> io::Result<()> {
        // What is one word stays one: ids and addresses are there to be copied.
        let options = Options::new(self.columns)
            .initial_indent(first)
            .subsequent_indent(rest)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        self.write(&format!("{}\n", textwrap::fill(text, options).replace(TIE, " ")))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        self.progress.suspend(|| {
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }
}

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

/// A text in a style.
pub(super) fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The members of an object as `name=value`.
pub(super) fn members(object: &Map<String, Value>) -> String {
    let shown = object.iter().map(|(name, value)| {
        let text = plain(value);
        match (name.as_str(), text.as_str()) {
            ("status", "verified") => format!("{name}={}", paint(GOOD, &text)),
            ("status", "failed") => format!("{name}={}", paint(BAD, &text)),
            ("status", _) => format!("{name}={}", paint(MIDDLING, &text)),
            _ => format!("{name}={text}"),
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A value as a person reads it: a word as it is, a time to the second, an id in short, anything else as JSON.
fn plain(value: &Value) -> String {
    let Some(text) = value.as_str() else { return value.to_string() };
    if let Some(time) = text
        .parse()
        .ok()
        .and_then(|time: jiff::Timestamp| jiff::Timestamp::from_second(time.as_second()).ok())
    {
        return time.to_string();
    }
    let is_word = |c: char| c.is_alphanumeric() || "-_.@+:/".contains(c);
    let is_plain = !text.is_empty() && text.chars().all(is_word);
    if is_plain { short(text) } else { value.to_string().replace(' ', TIE) }
}

/// A text with every id that the simulator gave out in short: it is gone with the simulator.
pub(super) fn short(text: &str) -> String {
    let mut words = text.split("sim_");
    let mut shown = words.next().unwrap_or_default().to_owned();
    for word in words {
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let (id, rest) = word.split_at(end);
        let kept = id.get(..KEPT_OF_ID).filter(|_| id.len() > LONGEST_ID);
        shown.extend(["sim_", kept.unwrap_or(id), kept.map_or("", |_| "…"), rest]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_a_person_reads_them() {
        for (value, shown) in [
            (json!("sim_cus_ada"), "sim_cus_ada"),
            (json!("sim_cus_4f1d2c3b4a5968778695a4b3c2d1e0f9"), "sim_cus_4f1d2c…"),
            (json!("grace@example.com"), "grace@example.com"),
            (json!("Grace Hopper"), "\"Grace\u{a0}Hopper\""),
            (json!("\u{1b}[31mred"), "\"\\u001b[31mred\""),
            (json!(""), "\"\""),
            (json!(1.0), "1.0"),
            (json!(true), "true"),
            (json!("2026-11-23T03:04:13.26Z"), "2026-11-23T03:04:13Z"),
            (json!("2026"), "2026"),
        ] {
            assert_eq!(plain(&value), shown);
        }
        let of = "of `sim_ver_4f1d2c3b4a5968778695a4b3c2d1e0f9`, sim_acc_ada and sim_slow";
        assert_eq!(short(of), "of `sim_ver_4f1d2c…`, sim_acc_ada and sim_slow");
    }
}

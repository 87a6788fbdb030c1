//! Where added text goes and how it looks: as the text around it does. Nothing that is there is taken away or moved.

use std::ops::Range;

use jsonc_parser::tokens::{Token, TokenAndRange};
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// How far members are indented where the file does not show it.
const INDENT: &str = "  ";

/// How a file is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    /// What ends its lines.
    eol: &'static str,
    /// What a level is indented by.
    unit: &'a str,
    /// Whether it is all in one line.
    one_line: bool,
}

impl<'a> Style<'a> {
    /// As a text shows it, whose first member starts here.
    pub(super) fn of(text: &'a str, first_member: Option<usize>) -> Self {
        let unit = first_member.and_then(|at| indent_of(text, at)).filter(|indent| !indent.is_empty());
        let one_line = first_member.is_some() && !text.trim().contains('\n');
        Self { eol: eol(text), unit: unit.unwrap_or(INDENT), one_line }
    }

    fn render(self, name: Option<&str>, value: &Value, indent: &str) -> String {
        let colon = if self.one_line { ":" } else { ": " };
        let name = name.map(|name| format!("{}{colon}", Value::from(name))).unwrap_or_default();
        if self.one_line {
            return format!("{name}{value}");
        }
        let lines = pretty(value, self.unit);
        // No text in JSON holds a line break: those that are there are between members.
        format!("{name}{}", lines.replace('\n', &format!("{}{indent}", self.eol)))
    }
}

/// An object or array of a file.
#[derive(Debug)]
pub(super) struct Container {
    /// From its opening to behind its closing bracket.
    pub(super) range: Range<usize>,
    /// Its last member or element.
    pub(super) last: Option<Range<usize>>,
}

/// The text of a file that held nothing but white space and comments.
pub(super) fn first(text: &str, value: &Value) -> String {
    let style = Style { one_line: false, ..Style::of(text, None) };
    let value = style.render(None, value, "");
    let eol = style.eol;
    if text.is_empty() {
        return format!("{value}{eol}");
    }
    if text.trim().is_empty() {
        return format!("{value}{text}");
    }
    let gap = if text.ends_with('\n') { "" } else { eol };
    format!("{text}{gap}{value}{eol}")
}

/// The text with another value in this place.
pub(super) fn replace(text: &str, place: Range<usize>, value: &Value, style: Style<'_>) -> String {
    let indent = line_indent(text, place.start);
    let value = style.render(None, value, indent);
    format!("{}{value}{}", &text[..place.start], &text[place.end..])
}

/// The text with one more member (or, without a name, element) at the end of a container.
pub(super) fn insert(
    text: &str,
    tokens: &[TokenAndRange<'_>],
    container: &Container,
    name: Option<&str>,
    value: &Value,
    style: Style<'_>,
) -> String {
    let Some(last) = &container.last else { return fill(text, tokens, container, name, value, style) };
    let next = tokens.iter().find(|token| token.range.start >= last.end && !is_comment(token));
    let comma = next.filter(|token| token.token == Token::Comma);
    let behind = comma.map_or(last.end, |comma| comma.range.end);
    let (place, added) = if let Some(indent) = indent_of(text, last.start) {
        // What is said about the last member behind it stays with it.
        let place = behind_comments(text, tokens, behind);
        (place, format!("{}{indent}{}", style.eol, style.render(name, value, indent)))
    } else {
        (behind, Style { one_line: true, ..style }.render(name, value, ""))
    };
    let comma = if comma.is_none() { "," } else { "" };
    format!("{}{comma}{}{added}{}", &text[..last.end], &text[last.end..place], &text[place..])
}

/// The same for an empty container; comments in it stay before what is added.
fn fill(
    text: &str,
    tokens: &[TokenAndRange<'_>],
    container: &Container,
    name: Option<&str>,
    value: &Value,
    style: Style<'_>,
) -> String {
    let inside = container.range.start + 1..container.range.end.saturating_sub(1);
    let is_inside = |token: &&TokenAndRange<'_>| inside.contains(&token.range.start) && is_comment(token);
    let place = tokens.iter().rfind(is_inside).map_or(inside.start, |comment| comment.range.end);
    if style.one_line {
        return format!("{}{}{}", &text[..place], style.render(name, value, ""), &text[place..]);
    }
    let outer = line_indent(text, container.range.start);
    let indent = format!("{outer}{}", style.unit);
    let added = style.render(name, value, &indent);
    let eol = style.eol;
    let closing = &text[place..inside.end];
    let end = if closing.contains('\n') { String::new() } else { format!("{eol}{outer}") };
    format!("{}{eol}{indent}{added}{end}{}", &text[..place], &text[place..])
}

/// JSON over several lines.
pub(super) fn pretty(value: &Value, unit: &str) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(unit.as_bytes()));
    // Writing to memory does not fail, and every name is a text.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&text).into_owned()
}

/// Behind the comments that follow on the same line.
fn behind_comments(text: &str, tokens: &[TokenAndRange<'_>], mut place: usize) -> usize {
    for comment in tokens.iter().filter(|token| is_comment(token)) {
        let is_next = comment.range.start >= place
            && text[place..comment.range.start].chars().all(|c| c == ' ' || c == '\t');
        if is_next {
            place = comment.range.end;
        }
    }
    place
}

fn is_comment(token: &TokenAndRange<'_>) -> bool {
    matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_))
}

/// The white space before a place, where nothing else stands before it on its line.
fn indent_of(text: &str, place: usize) -> Option<&str> {
    let (_, line) = text[..place].rsplit_once('\n')?;
    line.chars().all(|c| c == ' ' || c == '\t').then_some(line)
}

/// The white space that a place's line starts with.
fn line_indent(text: &str, place: usize) -> &str {
    let line = text[..place].rsplit('\n').next().unwrap_or_default();
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

fn eol(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

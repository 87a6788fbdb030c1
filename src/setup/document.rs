//! A client's file as text: what stands where in it, and one member set in it. All other bytes stay as they are.

use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::TokenAndRange;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::layout::{self, Container, Style};

/// What a client takes for JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// JSON and nothing else.
    Strict,
    /// JSON with comments and trailing commas.
    WithComments,
}

/// Why a file is left alone, and where in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {reason}")]
pub struct Broken {
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: String,
}

impl Broken {
    fn at(text: &str, offset: usize, reason: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line, column, reason: reason.into() }
    }
}

/// A file's text, taken apart.
pub(super) struct Document<'a> {
    text: &'a str,
    tokens: Vec<TokenAndRange<'a>>,
    root: Option<Node<'a>>,
}

impl<'a> Document<'a> {
    /// Takes a text apart, which has no byte order mark.
    pub(super) fn parse(text: &'a str, dialect: Dialect) -> Result<Self, Broken> {
        let loose = dialect == Dialect::WithComments;
        let options = ParseOptions {
            allow_comments: loose,
            allow_trailing_commas: loose,
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        // Comments that are collected as tokens are let through even where none are allowed.
        parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| Broken {
            line: error.line_display(),
            column: error.column_display(),
            reason: said(&error.kind().to_string(), loose),
        })?;
        let everything = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
        let parsed = parse_to_ast(text, &everything, &options)
            .map_err(|error| Broken::at(text, error.range().start, error.kind().to_string()))?;
        if !loose && parsed.value.is_some() {
            // A second judge, as strict as the clients are that take nothing but JSON.
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
                let reason = error.to_string();
                let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
                Broken { line: error.line(), column: error.column(), reason }
            })?;
        }
        Ok(Self { text, tokens: parsed.tokens.unwrap_or_default(), root: parsed.value })
    }

    /// What stands at a path of member names.
    pub(super) fn get(&self, path: &[&str]) -> Result<Option<Value>, Broken> {
        let Some(root) = &self.root else { return Ok(None) };
        let mut node = root;
        for name in path {
            match self.member(self.object(node)?, name)? {
                Some(member) => node = &member.value,
                None => return Ok(None),
            }
        }
        Ok(Some(node.clone().into()))
    }

    /// The text with this value at a path of member names, whose missing objects are made.
    pub(super) fn set(&self, path: &[&str], value: &Value) -> Result<String, Broken> {
        let Some(root) = &self.root else { return Ok(layout::first(self.text, &nested(path, value))) };
        let mut node = root;
        let mut rest = path;
        while let [name, further @ ..] = rest {
            let object = self.object(node)?;
            let Some(member) = self.member(object, name)? else {
                let last = object.properties.last().map(|member| member.range.start..member.range.end);
                return Ok(self.insert(object, last, Some(name), &nested(further, value)));
            };
            node = &member.value;
            rest = further;
        }
        if Value::from(node.clone()) == *value {
            return Ok(self.text.to_owned());
        }
        let range = node.range();
        Ok(layout::replace(self.text, range.start..range.end, value, self.style()))
    }

    /// The text with this element at the end of an array, which is made where it is missing.
    pub(super) fn push(&self, name: &str, element: &Value) -> Result<String, Broken> {
        let only = Value::Array(vec![element.clone()]);
        let Some(root) = &self.root else { return self.set(&[name], &only) };
        let Some(member) = self.member(self.object(root)?, name)? else { return self.set(&[name], &only) };
        let Some(array) = member.value.as_array() else {
            return Err(self.broken(&member.value, format!("\"{name}\" must be an array")));
        };
        let last = array.elements.last().map(|last| last.range().start..last.range().end);
        Ok(self.insert(array, last, None, element))
    }

    fn insert(
        &self,
        container: &impl Ranged,
        last: Option<std::ops::Range<usize>>,
        name: Option<&str>,
        value: &Value,
    ) -> String {
        let range = container.range();
        let container = Container { range: range.start..range.end, last };
        layout::insert(self.text, &self.tokens, &container, name, value, self.style())
    }

    /// How the file is laid out, as its first member shows it.
    fn style(&self) -> Style<'a> {
        let object = self.root.as_ref().and_then(Node::as_object);
        let first = object.and_then(|object| object.properties.first()).map(|member| member.range.start);
        Style::of(self.text, first)
    }

    fn object<'n>(&self, node: &'n Node<'a>) -> Result<&'n Object<'a>, Broken> {
        node.as_object().ok_or_else(|| self.broken(node, "an object must stand here"))
    }

    /// A member by its name, refused where it stands twice: clients differ in which one they read.
    fn member<'n>(&self, object: &'n Object<'a>, name: &str) -> Result<Option<&'n ObjectProp<'a>>, Broken> {
        let mut found = object.properties.iter().filter(|member| member.name.as_str() == name);
        let first = found.next();
        match found.next() {
            Some(second) => Err(Broken::at(
                self.text,
                second.range.start,
                format!("\"{name}\" stands here a second time"),
            )),
            None => Ok(first),
        }
    }

    fn broken(&self, node: &Node<'a>, reason: impl Into<String>) -> Broken {
        Broken::at(self.text, node.range().start, reason)
    }
}

/// The parser's words as ours, with what a client's dialect is where that is the reason.
fn said(kind: &str, loose: bool) -> String {
    let mut reason = kind.to_owned();
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    if !loose && reason.contains("not allowed") {
        reason.push_str(", and this client reads nothing of such a file");
    }
    reason
}

fn nested(path: &[&str], value: &Value) -> Value {
    path.iter()
        .rev()
        .fold(value.clone(), |value, name| Value::Object([((*name).to_owned(), value)].into_iter().collect()))
}

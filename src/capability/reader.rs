//! Takes values out of the tree, and notes where each one stood and what was wrong with it.

use super::refusal::{Refusal, did_you_mean};
use super::yaml::{Node, Value};

/// Where a value stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub line: Option<u64>,
    pub place: String,
}

impl Spot {
    /// The spot of a member that is missing: on the line of its parent.
    pub(super) fn member(&self, key: &str) -> Self {
        let place = if self.place.is_empty() { key.to_owned() } else { format!("{}.{key}", self.place) };
        Self { line: self.line, place }
    }
}

/// A value with its spot.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub value: T,
    pub spot: Spot,
}

/// The problems of one file.
pub(super) struct Report {
    pub file: String,
    pub refusals: Vec<Refusal>,
}

impl Report {
    pub(super) fn new(file: String) -> Self {
        Self { file, refusals: Vec::new() }
    }

    /// Refuses an absence, unless the value, or what holds it, is there and was refused for what it is.
    pub(super) fn refuse_absent(&mut self, spot: &Spot, reason: impl Into<String>) {
        let within = |place: &str| {
            let rest = spot.place.strip_prefix(place);
            !place.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if !self.refusals.iter().any(|known| within(&known.place)) {
            self.refuse(spot, reason);
        }
    }

    pub(super) fn refuse(&mut self, spot: &Spot, reason: impl Into<String>) {
        let Spot { line, place } = spot.clone();
        self.refusals.push(Refusal { file: self.file.clone(), line, place, reason: reason.into() });
    }
}

/// A node of the tree with its spot.
pub(super) struct At<'n> {
    node: &'n Node,
    pub spot: Spot,
}

impl<'n> At<'n> {
    pub(super) fn root(node: &'n Node) -> Self {
        Self { node, spot: Spot { line: node.line, place: String::new() } }
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// The members of a mapping whose keys are names that the file gives.
    pub(super) fn entries(&self, report: &mut Report) -> Option<Fields<'n>> {
        let Value::Map(map) = &self.node.value else {
            report.refuse(&self.spot, "must be a mapping (`key: value`)");
            return None;
        };
        let at =
            |key: &str, node: &'n Node| At { node, spot: Spot { line: node.line, ..self.spot.member(key) } };
        let entries = map.iter().map(|(key, node)| (key.as_str(), at(key, node))).collect();
        Some(Fields { entries, spot: self.spot.clone() })
    }

    /// The members of a mapping whose keys the format fixes; others are refused.
    pub(super) fn fields(&self, known: &[&str], report: &mut Report) -> Option<Fields<'n>> {
        let fields = self.entries(report)?;
        for (key, at) in &fields.entries {
            if !known.contains(key) {
                let hint = did_you_mean(key, known.iter().copied());
                report.refuse(&at.spot, format!("the format has no `{key}` here{hint}"));
            }
        }
        Some(fields)
    }

    /// The items of a list.
    pub(super) fn items(&self, report: &mut Report) -> Vec<At<'n>> {
        let Value::List(list) = &self.node.value else {
            report.refuse(&self.spot, "must be a list");
            return Vec::new();
        };
        let spot = |index: usize, line| Spot { line, place: format!("{}[{index}]", self.spot.place) };
        list.iter().enumerate().map(|(index, node)| At { node, spot: spot(index, node.line) }).collect()
    }

    pub(super) fn text(&self, report: &mut Report) -> Option<Placed<String>> {
        let Value::Text(text) = &self.node.value else {
            let hint = match self.node.value {
                Value::Flag(_) | Value::Number => ": put it in quotes",
                _ => "",
            };
            report.refuse(&self.spot, format!("must be a text{hint}"));
            return None;
        };
        Some(Placed { value: text.clone(), spot: self.spot.clone() })
    }

    pub(super) fn flag(&self, report: &mut Report) -> Option<Placed<bool>> {
        let Value::Flag(value) = self.node.value else {
            report.refuse(&self.spot, "must be true or false");
            return None;
        };
        Some(Placed { value, spot: self.spot.clone() })
    }
}

/// The members of a mapping.
pub(super) struct Fields<'n> {
    pub entries: Vec<(&'n str, At<'n>)>,
    pub spot: Spot,
}

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&At<'n>> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, at)| at)
    }

    pub(super) fn required(&self, key: &str, report: &mut Report) -> Option<&At<'n>> {
        let found = self.get(key);
        if found.is_none() {
            report.refuse(&self.spot.member(key), "is missing");
        }
        found
    }

    pub(super) fn required_text(&self, key: &str, report: &mut Report) -> Option<Placed<String>> {
        self.required(key, report)?.text(report)
    }

    pub(super) fn optional_flag(&self, key: &str, report: &mut Report) -> Option<Placed<bool>> {
        self.get(key)?.flag(report)
    }
}

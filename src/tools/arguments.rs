//! From a JSON object to a [`Request`]: every problem of an input is found and reported at once.
//!
//! Names and JSON types are checked against the table of the action; the rules of the values are those of the
//! domain types. serde stops at the first wrong value, so that value is replaced by the argument's example and
//! the rest is read again until nothing more is wrong.

use serde_json::{Map, Value};

use super::definition::{ActionDefinition, Argument, Definition, Offer};
use super::error::{Problem, ToolError};
use super::{Input, Read, Request, Write};
use crate::capability::ArgumentKind;
use crate::domain::Scopes;

/// How alike two names must be for a "did you mean", from 0 to 1.
const CLOSE: f64 = 0.8;
/// Longest unknown name that is quoted back, in characters.
const MAX_QUOTED_CHARS: usize = 64;

/// Where reading stopped, and why.
pub(super) struct ReadError {
    field: String,
    message: String,
}

impl From<serde_path_to_error::Error<serde_json::Error>> for ReadError {
    fn from(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        Self { field: error.path().to_string(), message: error.into_inner().to_string() }
    }
}

/// The action that the arguments name, where the tool has it.
pub(super) fn named_action<'a>(
    definition: &'a Definition,
    arguments: &Map<String, Value>,
) -> Option<&'a ActionDefinition> {
    definition.action_named(arguments.get("action")?.as_str()?)
}

/// Reads the arguments of a call.
///
/// # Errors
/// `invalid_input` with every problem.
pub(super) fn parse(
    definition: &Definition,
    mut arguments: Map<String, Value>,
    offer: Offer,
) -> Result<Request, ToolError> {
    let Some(action) = named_action(definition, &arguments) else {
        let mut problems = vec![wrong_action(definition, arguments.get("action"), offer)];
        problems.extend(
            arguments.keys().filter(|name| *name != "action").filter_map(|name| unknown(definition, name)),
        );
        return Err(ToolError::invalid_input(problems, false));
    };
    arguments.shift_remove("action");
    let mut problems = Vec::new();
    let given = sort(definition, action, arguments, &mut problems);
    match read(action, given, &mut problems) {
        Some(input) if problems.is_empty() => Ok(match input {
            Input::Write(input) => {
                Request::Write(Write { tool: definition.tool, action: action.name, input })
            }
            input => Request::Read(Read { action: action.name, input }),
        }),
        _ => Err(ToolError::invalid_input(problems, action.writes())),
    }
}

/// Keeps what the action takes and what has the right JSON type; the rest becomes problems.
fn sort(
    definition: &Definition,
    action: &ActionDefinition,
    arguments: Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Map<String, Value> {
    let mut given = Map::new();
    for (name, value) in arguments {
        // Strict clients send every argument that the schema has: null and "" mean absent.
        let absent = value.is_null() || value == "";
        match action.argument(&name) {
            None if absent && definition.owner_of(&name).is_some() => {}
            None => {
                problems
                    .push(unknown(definition, &name).unwrap_or_else(|| foreign(definition, action, name)));
            }
            Some(_) if absent => {}
            Some(argument) => match typed(argument, value) {
                Ok(value) => {
                    given.insert(name, value);
                }
                Err(problem) => {
                    problems.push(problem);
                    given.insert(name, argument.example.clone());
                }
            },
        }
    }
    for argument in action.arguments.iter().filter(|argument| argument.required) {
        if !given.contains_key(&argument.name) {
            problems.push(problem(argument, format!("is required for {}", action.name)));
            given.insert(argument.name.clone(), argument.example.clone());
        }
    }
    given
}

/// Reads values until none is wrong; each round finds one problem, so there are no more rounds than arguments.
fn read(
    action: &ActionDefinition,
    mut given: Map<String, Value>,
    problems: &mut Vec<Problem>,
) -> Option<Input> {
    for _ in 0..=action.arguments.len() {
        match (action.read)(&given) {
            Ok(input) => return Some(input),
            Err(error) => {
                let argument = action.argument(&error.field)?;
                problems.push(problem(argument, error.message));
                given.insert(argument.name.clone(), argument.example.clone());
            }
        }
    }
    None
}

/// The value in the JSON type of the argument. 2.0 is an integer in JSON Schema, and some clients send it so.
fn typed(argument: &Argument, value: Value) -> Result<Value, Problem> {
    match (argument.kind, &value) {
        (ArgumentKind::String, Value::String(_)) => Ok(value),
        (ArgumentKind::Integer, Value::Number(number)) if number.is_i64() => Ok(value),
        (ArgumentKind::Integer, Value::Number(number)) if number.is_u64() => {
            Err(problem(argument, "is too large".to_owned()))
        }
        (ArgumentKind::Integer, Value::Number(number)) => match number.as_f64() {
            #[expect(clippy::cast_possible_truncation, reason = "guarded: whole and within 2^53")]
            Some(float) if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 => {
                Ok(Value::from(float as i64))
            }
            _ => Err(problem(argument, "must be a whole number".to_owned())),
        },
        (ArgumentKind::String, other) => {
            Err(problem(argument, format!("must be a string, not {}", name_of(other))))
        }
        (ArgumentKind::Integer, other) => {
            Err(problem(argument, format!("must be an integer, not {}", name_of(other))))
        }
    }
}

pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn problem(argument: &Argument, message: String) -> Problem {
    Problem { field: argument.name.clone(), message, example: Some(argument.example.clone()) }
}

fn wrong_action(definition: &Definition, given: Option<&Value>, offer: Offer) -> Problem {
    let names = |offer: Offer| -> Vec<&str> {
        definition
            .actions
            .iter()
            .filter(|action| action.is_offered(offer))
            .map(|action| action.name)
            .collect()
    };
    // Who may do nothing here learns what there is, and hears of their rights when they name it.
    let all = Offer { scopes: Scopes::ALL, ..offer };
    let offered = Some(names(offer)).filter(|names| !names.is_empty()).unwrap_or_else(|| names(all));
    let one_of = format!("must be one of {}", offered.join(", "));
    let message = match given {
        Some(Value::String(text)) if !text.is_empty() => match closest(text, offered.iter().copied()) {
            Some(near) => format!("{one_of}; did you mean {near}?"),
            None => one_of,
        },
        None | Some(Value::Null | Value::String(_)) => format!("is required: {one_of}"),
        Some(other) => format!("{one_of}, not {}", name_of(other)),
    };
    Problem { field: "action".to_owned(), message, example: offered.first().map(|name| Value::from(*name)) }
}

/// A problem for a name that no action of the tool takes.
fn unknown(definition: &Definition, name: &str) -> Option<Problem> {
    if definition.owner_of(name).is_some() {
        return None;
    }
    let known =
        definition.actions.iter().flat_map(|action| &action.arguments).map(|argument| argument.name.as_str());
    let message = match closest(name, known.chain(["action"])) {
        Some(near) => format!("is not an argument of {}; did you mean {near}?", definition.tool),
        None => format!("is not an argument of {}", definition.tool),
    };
    Some(Problem { field: shown(name), message, example: None })
}

/// An unknown name as it may be quoted back.
pub(super) fn shown(name: &str) -> String {
    let printable = |c| if crate::domain::is_printable(c) { c } else { '\u{FFFD}' };
    name.chars().take(MAX_QUOTED_CHARS).map(printable).collect()
}

/// A problem for an argument of another action.
fn foreign(definition: &Definition, action: &ActionDefinition, name: String) -> Problem {
    let owners: Vec<&str> = definition
        .actions
        .iter()
        .filter(|other| other.argument(&name).is_some())
        .map(|other| other.name)
        .collect();
    let message = format!("belongs to {}, not to {}: leave it out", owners.join(" and "), action.name);
    Problem { field: name, message, example: None }
}

pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: String = name.chars().take(MAX_QUOTED_CHARS).collect();
    known
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
        .filter(|(likeness, _)| *likeness >= CLOSE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

//! The prompts: how values are checked and go into their texts.
//!
//! The words come from the capability files, the rules of the values from the domain types. A value comes from
//! outside, so it stands in its text on one line and in quotes, where nothing in it passes for an instruction.

mod definitions;

use serde_json::{Map, Value, json};

use super::arguments::{closest, name_of, shown};
use super::error::{Problem, ToolError};
use crate::capability::{Capabilities, PromptPart, PromptRole, PromptWords};
use crate::domain::{Scope, Scopes};
pub(super) use definitions::needs;
use definitions::{Definition, Taken, all};

/// How an argument that was not given reads. No value can: values stand in quotes.
const NOT_GIVEN: &str = "(not given)";

/// The prompts of one server.
#[derive(Debug)]
pub struct Prompts {
    offered: Vec<Prompt>,
    /// Those that need a write, where there are none.
    withheld: Vec<&'static str>,
}

/// One prompt, as it is offered.
#[derive(Debug)]
pub struct Prompt {
    /// What it is asked for by.
    pub name: &'static str,
    /// What a person reads.
    pub title: String,
    /// When to use it.
    pub description: String,
    /// What it takes.
    pub arguments: Vec<PromptArgument>,
    scopes: &'static [Scope],
    words: PromptWords,
}

/// One argument of a prompt. Its value is a text.
#[derive(Debug)]
pub struct PromptArgument {
    /// Its name.
    pub name: &'static str,
    /// What a person reads.
    pub title: Option<String>,
    /// What it is, and an example.
    pub description: String,
    /// Whether the prompt cannot do without it.
    pub required: bool,
    taken: Taken,
}

/// One message of a prompt with its values. They may be personal data.
#[derive(Clone, PartialEq)]
pub struct Said {
    /// Who says it.
    pub role: PromptRole,
    /// Its text.
    pub text: String,
}

impl Prompts {
    /// Puts the rules and the words together. Where nothing may be written, prompts that need it are withheld.
    #[must_use]
    pub fn new(capabilities: &Capabilities, read_only: bool) -> Self {
        let (mut offered, mut withheld) = (Vec::new(), Vec::new());
        for definition in all() {
            if read_only && definition.writes {
                withheld.push(definition.prompt);
            } else if let Some(words) = capabilities.prompt(definition.prompt) {
                offered.push(Prompt::new(&definition, words));
            }
        }
        Self { offered, withheld }
    }

    /// Those whose steps somebody with these rights can take.
    pub fn list(&self, scopes: Scopes) -> impl Iterator<Item = &Prompt> {
        self.offered.iter().filter(move |prompt| scopes.lacking(prompt.scopes.iter().copied()).is_empty())
    }

    /// The prompt of this name, for somebody with these rights.
    ///
    /// # Errors
    /// Why there is none, and which there are.
    pub fn get(&self, name: &str, scopes: Scopes) -> Result<&Prompt, String> {
        let prompt = self.offered.iter().find(|prompt| prompt.name == name);
        let lacking = prompt.map(|prompt| scopes.lacking(prompt.scopes.iter().copied())).unwrap_or_default();
        if let (Some(prompt), true) = (prompt, lacking.is_empty()) {
            return Ok(prompt);
        }
        let names: Vec<&str> = self.list(scopes).map(|prompt| prompt.name).collect();
        let why = match self.withheld.iter().find(|withheld| **withheld == name) {
            Some(withheld) => format!("this server is read-only, and {withheld} needs to write"),
            None if prompt.is_some() => {
                format!(
                    "the steps of {name} take the scope {lacking}, which this client lacks: ask the operator for it"
                )
            }
            None => "there is no such prompt".to_owned(),
        };
        let known = match names.as_slice() {
            [] => "there are no others".to_owned(),
            names => format!("the prompts are {}", names.join(", ")),
        };
        Err(format!("{why}; {known}"))
    }
}

impl Prompt {
    fn new(definition: &Definition, words: &PromptWords) -> Self {
        let argument = |taken: &Taken| {
            let words = words.arguments.iter().find(|words| words.name == taken.name)?;
            Some(PromptArgument {
                name: taken.name,
                title: words.title.clone(),
                description: words.description.clone(),
                required: taken.required,
                taken: *taken,
            })
        };
        Self {
            name: definition.prompt,
            title: words.title.clone(),
            description: words.description.clone(),
            arguments: definition.arguments.iter().filter_map(argument).collect(),
            scopes: definition.scopes,
            words: words.clone(),
        }
    }

    /// The messages with these values in them. null and "" mean that an argument was not given.
    ///
    /// # Errors
    /// `invalid_input` with every problem at once.
    pub fn render(&self, given: &Map<String, Value>) -> Result<Vec<Said>, ToolError> {
        let mut problems: Vec<Problem> = given.keys().filter_map(|name| self.unknown(name)).collect();
        let mut values = Vec::new();
        for argument in &self.arguments {
            match argument.value(given.get(argument.name)) {
                Ok(value) => values.push((argument.name, value)),
                Err(message) => problems.push(Problem {
                    field: argument.name.to_owned(),
                    message,
                    example: Some(json!(argument.taken.example)),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(ToolError::invalid_input(problems, false));
        }
        let text = |part: &PromptPart| match part {
            PromptPart::Text(text) => text.clone(),
            PromptPart::Argument(name) => {
                let value = values.iter().find(|(known, _)| known == name);
                value.map_or_else(|| NOT_GIVEN.to_owned(), |(_, value)| value.clone())
            }
        };
        let said = self.words.messages.iter();
        Ok(said.map(|said| Said { role: said.role, text: said.parts.iter().map(text).collect() }).collect())
    }

    /// What it says, with the same words in place of every value.
    pub(in crate::tools) fn procedure(&self, in_place: &str) -> String {
        let part = |part: &PromptPart| match part {
            PromptPart::Text(text) => text.clone(),
            PromptPart::Argument(_) => in_place.to_owned(),
        };
        let texts: Vec<String> =
            self.words.messages.iter().map(|said| said.parts.iter().map(part).collect()).collect();
        texts.join("\n\n")
    }

    fn unknown(&self, name: &str) -> Option<Problem> {
        let mut known = self.arguments.iter().map(|argument| argument.name);
        if known.clone().any(|known| known == name) {
            return None;
        }
        let message = match closest(name, &mut known) {
            Some(near) => format!("is not an argument of {}; did you mean {near}?", self.name),
            None => format!("is not an argument of {}", self.name),
        };
        Some(Problem { field: shown(name), message, example: None })
    }
}

impl PromptArgument {
    /// How the value stands in a text, or what is wrong with it.
    fn value(&self, given: Option<&Value>) -> Result<String, String> {
        match given {
            None | Some(Value::Null) => self.absent(),
            Some(Value::String(text)) if text.is_empty() => self.absent(),
            Some(Value::String(text)) => (self.taken.quote)(text).map_err(|invalid| invalid.to_string()),
            Some(other) => Err(format!("must be a string, not {}", name_of(other))),
        }
    }

    fn absent(&self) -> Result<String, String> {
        if self.required { Err("is required".to_owned()) } else { Ok(NOT_GIVEN.to_owned()) }
    }
}

// What a person typed never reaches a log by way of Debug.
impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Said").field("role", &self.role).finish_non_exhaustive()
    }
}

//! The words that an agent reads about a tool, and their bounds.

use crate::domain::is_printable;

use super::reader::{Placed, Report};

/// What an agent reads about one tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolWords {
    /// The name on the wire, such as `manage_customers`.
    pub tool: &'static str,
    /// The title (`info.display`).
    pub title: String,
    /// One or two sentences for the server's instructions (`info.description`).
    pub summary: String,
    /// The tool's description (that of its mcp adapter).
    pub description: String,
    /// Its actions, in the order of the file.
    pub actions: Vec<ActionWords>,
    /// The arguments of all its actions, each once, in the order of the file.
    pub arguments: Vec<ArgumentWords>,
    /// The prompts of its file, in the order of the file.
    pub prompts: Vec<PromptWords>,
    /// The skills of its file, in the order of the file.
    pub skills: Vec<SkillWords>,
}

/// What an agent reads about one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionWords {
    /// The value of the argument `action`.
    pub action: String,
    /// The title (`display`).
    pub title: String,
    /// What it does, in a clause that can follow `list: `.
    pub description: String,
}

/// What an agent reads about one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentWords {
    /// The name on the wire.
    pub name: String,
    /// Which actions use it, what it is, and an example.
    pub description: String,
}

/// What an agent and a person read about one prompt, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptWords {
    /// The name on the wire, such as `kyc_check`.
    pub prompt: &'static str,
    /// The title (`display`).
    pub title: String,
    /// When to use it.
    pub description: String,
    /// Its arguments, in the order of the file.
    pub arguments: Vec<PromptArgumentWords>,
    /// What it says.
    pub messages: Vec<PromptMessage>,
}

/// The words about one argument of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptArgumentWords {
    /// The name.
    pub name: String,
    /// The title (`display`), where the file gives one.
    pub title: Option<String>,
    /// What it is, and an example.
    pub description: String,
}

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptMessage {
    /// Who says it.
    pub role: PromptRole,
    /// Its text, taken apart where values go in.
    pub parts: Vec<PromptPart>,
}

/// What an agent and a person read about one skill before they open it: the front matter of its `SKILL.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillWords {
    /// Its name, such as `kyc-check`.
    pub skill: &'static str,
    /// What it does and when to use it.
    pub description: String,
    /// Under which licence it may be passed on, where the file says so.
    pub license: Option<String>,
    /// What it needs, where the file says so.
    pub compatibility: Option<String>,
    /// Further fields, in the order of the file.
    pub metadata: Vec<(String, String)>,
}

/// Who says a message of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptRole {
    /// The person.
    User,
    /// The agent.
    Assistant,
}

/// A piece of a prompt's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromptPart {
    /// Words of the file.
    Text(String),
    /// The value of the argument of this name.
    Argument(String),
}

impl ToolWords {
    /// The words about an action of this tool.
    #[must_use]
    pub fn action(&self, action: &str) -> Option<&ActionWords> {
        self.actions.iter().find(|words| words.action == action)
    }

    /// The description of an argument of this tool.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|words| words.name == name).map(|words| words.description.as_str())
    }

    /// The description of the property `action` where only these actions are offered: `list: ...; get: ...`.
    #[must_use]
    pub fn describe_actions(&self, offered: &[&str]) -> String {
        let clauses: Vec<_> = self
            .actions
            .iter()
            .filter(|words| offered.contains(&words.action.as_str()))
            .map(|words| format!("{}: {}", words.action, words.description))
            .collect();
        clauses.join("; ")
    }
}

/// How long a text of one sort may be, in characters.
#[derive(Clone, Copy)]
pub(super) struct Bound(usize);

impl Bound {
    pub(super) const TITLE: Self = Self(60);
    /// The summaries of all tools make up the server's instructions.
    pub(super) const SUMMARY: Self = Self(400);
    /// `OpenAI` refuses a longer one.
    pub(super) const TOOL: Self = Self(1024);
    /// Four of them, joined with their names, stay below the bound of a tool.
    pub(super) const ACTION: Self = Self(240);
    pub(super) const ARGUMENT: Self = Self(240);
    /// These two are of the Agent Skills format.
    pub(super) const SKILL: Self = Self(1024);
    pub(super) const COMPATIBILITY: Self = Self(500);
    pub(super) const METADATA: Self = Self(240);
    /// One message of a prompt: the longest of ours has about 3,000.
    pub(super) const PROMPT: Self = Self(6000);
}

/// A text as an agent may read it, without the white space at its ends. One that is absent was refused
/// before, and comes out empty.
pub(super) fn checked(text: Option<&Placed<String>>, bound: Bound, report: &mut Report) -> String {
    let checked = checked_lines(text, bound, report);
    if let Some(Placed { spot, .. }) = text
        && checked.contains('\n')
    {
        report.refuse(spot, "holds a line break: fold the text with `>-`");
    }
    checked
}

/// The same, for a text that a file may do without.
pub(super) fn checked_optional(
    text: Option<&Placed<String>>,
    bound: Bound,
    report: &mut Report,
) -> Option<String> {
    text.map(|text| checked(Some(text), bound, report))
}

/// The same, for a text that may have several lines.
pub(super) fn checked_lines(text: Option<&Placed<String>>, bound: Bound, report: &mut Report) -> String {
    let Some(Placed { value, spot }) = text else { return String::new() };
    let text = value.trim();
    let length = text.chars().count();
    if text.is_empty() {
        report.refuse(spot, "must not be blank");
    }
    if length > bound.0 {
        report.refuse(spot, format!("has {length} characters: at most {} are allowed", bound.0));
    }
    if let Some(c) = text.chars().find(|c| *c != '\n' && !is_printable(*c)) {
        report.refuse(spot, format!("holds the invisible character U+{:04X}", u32::from(c)));
    }
    text.to_owned()
}

//! What the code knows of each tool: its actions, their operations, and the Rust type of their arguments.
//!
//! The three tables of the tool files come together here. The capability files are checked against them, the
//! input schemas are made from them, and arguments are read by them, so that the three cannot drift apart.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::arguments::ReadError;
use super::{Input, bank_accounts, customers, prompts, schema, skill, verifications};
use crate::capability::{ActionNeeds, ArgumentKind, ArgumentNeeds, Operation, ToolNeeds};
use crate::domain::{Scope, Scopes};

/// One argument of an action, as its Rust type describes it.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    pub(super) name: String,
    pub(super) kind: ArgumentKind,
    pub(super) required: bool,
    /// A value that parses, for error messages.
    pub(super) example: Value,
}

type Read = Box<dyn Fn(&Map<String, Value>) -> Result<Input, ReadError> + Send + Sync>;

/// One action of a tool.
pub(super) struct ActionDefinition {
    pub(super) name: &'static str,
    pub(super) operations: Vec<Operation>,
    pub(super) arguments: Vec<Argument>,
    /// Reads arguments whose names and JSON types are right.
    pub(super) read: Read,
}

impl ActionDefinition {
    /// Whether the action changes anything upstream.
    pub(super) fn writes(&self) -> bool {
        self.operations.iter().any(|operation| operation.writes())
    }

    /// The rights that it takes: those of each operation that it calls.
    pub(super) fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.operations.iter().map(|operation| operation.scope())
    }

    /// Whether it is there for whoever has these rights.
    pub(super) fn is_offered(&self, to: Offer) -> bool {
        !(to.read_only && self.writes()) && to.scopes.lacking(self.scopes()).is_empty()
    }

    pub(super) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

impl std::fmt::Debug for ActionDefinition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActionDefinition").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What decides which actions are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// Whether nothing may be written.
    pub(super) read_only: bool,
    /// What the principal may do.
    pub(super) scopes: Scopes,
}

/// One tool.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) tool: &'static str,
    pub(super) actions: Vec<ActionDefinition>,
    pub(super) output_schema: Map<String, Value>,
}

impl Definition {
    /// A tool whose results have the shape of `Output`.
    pub(super) fn new<Output: JsonSchema>(tool: &'static str) -> Self {
        Self { tool, actions: Vec::new(), output_schema: schema::output::<Output>() }
    }

    /// Adds an action whose arguments are `Arguments`.
    pub(super) fn action<Arguments: DeserializeOwned + JsonSchema + 'static>(
        self,
        name: &'static str,
        operation: Operation,
        input: fn(Arguments) -> Input,
    ) -> Self {
        self.action_of_several(name, &[operation], input)
    }

    /// Adds an action that calls several operations.
    pub(super) fn action_of_several<Arguments: DeserializeOwned + JsonSchema + 'static>(
        mut self,
        name: &'static str,
        operations: &[Operation],
        input: fn(Arguments) -> Input,
    ) -> Self {
        let read: Read = Box::new(move |arguments| {
            serde_path_to_error::deserialize(arguments).map(input).map_err(ReadError::from)
        });
        let arguments = schema::arguments::<Arguments>();
        self.actions.push(ActionDefinition { name, operations: operations.to_vec(), arguments, read });
        self
    }

    pub(super) fn action_named(&self, name: &str) -> Option<&ActionDefinition> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// The first action that takes an argument of this name.
    pub(super) fn owner_of(&self, argument: &str) -> Option<&ActionDefinition> {
        self.actions.iter().find(|action| action.argument(argument).is_some())
    }
}

/// The three tools, in the order in which they are listed.
pub(super) fn all() -> Vec<Definition> {
    vec![bank_accounts::definition(), customers::definition(), verifications::definition()]
}

/// What the tools need of the capability files.
#[must_use]
pub fn needs() -> Vec<ToolNeeds> {
    let argument = |argument: &Argument| ArgumentNeeds {
        name: argument.name.clone(),
        kind: argument.kind,
        required: argument.required,
    };
    let action = |action: &ActionDefinition| ActionNeeds {
        action: action.name,
        operations: action.operations.clone(),
        arguments: action.arguments.iter().map(argument).collect(),
    };
    all()
        .iter()
        .map(|tool| ToolNeeds {
            tool: tool.tool,
            actions: tool.actions.iter().map(action).collect(),
            prompts: prompts::needs(tool.tool),
            skills: skill::needs(tool.tool),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_docs_show_every_tool_action_and_argument() {
        let page = include_str!("../../docs/tools.md");
        for tool in all() {
            for (place, action) in tool.actions.iter().enumerate() {
                let name = if place == 0 { format!("`{}`", tool.tool) } else { String::new() };
                let operations: Vec<String> =
                    action.operations.iter().map(|operation| format!("`{}`", operation.id())).collect();
                let star = |argument: &Argument| if argument.required { "*" } else { "" };
                let arguments: Vec<String> = action
                    .arguments
                    .iter()
                    .map(|argument| format!("`{}`{}", argument.name, star(argument)))
                    .collect();
                let row = format!(
                    "| {name} | `{}` | {} | {} |",
                    action.name,
                    operations.join(", "),
                    arguments.join(", ")
                );
                let row = row.replace("|  |", "| |");
                assert!(page.contains(&row), "the table of tools in docs/tools.md lacks:\n{row}");
            }
        }
    }
}

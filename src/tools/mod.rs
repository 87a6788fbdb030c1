//! The three tools that an agent calls: their schemas, their arguments, what each action does; and the prompts.
//!
//! A call goes through in two steps, so that limits and approvals can stand between them: [`Tools::parse`]
//! turns arguments into a [`Request`] that cannot be wrong, [`Tools::run`] carries it out. Knows no protocol.

mod arguments;
mod bank_accounts;
mod catalogue;
mod customers;
mod definition;
mod duplicates;
mod error;
mod output;
mod prompts;
mod schema;
mod verifications;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use catalogue::Tool;
pub use definition::needs;
pub use error::{ErrorKind, Outcome, Problem, ToolError};
pub use output::{Fields, envelope, error_envelope, record_id};
pub use prompts::{Prompt, PromptArgument, Prompts, Said};

use crate::capability::Capabilities;
pub use crate::capability::{CapabilityFile, PromptRole};
use crate::domain::Environment;
use crate::fintecture::{CallContext, Fintecture};
use definition::{ActionDefinition, Definition};

/// A call whose arguments are checked.
#[derive(Debug)]
pub struct Request {
    /// The action that it names.
    pub action: &'static str,
    /// Whether it changes anything upstream.
    pub writes: bool,
    input: Input,
}

impl Request {
    /// The arguments of a write in one spelling, whatever way they were written in; nothing for a read.
    #[must_use]
    pub fn canonical_write(&self) -> Option<String> {
        match &self.input {
            Input::Customers(customers::Action::Create(create)) => serde_json::to_string(create).ok(),
            Input::BankAccounts(bank_accounts::Action::Create(create)) => serde_json::to_string(create).ok(),
            Input::Verifications(verifications::Action::Start(start)) => serde_json::to_string(start).ok(),
            _ => None,
        }
    }
}

/// The arguments of one action of one tool.
#[derive(Debug)]
enum Input {
    Customers(customers::Action),
    BankAccounts(bank_accounts::Action),
    Verifications(verifications::Action),
}

/// The tools as an agent sees them, without a server to call them on.
#[must_use]
pub fn catalogue(capabilities: &Capabilities, read_only: bool) -> Vec<Tool> {
    catalogue::build(&definition::all(), capabilities, read_only)
}

/// The tools of one server.
#[derive(Debug)]
pub struct Tools {
    fintecture: Arc<Fintecture>,
    definitions: Vec<Definition>,
    catalogue: Vec<Tool>,
    prompts: Prompts,
    files: Vec<CapabilityFile>,
    environment: Environment,
    read_only: bool,
    underway: duplicates::Underway,
}

impl Tools {
    /// Puts shapes (Rust types) and words (capability files) together.
    #[must_use]
    pub fn new(
        capabilities: &Capabilities,
        fintecture: Arc<Fintecture>,
        environment: Environment,
        read_only: bool,
    ) -> Self {
        let definitions = definition::all();
        let catalogue = catalogue::build(&definitions, capabilities, read_only);
        let underway = duplicates::Underway::default();
        let prompts = Prompts::new(capabilities, read_only);
        let files = capabilities.files().to_vec();
        Self { fintecture, definitions, catalogue, prompts, files, environment, read_only, underway }
    }

    /// The tools as an agent sees them.
    #[must_use]
    pub fn list(&self) -> &[Tool] {
        &self.catalogue
    }

    /// The prompts that go with the tools.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// The capability files that the words come from.
    #[must_use]
    pub fn capability_files(&self) -> &[CapabilityFile] {
        &self.files
    }

    /// Which upstream the tools talk to.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// Whether there is a tool of this name.
    #[must_use]
    pub fn has(&self, tool: &str) -> bool {
        self.definition(tool).is_some()
    }

    /// The action that the arguments name, where the tool has it.
    #[must_use]
    pub fn named_action(&self, tool: &str, arguments: &Map<String, Value>) -> Option<&'static str> {
        arguments::named_action(self.definition(tool)?, arguments).map(|action| action.name)
    }

    /// Whether the arguments name an action that writes.
    #[must_use]
    pub fn is_write(&self, tool: &str, arguments: &Map<String, Value>) -> bool {
        let action =
            self.definition(tool).and_then(|definition| arguments::named_action(definition, arguments));
        action.is_some_and(ActionDefinition::writes)
    }

    /// Checks the arguments of a call: the action, every name, every value.
    ///
    /// # Errors
    /// `read_only` for a write on a read-only server, before anything else is looked at; `invalid_input` with
    /// every problem at once.
    pub fn parse(&self, tool: &str, arguments: Map<String, Value>) -> Result<Request, ToolError> {
        let definition = self.definition(tool).ok_or_else(|| ToolError::internal("no such tool"))?;
        if self.read_only && self.is_write(tool, &arguments) {
            return Err(ToolError::read_only());
        }
        arguments::parse(definition, arguments, self.read_only)
    }

    /// Carries out a call.
    ///
    /// # Errors
    /// What went wrong upstream, in the contract's kinds.
    pub async fn run(&self, request: Request, context: &CallContext) -> Result<Fields, ToolError> {
        let upstream = self.fintecture.on_behalf_of(context);
        match request.input {
            Input::Customers(action) => action.run(upstream, &self.underway).await,
            Input::BankAccounts(action) => action.run(upstream).await,
            Input::Verifications(action) => action.run(upstream).await,
        }
    }

    fn definition(&self, tool: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.tool == tool)
    }
}

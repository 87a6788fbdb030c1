//! The three tools that an agent calls: their schemas, their arguments, what each action does.
//!
//! A call goes through in two steps, so that limits and approvals can stand between them: [`Tools::parse`]
//! turns arguments into a [`Request`] that cannot be wrong, [`Tools::run`] carries it out. Knows no protocol.

mod arguments;
mod bank_accounts;
mod catalogue;
mod customers;
mod definition;
mod error;
mod output;
mod schema;
mod verifications;

use serde_json::{Map, Value};

pub use catalogue::Tool;
pub use definition::needs;
pub use error::{ErrorKind, Outcome, Problem, ToolError};
pub use output::{Fields, envelope, error_envelope};

use crate::capability::Capabilities;
use crate::domain::Environment;
use crate::fintecture::Fintecture;
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
    upstream: Fintecture,
    definitions: Vec<Definition>,
    catalogue: Vec<Tool>,
    environment: Environment,
    read_only: bool,
}

impl Tools {
    /// Puts shapes (Rust types) and words (capability files) together.
    #[must_use]
    pub fn new(
        capabilities: &Capabilities,
        upstream: Fintecture,
        environment: Environment,
        read_only: bool,
    ) -> Self {
        let definitions = definition::all();
        let catalogue = catalogue::build(&definitions, capabilities, read_only);
        Self { upstream, definitions, catalogue, environment, read_only }
    }

    /// The tools as an agent sees them.
    #[must_use]
    pub fn list(&self) -> &[Tool] {
        &self.catalogue
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

    /// Checks the arguments of a call: the action, every name, every value.
    ///
    /// # Errors
    /// `read_only` for a write on a read-only server, before anything else is looked at; `invalid_input` with
    /// every problem at once.
    pub fn parse(&self, tool: &str, arguments: Map<String, Value>) -> Result<Request, ToolError> {
        let definition = self.definition(tool).ok_or_else(|| ToolError::internal("no such tool"))?;
        let action = arguments::named_action(definition, &arguments);
        if self.read_only && action.is_some_and(ActionDefinition::writes) {
            return Err(ToolError::read_only());
        }
        arguments::parse(definition, arguments, self.read_only)
    }

    /// Carries out a call.
    ///
    /// # Errors
    /// What went wrong upstream, in the contract's kinds.
    pub async fn run(&self, request: Request) -> Result<Fields, ToolError> {
        match request.input {
            Input::Customers(action) => action.run(&self.upstream).await,
            Input::BankAccounts(action) => action.run(&self.upstream).await,
            Input::Verifications(action) => action.run(&self.upstream).await,
        }
    }

    fn definition(&self, tool: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.tool == tool)
    }
}

//! The three tools that an agent calls: their schemas, their arguments, what each action does; the prompts and the skill.
//!
//! A call goes through in steps, so that limits and approvals can stand between them: [`Tools::parse`] turns arguments
//! into a [`Request`] that cannot be wrong; [`Tools::read`] carries out a read; a write is looked into
//! ([`Tools::prepare`]), put in plain words for a person where one is asked ([`Tools::question`]), and sent
//! ([`Tools::send`]). Knows no protocol.

mod about;
mod arguments;
mod bank_accounts;
mod catalogue;
mod consent;
mod customers;
mod definition;
pub mod dossier;
mod duplicates;
mod error;
mod output;
mod prompts;
mod question;
mod refused;
mod schema;
mod sight;
mod skill;
mod verifications;
mod write;

use std::sync::Arc;

use serde_json::{Map, Value};

pub use about::about;
pub use catalogue::{Example, Tool};
pub use definition::needs;
pub use error::{ApprovalPage, ErrorKind, Outcome, Problem, ToolError};
pub use output::{Fields, envelope, error_envelope, record_id};
pub use prompts::{Prompt, PromptArgument, Prompts, Said};
pub use question::{Fact, Question};
pub use sight::{Sight, VerificationPath, Wait, unseen};
pub use skill::{Skill, SkillFile};
pub use write::{Ready, Write};

use crate::capability::{Capabilities, SkillWords, ToolWords};
pub use crate::capability::{CapabilityFile, PromptRole};
use crate::domain::{Environment, Scopes};
use crate::fintecture::{CallContext, Fintecture, Upstream};
use definition::{ActionDefinition, Definition, Offer};

/// A call whose arguments are checked.
#[derive(Debug)]
pub enum Request {
    /// It changes nothing upstream.
    Read(Read),
    /// It does.
    Write(Write),
}

/// A read whose arguments are checked.
#[derive(Debug)]
pub struct Read {
    /// The action that it is.
    pub action: &'static str,
    input: Input,
}

impl Read {
    /// Whether it waits for a verdict.
    #[must_use]
    pub fn wait(&self) -> Option<Wait> {
        match &self.input {
            Input::Verifications(action) => action.wait(),
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
    Write(write::Input),
}

/// The tools as an agent with every right sees them, without a server to call them on.
#[must_use]
pub fn catalogue(capabilities: &Capabilities, read_only: bool) -> Vec<Tool> {
    catalogue::build(&with_words(capabilities), Offer { read_only, scopes: Scopes::ALL })
}

/// The skill as an agent with every right reads it, without a server.
///
/// # Errors
/// Why there is none.
pub fn skill(capabilities: &Capabilities) -> Result<Skill, String> {
    let prompts = Prompts::new(capabilities, false);
    let words = skill::words(capabilities);
    let source = skill::Source { definitions: &with_words(capabilities), prompts: &prompts, words };
    source.write(Offer { read_only: false, scopes: Scopes::ALL })
}

/// The tools with their words: the capability files were checked against each.
fn with_words(capabilities: &Capabilities) -> Vec<(Definition, ToolWords)> {
    let words = |definition: &Definition| capabilities.tool(definition.tool).cloned();
    definition::all().into_iter().filter_map(|tool| words(&tool).map(|words| (tool, words))).collect()
}

/// The tools of one server.
#[derive(Debug)]
pub struct Tools {
    fintecture: Arc<Fintecture>,
    definitions: Vec<(Definition, ToolWords)>,
    prompts: Prompts,
    skill: Option<SkillWords>,
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
        let definitions = with_words(capabilities);
        let underway = duplicates::Underway::default();
        let prompts = Prompts::new(capabilities, read_only);
        let skill = skill::words(capabilities).cloned();
        let files = capabilities.files().to_vec();
        Self { fintecture, definitions, prompts, skill, files, environment, read_only, underway }
    }

    /// The tools as an agent with these rights sees them. Puts them together anew each time.
    #[must_use]
    pub fn list(&self, scopes: Scopes) -> Vec<Tool> {
        catalogue::build(&self.definitions, Offer { read_only: self.read_only, scopes })
    }

    /// The prompts that go with the tools.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// The skill as an agent with these rights reads it. Written anew each time.
    ///
    /// # Errors
    /// Why there is none for them: it goes with its prompt.
    pub fn skill(&self, scopes: Scopes) -> Result<Skill, String> {
        let words = self.skill.as_ref();
        let source = skill::Source { definitions: &self.definitions, prompts: &self.prompts, words };
        source.write(Offer { read_only: self.read_only, scopes })
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

    /// The tool of this name, in this program's own words.
    #[must_use]
    pub fn named(&self, tool: &str) -> Option<&'static str> {
        self.definition(tool).map(|definition| definition.tool)
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

    /// Whether the arguments ask to be kept waiting for a verdict.
    #[must_use]
    pub fn is_wait(arguments: &Map<String, Value>) -> bool {
        arguments.contains_key("wait_seconds")
    }

    /// Checks a call: the action, every name, every value; then whether the caller has the rights for it.
    ///
    /// # Errors
    /// `read_only` for a write on a read-only server, before anything else is looked at; `invalid_input` with
    /// every problem at once; `insufficient_scope` with every right that is lacking.
    pub fn parse(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
        scopes: Scopes,
    ) -> Result<Request, ToolError> {
        let definition = self.definition(tool).ok_or_else(|| ToolError::internal("no such tool"))?;
        if self.read_only && self.is_write(tool, &arguments) {
            return Err(ToolError::read_only());
        }
        let action = arguments::named_action(definition, &arguments);
        let lacking = action.map(|action| scopes.lacking(action.scopes())).unwrap_or_default();
        let request = arguments::parse(definition, arguments, Offer { read_only: self.read_only, scopes })?;
        if !lacking.is_empty() {
            return Err(ToolError::insufficient_scope(lacking, matches!(request, Request::Write(_))));
        }
        Ok(request)
    }

    /// Carries out a read.
    ///
    /// # Errors
    /// What went wrong upstream, in the contract's kinds.
    pub async fn read(&self, read: Read, context: &CallContext) -> Result<Fields, ToolError> {
        let upstream = self.upstream(context);
        match read.input {
            Input::Customers(action) => action.run(upstream).await,
            Input::BankAccounts(action) => action.run(upstream).await,
            Input::Verifications(action) => action.run(upstream, self.environment).await,
            Input::Write(_) => Err(ToolError::internal("a write is no read")),
        }
    }

    /// Looks at a verification, as its action `get` does.
    ///
    /// # Errors
    /// What went wrong upstream, in the contract's kinds.
    pub async fn look(&self, at: &VerificationPath, context: &CallContext) -> Result<Sight, ToolError> {
        sight::look(at, self.upstream(context)).await
    }

    fn upstream<'a>(&'a self, context: &'a CallContext) -> Upstream<'a> {
        self.fintecture.on_behalf_of(context)
    }

    fn definition(&self, tool: &str) -> Option<&Definition> {
        self.definitions.iter().map(|(definition, _)| definition).find(|definition| definition.tool == tool)
    }
}

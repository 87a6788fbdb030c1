//! The capability files: read, check, look up an operation's route or a tool's words.
//!
//! The files state the method and path of every operation and the words that an agent reads. What the code
//! needs of them comes in as [`ToolNeeds`]; both are checked against each other by [`Capabilities::load`],
//! and after that nothing here can fail. A file's `baseUri`, `authentication` and `binds` are informative:
//! they are never used, so that no file can send credentials to another host.
//!
//! [`Source`] finds the files, `yaml` and `reader` take them apart, `format` turns them into a `document`,
//! `imports` joins the files; `check`, `arguments`, `prompts` and `skills` hold each against the needs, and `names`
//! what a text names. Knows nothing of HTTP
//! clients, MCP or configuration.

mod arguments;
mod check;
mod document;
mod format;
mod imports;
mod names;
mod needs;
mod operation;
mod prompts;
mod reader;
mod refusal;
mod route;
mod skills;
mod source;
mod words;
mod yaml;

#[cfg(test)]
mod tests;

pub use needs::{ActionNeeds, ArgumentKind, ArgumentNeeds, PromptNeeds, ToolNeeds};
pub use operation::Operation;
pub use refusal::{Refusal, Refused};
pub use route::Route;
pub use source::{CapabilityFile, Source};
pub use words::{
    ActionWords, ArgumentWords, PromptArgumentWords, PromptMessage, PromptPart, PromptRole, PromptWords,
    SkillWords, ToolWords,
};

use std::collections::BTreeMap;

use reader::{At, Report};

/// The capability files, read and found to fit the code.
#[derive(Debug, Clone)]
pub struct Capabilities {
    tools: Vec<ToolWords>,
    /// As they were read, in the order of the tools.
    files: Vec<CapabilityFile>,
    /// In the order of [`Operation::ALL`].
    routes: [Route; Operation::ALL.len()],
}

impl Capabilities {
    /// Reads one file for each tool (`manage_customers` is in `manage-customers.yml`) and checks it.
    ///
    /// # Errors
    /// Every problem of all files at once.
    pub fn load(source: &Source, needs: &[ToolNeeds]) -> Result<Self, Refused> {
        let names: Vec<_> = needs.iter().map(|tool| check::in_files(tool.tool) + ".yml").collect();
        let mut refusals = Vec::new();
        let found = source.read(&names, &mut refusals);
        let kept = source::files(&names, needs, &found);
        let mut files: Vec<_> = found.into_iter().map(|found| found.map(read)).collect();
        let documents: Vec<_> = files.iter_mut().map(|file| file.as_mut()?.0.take()).collect();
        // All are read before one is checked, since an action may call what another file states.
        let files_by_name: Vec<_> = names
            .iter()
            .zip(&documents)
            .map(|(name, document)| imports::Named { name, document: document.as_ref() })
            .collect();
        let mut tools = Vec::new();
        let mut routes = Routes::default();
        for ((file, document), need) in files.into_iter().zip(&documents).zip(needs) {
            let Some((_, mut report)) = file else { continue };
            if let Some(document) = document {
                let callable = imports::callable(document, &files_by_name, &mut report);
                let (words, stated) = check::check(document, &callable, need, needs, &mut report);
                tools.push(words);
                routes.add(stated, &mut report);
            }
            // Problems were found section by section; a person fixes them from top to bottom.
            report.refusals.sort_by_key(|refusal| refusal.line);
            refusals.append(&mut report.refusals);
        }
        if !refusals.is_empty() {
            return Err(Refused(refusals));
        }
        Ok(Self { tools, files: kept, routes: routes.complete()? })
    }

    /// Method and path of an operation.
    #[must_use]
    pub fn route(&self, operation: Operation) -> &Route {
        let [list_customers, create_customer, customer, rest @ ..] = &self.routes;
        let [list_accounts, create_account, account, rest @ ..] = rest;
        let [start_verification, list_verifications, verification] = rest;
        match operation {
            Operation::ListAllCustomers => list_customers,
            Operation::CreateCustomer => create_customer,
            Operation::GetCustomerById => customer,
            Operation::ListAllCustomerBankAccounts => list_accounts,
            Operation::CreateCustomerBankAccount => create_account,
            Operation::GetBankAccountById => account,
            Operation::InitiateCustomerVerification => start_verification,
            Operation::ListAllCustomerVerifications => list_verifications,
            Operation::GetCustomerVerificationById => verification,
        }
    }

    /// The words of a tool, by its name on the wire.
    #[must_use]
    pub fn tool(&self, tool: &str) -> Option<&ToolWords> {
        self.tools.iter().find(|words| words.tool == tool)
    }

    /// The words of a prompt, by its name on the wire.
    #[must_use]
    pub fn prompt(&self, prompt: &str) -> Option<&PromptWords> {
        self.tools.iter().flat_map(|words| &words.prompts).find(|words| words.prompt == prompt)
    }

    /// The words of a skill, by its name.
    #[must_use]
    pub fn skill(&self, skill: &str) -> Option<&SkillWords> {
        self.tools.iter().flat_map(|words| &words.skills).find(|words| words.skill == skill)
    }

    /// The files as they were read.
    #[must_use]
    pub fn files(&self) -> &[CapabilityFile] {
        &self.files
    }

    /// What the files say about the tools as a whole, a line each, for the server's instructions.
    #[must_use]
    pub fn instructions(&self) -> String {
        self.tools.iter().map(|words| words.summary.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// A file in types, where it could be read, and what is wrong with it so far.
fn read(found: source::Found) -> (Option<document::Document>, Report) {
    let mut report = Report::new(found.file);
    let document = match yaml::parse(&found.text) {
        Ok(root) => format::read(&At::root(&root), &mut report),
        Err(error) => {
            let spot = reader::Spot { line: error.line, place: String::new() };
            report.refuse(&spot, error.reason);
            None
        }
    };
    (document, report)
}

/// The routes that the files state, each with the file that stated it first.
#[derive(Default)]
struct Routes(BTreeMap<Operation, (Route, String)>);

impl Routes {
    fn add(&mut self, stated: Vec<check::StatedRoute>, report: &mut Report) {
        for (operation, route) in stated {
            let (known, file) =
                self.0.entry(operation).or_insert_with(|| (route.value.clone(), report.file.clone()));
            if *known != route.value {
                let reason = format!("{} has another route in {file}", operation.name());
                report.refuse(&route.spot, reason);
            }
        }
    }

    fn complete(mut self) -> Result<[Route; Operation::ALL.len()], Refused> {
        let missing = |operation: &Operation| {
            let reason = format!("no action calls {}", operation.name());
            Refusal::of_file("capabilities", reason)
        };
        let refusals: Vec<_> =
            Operation::ALL.iter().filter(|operation| !self.0.contains_key(operation)).map(missing).collect();
        let routes: Vec<_> = Operation::ALL
            .iter()
            .filter_map(|operation| self.0.remove(operation))
            .map(|(route, _)| route)
            .collect();
        routes.try_into().map_err(|_| Refused(refusals))
    }
}

//! A write in its steps, so that a person can be asked between them: what is looked up before it, how a person reads
//! it, and the sending.

use super::duplicates::{LookUp, Turn};
use super::error::{Context, ToolError};
use super::output::Fields;
use super::question::{Fact, Question};
use super::sight::Wait;
use super::{Tools, bank_accounts, customers, verifications};
use crate::domain::CustomerId;
use crate::fintecture::{CallContext, Record, Upstream};

/// A write whose arguments are checked.
#[derive(Debug)]
pub struct Write {
    /// The tool that it was called by.
    pub tool: &'static str,
    /// The action that it is.
    pub action: &'static str,
    pub(super) input: Input,
}

/// The arguments of a write.
#[derive(Debug)]
pub(super) enum Input {
    Customer(customers::Create),
    BankAccount(bank_accounts::Create),
    Verification(verifications::Start),
}

/// A write of which all is known that must be known before it is sent.
pub struct Ready<'a> {
    write: &'a Write,
    before: Option<Before<'a>>,
}

/// What was found out about an `external_id`, which nobody else creates meanwhile.
pub(super) struct Before<'a> {
    pub(super) look_up: LookUp,
    pub(super) _turn: Turn<'a>,
}

impl Write {
    /// The arguments in one spelling, whatever way they were written in.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        match &self.input {
            Input::Customer(create) => serde_json::to_string(create).ok(),
            Input::BankAccount(create) => serde_json::to_string(create).ok(),
            Input::Verification(start) => serde_json::to_string(start).ok(),
        }
    }

    /// What no other write may create at the same time, where there is such a thing.
    #[must_use]
    pub fn alone(&self) -> Option<&str> {
        match &self.input {
            Input::Customer(create) => create.external_id(),
            Input::BankAccount(_) | Input::Verification(_) => None,
        }
    }

    /// The customer whom it starts a verification of, where it does.
    #[must_use]
    pub fn starts_for(&self) -> Option<&CustomerId> {
        match &self.input {
            Input::Verification(start) => Some(start.customer_id()),
            Input::Customer(_) | Input::BankAccount(_) => None,
        }
    }

    /// Whether it waits for a verdict on what it started.
    #[must_use]
    pub fn wait(&self) -> Option<Wait> {
        match &self.input {
            Input::Verification(start) => start.wait(),
            Input::Customer(_) | Input::BankAccount(_) => None,
        }
    }
}

impl Tools {
    /// Looks up what must be known before a write is sent.
    ///
    /// # Errors
    /// `conflict` where it exists already; what went wrong with the look-up otherwise. Nothing was sent.
    pub async fn prepare<'a>(
        &'a self,
        write: &'a Write,
        context: &CallContext,
    ) -> Result<Ready<'a>, ToolError> {
        let before = match &write.input {
            Input::Customer(create) => create.look_up(self.upstream(context), &self.underway).await?,
            Input::BankAccount(_) | Input::Verification(_) => None,
        };
        Ok(Ready { write, before })
    }

    /// The write as a person is asked about it. Reads the customer that it is for.
    ///
    /// # Errors
    /// What went wrong with that; nothing was sent.
    pub async fn question(&self, write: &Write, context: &CallContext) -> Result<Question, ToolError> {
        let upstream = self.upstream(context);
        match &write.input {
            Input::Customer(create) => Ok(create.question()),
            Input::BankAccount(create) => create.question(upstream).await,
            Input::Verification(start) => start.question(upstream).await,
        }
    }

    /// Sends a write.
    ///
    /// # Errors
    /// What went wrong, and whether it may have been applied.
    pub async fn send(&self, ready: Ready<'_>, context: &CallContext) -> Result<Fields, ToolError> {
        let upstream = self.upstream(context);
        match &ready.write.input {
            Input::Customer(create) => create.send(ready.before, upstream).await,
            Input::BankAccount(create) => create.send(upstream).await,
            Input::Verification(start) => start.send(upstream).await,
        }
    }
}

/// The customer that a write is for.
pub(super) async fn customer_of(id: &CustomerId, upstream: Upstream<'_>) -> Result<Record, ToolError> {
    let customer = upstream
        .customer(id)
        .await
        .map_err(|failure| ToolError::upstream(failure, Context::BeforeWriteTo(Context::CUSTOMER)))?;
    if customer.id() == id.as_str() { Ok(customer) } else { Err(ToolError::another_customer()) }
}

/// Lines that say which customer a write is for; their name stands beside `name`, where there is one to compare.
pub(super) fn for_whom(customer: &Record, name: Option<(&str, &str)>) -> Vec<Fact> {
    let own = Fact::new("Customer on file", name_of(customer));
    let mut facts = vec![Fact::new("Customer id", customer.id())];
    match name {
        Some((label, name)) => facts.push(Fact::new(label, name).beside(own)),
        None => facts.push(own),
    }
    facts
}

/// The name that the upstream has of a customer: first and last name, and the company's.
fn name_of(customer: &Record) -> String {
    let person: Vec<&str> =
        ["first_name", "last_name"].into_iter().filter_map(|field| customer.text(field)).collect();
    let person = person.join(" ");
    match customer.text("company_name").filter(|company| !company.is_empty()) {
        Some(company) if person.is_empty() => company.to_owned(),
        Some(company) => format!("{person}, {company}"),
        None => person,
    }
}

//! A person's yes before a write: who is asked, how, and what counts as an answer.
//!
//! In this order: by a form in the client, by a page that the client leads to, by a page that the agent hands over.
//! Knows no protocol and no page: [`Person`] asks, [`Approvals`] keeps what pages bring.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

use super::approvals::{Approvals, Confirm, Refused, Standing, Ticket};
use super::budget::Budget;
use super::caller::{Ask, Brought, Caller, Person, Said, Ways};
use super::recording::Entry;
use super::repeats::Key;
use crate::domain::Environment;
use crate::store::StoreError;
use crate::tools::{ApprovalPage, Question, ToolError};

/// How often a client is told that the person is still being waited for.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// How a write came to its yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yes {
    /// Nobody had to be asked.
    Unneeded,
    /// A person said so in their client.
    InClient,
    /// A person said so on the page: the approval is there to be used up.
    OnPage,
}

/// Why a write has no yes.
#[derive(Debug)]
pub(super) enum No {
    /// What to answer.
    Error(ToolError),
    /// The question leaves with this call's answer.
    Asked,
    /// The caller that was asking is gone.
    Left,
}

impl From<ToolError> for No {
    fn from(error: ToolError) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "an approval could not be looked up or written down");
        Self::Error(ToolError::approvals_unreachable())
    }
}

/// One write that needs a yes.
#[derive(Debug)]
pub(super) struct Consent<'a> {
    pub(super) confirm: Confirm,
    pub(super) approvals: &'a Arc<Approvals>,
    pub(super) caller: &'a Caller,
    pub(super) write: &'a Key,
    pub(super) environment: Environment,
    pub(super) budget: Budget,
    pub(super) stopping: &'a CancellationToken,
    /// Where it is put on record whom was asked and what they said.
    pub(super) entry: Option<&'a Entry>,
}

impl Consent<'_> {
    /// Gets it, or says why not. `question` is read only where a person is asked.
    pub(super) async fn get(
        &self,
        question: impl Future<Output = Result<Question, ToolError>>,
    ) -> Result<Yes, No> {
        if self.confirm == Confirm::Never {
            return Ok(Yes::Unneeded);
        }
        let person = self.caller.person.as_deref();
        let ways = person.map(Person::ways).unwrap_or_default();
        // What a shared client says that its person said is the agent's word.
        let form = ways.form && (self.confirm == Confirm::Auto || ways.is_their_own);
        let ways = Ways { form, page: ways.page && self.approvals.has_page(), ..ways };
        // What the person said last goes before what they did on a page before that.
        let brought = match person {
            Some(person) => person.brought(self.write).await,
            None => None,
        };
        match brought {
            Some(Brought::Form(said) | Brought::Page(said)) if matches!(said, Said::No | Said::Dismissed) => {
                return self.said_in_client(said).await;
            }
            Some(Brought::Form(said)) if ways.form => return self.said_in_client(said).await,
            Some(Brought::Page(Said::Yes)) | None => {}
            Some(Brought::Unknown) => return Err(ToolError::store_gone().into()),
            Some(_) => return Err(ToolError::answer_is_not_theirs().into()),
        }
        let brought_to_page = brought.is_some();
        match self.approvals.standing(self.write).await? {
            Standing::Approved => return Ok(Yes::OnPage),
            Standing::Declined => return Err(ToolError::declined().into()),
            // Led there, the person has as long to click as the call has time.
            Standing::Waiting(ticket) if brought_to_page => return self.wait_for_click(ticket).await,
            // A client that could ask before does not go on without an answer, whatever it says it can do now.
            Standing::Waiting(ticket) if !(ways.form || ways.page) => {
                let has_page = self.approvals.has_page();
                return Err(if has_page { page_waits(ticket) } else { ToolError::nobody_to_ask() }.into());
            }
            Standing::Waiting(_) | Standing::Unknown => {}
        }
        match person {
            Some(person) if ways.form || ways.page => self.ask(person, ways, question.await?).await,
            _ if self.confirm == Confirm::Auto => Ok(Yes::Unneeded),
            _ => Err(self.hand_over(question.await).await),
        }
    }

    async fn ask(&self, person: &dyn Person, ways: Ways, question: Question) -> Result<Yes, No> {
        if ways.form {
            let message = in_words(&question, self.environment);
            match self.put(person, Ask::Form { message }).await? {
                Said::Unasked => {}
                said => return self.said_in_client(said).await,
            }
        }
        if ways.page {
            let about = environment_line(self.environment);
            let message = format!("{about} {}: the page shows exactly what would be sent.", question.title);
            let ticket = self.open(question).await?;
            let ask = Ask::Page { url: ticket.url.clone(), id: ticket.id.to_string(), message };
            let said = self.put(person, ask).await?;
            return self.said_to_page(said, ticket).await;
        }
        // The client can ask, and did not: what is not known is not a yes, whatever the mode.
        Err(self.hand_over(Ok(question)).await)
    }

    async fn said_in_client(&self, said: Said) -> Result<Yes, No> {
        match said {
            Said::Later => return Err(No::Asked),
            Said::Unasked => return Err(ToolError::nobody_to_ask().into()),
            Said::Yes | Said::No | Said::Dismissed => {}
        }
        let stands = self.approvals.answered_in_client(self.write).await?;
        match said {
            Said::Dismissed => {
                self.on_record("dismissed", "client");
                Err(ToolError::dismissed().into())
            }
            Said::Yes if stands => {
                self.on_record("approved", "client");
                Ok(Yes::InClient)
            }
            // Declined, here or on the page meanwhile.
            _ => {
                if said == Said::No {
                    self.on_record("declined", "client");
                }
                Err(ToolError::declined().into())
            }
        }
    }

    /// The client has led the person to the page, or not; the page decides.
    async fn said_to_page(&self, said: Said, ticket: Ticket) -> Result<Yes, No> {
        match said {
            Said::Yes => self.wait_for_click(ticket).await,
            Said::Unasked => Err(page_waits(ticket).into()),
            Said::Later | Said::No | Said::Dismissed => self.said_in_client(said).await,
        }
    }

    async fn wait_for_click(&self, ticket: Ticket) -> Result<Yes, No> {
        self.while_waiting(self.approvals.decided(&ticket.id)).await?.transpose()?;
        match self.approvals.standing(self.write).await? {
            Standing::Approved => Ok(Yes::OnPage),
            Standing::Declined => Err(ToolError::declined().into()),
            Standing::Waiting(ticket) => Err(page_waits(ticket).into()),
            Standing::Unknown => Err(ToolError::no_answer_in_time().into()),
        }
    }

    /// The agent is to hand the page over.
    async fn hand_over(&self, question: Result<Question, ToolError>) -> No {
        if !self.approvals.has_page() {
            return ToolError::nobody_to_ask().into();
        }
        match question {
            Ok(question) => {
                self.open(question).await.map_or_else(|no| no, |ticket| page_waits(ticket).into())
            }
            Err(error) => error.into(),
        }
    }

    async fn open(&self, question: Question) -> Result<Ticket, No> {
        self.on_record("asked", "page");
        let opened = self.approvals.open(&self.caller.principal.name, *self.write, question).await;
        opened.map_err(|refused| match refused {
            Refused::TooMany { retry_after_seconds } => {
                ToolError::too_many_approvals(retry_after_seconds).into()
            }
            Refused::NoPage if self.approvals.has_page() => ToolError::pages_unserved().into(),
            Refused::NoPage => ToolError::nobody_to_ask().into(),
            Refused::Store(error) => error.into(),
        })
    }

    fn on_record(&self, decision: &'static str, how: &'static str) {
        if let Some(entry) = self.entry {
            entry.asked(decision, how);
        }
    }

    async fn put(&self, person: &dyn Person, ask: Ask) -> Result<Said, No> {
        let answer = self.while_waiting(person.ask(self.write, ask)).await?;
        answer.ok_or_else(|| ToolError::no_answer_in_time().into())
    }

    /// Waits for a person as long as the call has time for it: none where that ran out.
    async fn while_waiting<T>(&self, answer: impl Future<Output = T>) -> Result<Option<T>, No> {
        let started = Instant::now();
        let until = self.budget.answer_by();
        let mut told = interval_at(started + TELL_EVERY, TELL_EVERY);
        told.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answer = std::pin::pin!(answer);
        loop {
            tokio::select! {
                biased;
                () = self.caller.cancelled.cancelled() => return Err(No::Left),
                answer = &mut answer => return Ok(Some(answer)),
                () = sleep_until(until) => return Ok(None),
                () = self.stopping.cancelled() => return Ok(None),
                _ = told.tick() => {
                    if let Some(progress) = &self.caller.progress {
                        // Of the whole call, since it may wait again, and what is told must grow.
                        let total = until.duration_since(self.budget.began).as_secs_f64();
                        let done = self.budget.began.elapsed().as_secs_f64();
                        progress.tell(done, Some(total), "waiting for a person to decide").await;
                    }
                }
            }
        }
    }
}

fn page_waits(ticket: Ticket) -> ToolError {
    ToolError::page_waits(ApprovalPage { url: ticket.url, expires_at: ticket.expires_at })
}

fn environment_line(environment: Environment) -> &'static str {
    match environment {
        Environment::Simulator => "SIMULATOR: everything here is made up.",
        Environment::Sandbox => "SANDBOX: test data.",
        Environment::Production => "PRODUCTION: real customers and real bank accounts.",
    }
}

/// The question as a form shows it: a value a line, in quotes, so that no value can pass for another line.
fn in_words(question: &Question, environment: Environment) -> String {
    let mut lines = vec![format!("{}?", question.title), environment_line(environment).to_owned()];
    for fact in &question.facts {
        lines.push(format!("{}: \"{}\"", fact.label, fact.value));
        if let Some((label, value)) = &fact.beside {
            lines.push(format!("{label}: \"{value}\""));
        }
    }
    lines.push("Nothing is sent unless you confirm.".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests;

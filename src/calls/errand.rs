//! One write on its way, once it is known not to be a repeat: look-ups, a person's yes, sending.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::approvals::{Approvals, Confirm, Taken};
use super::budget::Budget;
use super::caller::Caller;
use super::consent::{Consent, No, Yes};
use super::repeats::Key;
use crate::fintecture::CallContext;
use crate::tools::{Fields, ToolError, Tools, Write};

/// A write and everything that it needs on its way.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) tools: Arc<Tools>,
    pub(super) approvals: Arc<Approvals>,
    pub(super) confirm: Confirm,
    pub(super) stopping: CancellationToken,
    pub(super) caller: Caller,
    pub(super) key: Key,
    pub(super) write: Write,
    pub(super) context: Arc<CallContext>,
    pub(super) budget: Budget,
}

impl Errand {
    /// Goes all the way, unless `given_up` is cancelled before the write left.
    pub(super) async fn run(&self, given_up: &CancellationToken) -> Result<Fields, No> {
        let mut on_the_way = std::pin::pin!(self.go());
        tokio::select! {
            biased;
            outcome = &mut on_the_way => outcome,
            () = given_up.cancelled() => {
                if self.context.give_up() {
                    return Err(No::Left);
                }
                // It has left, and nobody can call it back: its outcome is waited for.
                on_the_way.await
            }
        }
    }

    async fn go(&self) -> Result<Fields, No> {
        let mut ready = Some(self.tools.prepare(&self.write, &self.context).await?);
        let asking = async {
            // Others may go ahead while a person makes up their mind; it is looked up again then.
            ready = None;
            self.tools.question(&self.write, &self.context).await
        };
        let yes = self.consent().get(asking).await?;
        if yes != Yes::Unneeded {
            self.context.renew(self.budget.end);
        }
        let ready = match ready {
            Some(ready) => ready,
            None => self.tools.prepare(&self.write, &self.context).await?,
        };
        if yes != Yes::OnPage {
            return Ok(self.tools.send(ready, &self.context).await?);
        }
        let Some(taken) = self.approvals.take(&self.key).await? else {
            return Err(ToolError::no_answer_in_time().into());
        };
        let mut spending = Spending { errand: self, taken: Some(taken) };
        let sent = self.tools.send(ready, &self.context).await;
        // Before the caller hears of it: the next call is to find it.
        if let Some(left_over) = spending.left_over() {
            put_back(&self.approvals, left_over).await;
        }
        Ok(sent?)
    }

    fn consent(&self) -> Consent<'_> {
        Consent {
            confirm: self.confirm,
            approvals: &self.approvals,
            caller: &self.caller,
            write: &self.key,
            environment: self.tools.environment(),
            budget: self.budget,
            stopping: &self.stopping,
        }
    }
}

/// An approval while its write is sent. However that ends, it holds again where the write certainly never left.
struct Spending<'a> {
    errand: &'a Errand,
    taken: Option<Taken>,
}

impl Spending<'_> {
    fn left_over(&mut self) -> Option<Taken> {
        self.taken.take().filter(|_| !self.errand.context.write_may_have_left())
    }
}

impl Drop for Spending<'_> {
    fn drop(&mut self) {
        if let Some(left_over) = self.left_over()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let approvals = Arc::clone(&self.errand.approvals);
            runtime.spawn(async move { put_back(&approvals, left_over).await });
        }
    }
}

async fn put_back(approvals: &Approvals, taken: Taken) {
    if let Err(error) = approvals.put_back(taken).await {
        tracing::warn!(%error, "an approval whose write was not sent could not be kept: a person is asked again");
    }
}

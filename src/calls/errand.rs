//! One write on its way, once it is known not to be a repeat: look-ups, a person's yes, sending.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::approvals::{Approvals, Confirm, Taken};
use super::budget::Budget;
use super::caller::Caller;
use super::consent::{Consent, No, Yes};
use super::limits::{Daily, Place};
use super::recording::{Approved, Entry};
use super::records::{Lease, Records};
use super::repeats::{KEPT_FOR, Key};
use crate::fintecture::CallContext;
use crate::store::StoreError;
use crate::tools::{Fields, Ready, ToolError, Tools, Write};

/// A write and everything that it needs on its way.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) tools: Arc<Tools>,
    pub(super) approvals: Arc<Approvals>,
    pub(super) confirm: Confirm,
    pub(super) stopping: CancellationToken,
    /// Where replicas share a store: its records, and that of this write.
    pub(super) records: Option<Records>,
    pub(super) lease: Option<Lease>,
    pub(super) caller: Caller,
    pub(super) key: Key,
    pub(super) write: Write,
    pub(super) context: Arc<CallContext>,
    pub(super) budget: Budget,
    pub(super) entry: Arc<Entry>,
    pub(super) daily: Arc<Daily>,
    /// Held to the end, though the caller may leave before.
    pub(super) _place: Place,
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
        // Not before it is known to be no repeat: that was applied, and must not be told that it was not.
        if let Some(customer) = self.write.starts_for() {
            self.daily.look(customer).await?;
        }
        let mut turn = self.turn().await?;
        let mut ready = Some(self.tools.prepare(&self.write, &self.context).await?);
        let asking = async {
            // Others may go ahead while a person makes up their mind; it is looked up again then.
            (ready, turn) = (None, None);
            self.tools.question(&self.write, &self.context).await
        };
        let yes = self.consent().get(asking).await?;
        if yes != Yes::Unneeded {
            self.context.renew(self.budget.end);
        }
        let ready = if let Some(ready) = ready {
            ready
        } else {
            turn = self.turn().await?;
            self.tools.prepare(&self.write, &self.context).await?
        };
        if yes != Yes::OnPage {
            let in_client = Approved { how: "client", approver: None };
            return self.send(ready, turn, (yes == Yes::InClient).then_some(in_client)).await;
        }
        let Some(taken) = self.approvals.take(&self.key).await? else {
            return Err(ToolError::no_answer_in_time().into());
        };
        let approver = taken.decided.as_ref().and_then(|decided| decided.approver.clone());
        let mut spending = Spending { errand: self, taken: Some(taken) };
        let sent = self.send(ready, turn, Some(Approved { how: "page", approver })).await;
        // Before the caller hears of it: the next call is to find it.
        if let Some(left_over) = spending.left_over() {
            put_back(&self.approvals, left_over).await;
        }
        sent
    }

    /// Where replicas share a store, waits until none of them is about what this write must be alone with.
    async fn turn(&self) -> Result<Option<Turn>, ToolError> {
        let (Some(records), Some(alone)) = (&self.records, self.write.alone()) else { return Ok(None) };
        match records.alone(&[self.write.tool, alone], self.context.left()).await {
            Ok(Some(lease)) => Ok(Some(Turn(Some(lease)))),
            Ok(None) => Err(ToolError::not_its_turn()),
            Err(error) => Err(refused_by_store(error)),
        }
    }

    /// The last step. A start counts from here on. `approved` says where a person said yes.
    async fn send(
        &self,
        ready: Ready<'_>,
        turn: Option<Turn>,
        approved: Option<Approved>,
    ) -> Result<Fields, No> {
        let counted = match self.write.starts_for() {
            Some(customer) => Some(self.daily.count(customer, &self.context).await?),
            None => None,
        };
        let sent = self.let_leave(ready, turn.as_ref(), approved).await;
        if let Some(counted) = counted {
            counted.ended(&sent).await;
        }
        if let Some(lease) = turn.and_then(|mut turn| turn.0.take()) {
            lease.end(None).await;
        }
        Ok(sent?)
    }

    /// Sends it, once every replica can see that it may have been sent, and it is on record: what none of them is to
    /// see is not sent.
    async fn let_leave(
        &self,
        ready: Ready<'_>,
        turn: Option<&Turn>,
        approved: Option<Approved>,
    ) -> Result<Fields, ToolError> {
        let held = turn.and_then(|turn| turn.0.as_ref());
        for lease in [held, self.lease.as_ref()].into_iter().flatten() {
            match lease.let_leave().await {
                Ok(true) => {}
                Ok(false) => return Err(ToolError::store_forgot()),
                Err(error) => return Err(refused_by_store(error)),
            }
        }
        self.entry.intend(approved, &self.context).await?;
        self.tools.send(ready, &self.context).await
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
            entry: Some(&self.entry),
        }
    }
}

/// The right to be the only write of its kind on any replica, until this is dropped.
struct Turn(Option<Lease>);

impl Drop for Turn {
    fn drop(&mut self) {
        if let (Some(lease), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(lease.end(None));
        }
    }
}

/// Why nothing was sent, where the store does not work.
pub(super) fn refused_by_store(error: StoreError) -> ToolError {
    match error {
        StoreError::Gone => ToolError::store_gone(),
        StoreError::Full => ToolError::too_many_writes(KEPT_FOR),
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

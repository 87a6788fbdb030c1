//! What rmcp does not pass on to the session manager: who asks, what the store has of their session, and the way back
//! for the reason why they were refused.
//!
//! Knows nothing of sessions.

use std::{cell::Cell, sync::Arc};

use super::{places::NoPlace, shared::Record};
use crate::domain::Principal;

/// A request, as the session manager needs to know it: rmcp passes on neither who asks nor why it was refused.
struct Asking {
    principal: Arc<Principal>,
    /// What the store has of its session, where this replica has none.
    record: Option<Record>,
    refused: Cell<Option<Refused>>,
}

tokio::task_local! {
    static ASKING: Asking;
}

/// Why the session manager refused. rmcp makes a 500 of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many sessions are open as may be.
    Full(NoPlace),
    /// Another request has just taken the session up: it is there now.
    TakenUp,
}

/// Serves a request of this principal. Says why the sessions refused it, where they did.
pub(crate) async fn asked_by<T>(
    principal: Arc<Principal>,
    record: Option<Record>,
    request: impl Future<Output = T>,
) -> (T, Option<Refused>) {
    let asking = Asking { principal, record, refused: Cell::new(None) };
    ASKING.scope(asking, async { (request.await, ASKING.with(|asking| asking.refused.get())) }).await
}

pub(crate) fn refuse(why: Refused) {
    // Outside of a request there is nobody to tell.
    let _ = ASKING.try_with(|asking| asking.refused.set(Some(why)));
}

/// Who asks; nobody outside of a request.
pub(crate) fn asker() -> Option<Arc<Principal>> {
    ASKING.try_with(|asking| Arc::clone(&asking.principal)).ok()
}

/// What the store has of their session; nothing where this replica has it.
pub(crate) fn record() -> Option<Record> {
    ASKING.try_with(|asking| asking.record.clone()).ok().flatten()
}

//! Verifications started for each customer in a day: each is somebody's name shown to a bank.
//!
//! Looked at before a start goes on its way, and counted when it is about to be sent, so that what is repeated,
//! declined or refused uses nothing up.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::errand::refused_by_store;
use crate::domain::{CustomerId, Environment};
use crate::fintecture::CallContext;
use crate::measures;
use crate::store::{Change, Name, Store};
use crate::tools::{Outcome, ToolError};

const DAY: Duration = Duration::from_hours(24);

#[derive(Debug)]
pub(in crate::calls) struct Daily {
    most: u64,
    store: Store,
    environment: Environment,
}

/// What was started for a customer since the first of a day.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Started {
    count: u64,
    /// When that day is over, in seconds of Unix time.
    until: i64,
}

impl Started {
    fn left(self) -> Duration {
        let seconds = self.until.saturating_sub(Timestamp::now().as_second());
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default().max(1))
    }
}

impl Daily {
    pub(super) fn new(most: u64, store: Store, environment: Environment) -> Self {
        Self { most, store, environment }
    }

    /// Whether another one may be started now.
    ///
    /// # Errors
    /// `rate_limited` where not, `internal` where the store is gone.
    pub(in crate::calls) async fn look(&self, customer: &CustomerId) -> Result<(), ToolError> {
        let started = self.store.get(&self.name(customer)).await;
        match started.map_err(refused_by_store)? {
            Some(started) if self.is_full(started) => Err(self.refusal(started)),
            _ => Ok(()),
        }
    }

    /// Counts one that is about to be sent.
    ///
    /// # Errors
    /// As [`look`](Self::look): others may have been counted since.
    pub(in crate::calls) async fn count(
        self: &Arc<Self>,
        customer: &CustomerId,
        context: &Arc<CallContext>,
    ) -> Result<Counted, ToolError> {
        let name = self.name(customer);
        let counted = self.store.update(&name, |started| match started {
            Some(started) if self.is_full(started) => (Change::Keep, Err(started)),
            Some(Started { count, until }) => {
                let started = Started { count: count + 1, until };
                (Change::Put(started, started.left()), Ok(()))
            }
            None => {
                let day = i64::try_from(DAY.as_secs()).unwrap_or(i64::MAX);
                let until = Timestamp::now().as_second().saturating_add(day);
                (Change::Put(Started { count: 1, until }, DAY), Ok(()))
            }
        });
        match counted.await.map_err(refused_by_store)? {
            Ok(()) => {
                Ok(Counted { daily: Arc::clone(self), name, context: Arc::clone(context), is_settled: false })
            }
            Err(started) => Err(self.refusal(started)),
        }
    }

    fn name(&self, customer: &CustomerId) -> Name {
        let parts = [self.environment.as_str().as_bytes(), customer.as_str().as_bytes()];
        Name::new("verifications", &parts)
    }

    fn is_full(&self, started: Started) -> bool {
        started.count >= self.most
    }

    fn refusal(&self, started: Started) -> ToolError {
        measures::limit_hit("verifications-per-day");
        ToolError::too_many_verifications(self.most, started.left())
    }

    async fn take_back(&self, name: &Name) {
        let taken_back = self.store.update(name, |started| match started {
            Some(Started { count, until }) if count > 1 => {
                let started = Started { count: count - 1, until };
                (Change::Put(started, started.left()), ())
            }
            Some(_) => (Change::Remove, ()),
            None => (Change::Keep, ()),
        });
        if taken_back.await.is_err() {
            tracing::debug!("a start that was not made stays counted: the store is gone");
        }
    }
}

/// One that was counted. Dropped on its way, it is taken back where it certainly never left.
#[derive(Debug)]
pub(in crate::calls) struct Counted {
    daily: Arc<Daily>,
    name: Name,
    context: Arc<CallContext>,
    is_settled: bool,
}

impl Counted {
    /// This came of it: what certainly was not applied is taken back.
    pub(in crate::calls) async fn ended<T>(mut self, outcome: &Result<T, ToolError>) {
        self.is_settled = true;
        if outcome.as_ref().is_err_and(|error| error.outcome == Some(Outcome::NotApplied)) {
            self.daily.take_back(&self.name).await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.is_settled || self.context.write_may_have_left() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (daily, name) = (Arc::clone(&self.daily), self.name.clone());
        runtime.spawn(async move { daily.take_back(&name).await });
    }
}

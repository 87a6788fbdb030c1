//! How much a principal may call, and how often a verification may be started for a customer.
//!
//! What is over a limit is refused at once and never waits: there is no queue in which one principal could stand
//! before another. Knows nothing of tools but what a start is for.

mod daily;
mod minutes;
mod places;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Environment, Principal};
use crate::measures;
use crate::store::Store;
use crate::tools::ToolError;
pub(super) use daily::Daily;
use minutes::Minutes;
pub(super) use places::Place;
use places::Places;

/// When a call that found no place may try again: calls end all the time.
const PLACE_WAIT: Duration = Duration::from_secs(2);

/// What calls may come to. By default there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls that run at once.
    pub in_flight: u64,
    /// Of these, of one authenticated principal. Without authentication all are one, and the limit above is theirs.
    pub in_flight_per_principal: u64,
    /// Calls of one authenticated principal in a minute.
    pub per_minute: u64,
    /// Verifications started for one customer in a day.
    pub verifications_per_day: u64,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            in_flight: u64::MAX,
            in_flight_per_principal: u64::MAX,
            per_minute: u64::MAX,
            verifications_per_day: u64::MAX,
        }
    }
}

/// The limits of one server.
#[derive(Debug)]
pub(super) struct Limits {
    places: Places,
    minutes: Minutes,
    daily: Arc<Daily>,
}

/// A limit is reached: which one, in the operator's words and in the agent's, and when there may be room.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Over {
    limit: &'static str,
    what: &'static str,
    wait: Duration,
}

impl Over {
    /// As the agent is told.
    pub(super) fn refusal(&self, write: bool) -> ToolError {
        ToolError::over_limit(self.what, self.wait, write)
    }
}

impl Limits {
    pub(super) fn new(limits: CallLimits, store: &Store, environment: Environment) -> Self {
        Self {
            places: Places::new(limits.in_flight, limits.in_flight_per_principal),
            minutes: Minutes::new(limits.per_minute, store.clone()),
            daily: Arc::new(Daily::new(limits.verifications_per_day, store.clone(), environment)),
        }
    }

    /// Lets a call of this principal in. It holds its place until the last clone of that is dropped.
    ///
    /// # Errors
    /// [`Over`], where a limit is reached.
    pub(super) async fn admit(&self, principal: &Principal) -> Result<Place, Over> {
        let admitted = async {
            let place = self.places.take(principal)?;
            self.minutes.count(principal).await?;
            Ok(place)
        };
        admitted.await.inspect_err(|over: &Over| measures::limit_hit(over.limit))
    }

    /// Counts what holds no place.
    ///
    /// # Errors
    /// [`Over`], where the principal has asked too often.
    pub(super) async fn count(&self, principal: &Principal) -> Result<(), Over> {
        self.minutes.count(principal).await.inspect_err(|over| measures::limit_hit(over.limit))
    }

    /// The verifications that are started for each customer.
    pub(super) fn daily(&self) -> &Arc<Daily> {
        &self.daily
    }
}

//! How fast a principal is told that it is over a limit. Whoever asks on and on is refused on and on, and refusing
//! takes time, too, which the others then lack: so each principal is refused so often in a second, and waits otherwise.
//!
//! Knows principals and answers. Knows no limit.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::domain::Principal;

/// Refusals of one principal in a second.
const A_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(399);
/// Principals that are told apart; beyond, those who were not refused lately are forgotten.
const MAX_PRINCIPALS: usize = 10_000;

/// The refusals of every principal. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Refusals(Arc<DefaultKeyedRateLimiter<String>>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_second(A_SECOND))))
    }
}

impl Refusals {
    /// Waits until an answer with this status may leave; at once where it refuses nothing.
    pub(crate) async fn pace(&self, principal: &Principal, status: StatusCode) {
        if status != StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        if self.0.len() > MAX_PRINCIPALS {
            self.0.retain_recent();
        }
        self.0.until_key_ready(&principal.name).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::domain::Scopes;

    #[tokio::test]
    async fn who_is_refused_too_often_waits_and_nobody_else_does() {
        let refusals = Refusals::default();
        let [noisy, quiet] =
            ["noisy", "quiet"].map(|name| Principal::authenticated(name, Scopes::of_agents()));
        let refused = |principal: &Principal| {
            let paced = refusals.pace(principal, StatusCode::TOO_MANY_REQUESTS);
            paced.now_or_never().is_some()
        };
        let at_once = (0..3 * A_SECOND.get()).filter(|_| refused(&noisy)).count();
        assert!(at_once < 2 * A_SECOND.get() as usize, "{at_once}");
        assert!(!refused(&noisy) && refused(&quiet));
        assert!(refusals.pace(&noisy, StatusCode::OK).now_or_never().is_some());
    }
}

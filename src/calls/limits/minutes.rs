//! Calls of each authenticated principal in a minute, counted in the store, so that replicas count together.
//!
//! Where the store is gone, each process counts for itself: reading needs no store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Over;
use crate::domain::Principal;
use crate::store::{Counted, Name, Store, StoreError};

const WINDOW: Duration = Duration::from_mins(1);
/// Longest time that a call waits to be counted.
const COUNT_WAIT: Duration = Duration::from_secs(1);
/// How long a store that was gone is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Minutes {
    most: u64,
    store: Store,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    windows: HashMap<String, Window>,
    swept: Option<Instant>,
    /// Since when the store is gone, and when it is tried again.
    gone: Option<Instant>,
}

/// A principal's minute, as this process has last seen it.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    count: u64,
}

impl Minutes {
    pub(super) fn new(most: u64, store: Store) -> Self {
        Self { most, store, seen: Mutex::default() }
    }

    /// Counts a call, where it is of a principal that can be told from others.
    pub(super) async fn count(&self, principal: &Principal) -> Result<(), Over> {
        if !principal.is_authenticated {
            return Ok(());
        }
        let in_store = self.count_in_store(principal).await;
        let window = self.lock().count(&principal.name, in_store);
        if window.count <= self.most {
            return Ok(());
        }
        Err(Over {
            limit: "calls-per-minute",
            what: "this client has made as many calls in a minute as it may",
            wait: window.ends.saturating_duration_since(Instant::now()),
        })
    }

    /// By all who share the store; nothing where that is gone.
    async fn count_in_store(&self, principal: &Principal) -> Option<Counted> {
        if self.lock().gone.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let name = Name::new("calls", &[principal.name.as_bytes()]);
        let counted = timeout(COUNT_WAIT, self.store.count(&name, WINDOW)).await;
        match counted.unwrap_or(Err(StoreError::Gone)) {
            Ok(counted) => {
                if self.lock().gone.take().is_some() {
                    tracing::info!("calls are counted in the store again");
                }
                Some(counted)
            }
            Err(error) => {
                if self.lock().gone.replace(Instant::now() + LEFT_ALONE).is_none() {
                    tracing::warn!(%error, "calls in a minute are counted by this process alone for now");
                }
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn windows(&self) -> usize {
        self.lock().windows.len()
    }
}

impl Seen {
    fn count(&mut self, principal: &str, in_store: Option<Counted>) -> Window {
        let now = Instant::now();
        let is_over = |window: &Window| window.ends <= now;
        if self.swept.is_none_or(|swept| now - swept >= WINDOW) {
            self.windows.retain(|_, window| !is_over(window));
            self.swept = Some(now);
        }
        let first = Window { ends: now + WINDOW, count: 1 };
        let next = |window: &Window| Window { count: window.count + 1, ..*window };
        let last = self.windows.get(principal).filter(|window| !is_over(window));
        let window = match in_store {
            Some(counted) => Window { ends: now + counted.left, count: counted.number },
            None => last.map_or(first, next),
        };
        match self.windows.get_mut(principal) {
            Some(last) => *last = window,
            None => drop(self.windows.insert(principal.to_owned(), window)),
        }
        window
    }
}

//! Places for calls in flight, of all and of each principal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Over, PLACE_WAIT};
use crate::domain::Principal;

#[derive(Debug)]
pub(super) struct Places {
    most: u64,
    most_of_one: u64,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    /// Of authenticated principals that hold any.
    by_principal: HashMap<String, u64>,
}

/// A place that a call holds. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::calls) struct Place {
    _held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    taken: Arc<Mutex<Taken>>,
    principal: Option<String>,
}

impl Places {
    pub(super) fn new(most: u64, most_of_one: u64) -> Self {
        Self { most, most_of_one, taken: Arc::default() }
    }

    pub(super) fn take(&self, principal: &Principal) -> Result<Place, Over> {
        let principal = principal.is_authenticated.then(|| principal.name.clone());
        let mut taken = lock(&self.taken);
        if let Some(name) = &principal {
            // Before that of all: who is over their own limit is told so.
            if taken.by_principal.get(name).is_some_and(|theirs| *theirs >= self.most_of_one) {
                return Err(Over {
                    limit: "calls-in-flight-per-principal",
                    what: "this client has as many calls under way as it may",
                    wait: PLACE_WAIT,
                });
            }
        }
        if taken.all >= self.most {
            return Err(Over {
                limit: "calls-in-flight",
                what: "the server has as many calls under way as it may",
                wait: PLACE_WAIT,
            });
        }
        taken.all += 1;
        if let Some(name) = &principal {
            *taken.by_principal.entry(name.clone()).or_default() += 1;
        }
        Ok(Place { _held: Arc::new(Held { taken: Arc::clone(&self.taken), principal }) })
    }

    #[cfg(test)]
    pub(super) fn are_free(&self) -> bool {
        let taken = lock(&self.taken);
        taken.all == 0 && taken.by_principal.is_empty()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all -= 1;
        let Some(name) = &self.principal else { return };
        if let Some(theirs) = taken.by_principal.get_mut(name) {
            *theirs -= 1;
            if *theirs == 0 {
                taken.by_principal.remove(name);
            }
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

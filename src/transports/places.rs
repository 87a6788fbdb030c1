//! Places that are shared out: so many in all, and so many to one principal, so that nobody takes them all.
//!
//! Knows names and counts. Knows nothing of what a place is for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::response::Response;

use super::reply;
use crate::measures;

/// What the places are for, in the words of metrics, limits and clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// What is counted; also the name of the limit in all.
    pub(crate) name: &'static str,
    /// The name of the limit of one principal.
    pub(crate) each: &'static str,
    /// What a client is told where all are taken.
    pub(crate) full: &'static str,
    /// What it is told where its principal has as many as it may.
    pub(crate) full_for_one: &'static str,
}

pub(crate) const SESSIONS: Kind = Kind {
    name: "sessions",
    each: "sessions-per-principal",
    full: "as many sessions are open as may be",
    full_for_one: "you have as many sessions open as you may: end one with DELETE, or use the one you have",
};

pub(crate) const STREAMS: Kind = Kind {
    name: "streams",
    each: "streams-per-principal",
    full: "as many event streams are open as may be",
    full_for_one: "you have as many event streams open as you may: close one",
};

/// The places.
#[derive(Debug)]
pub(crate) struct Places {
    kind: Kind,
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_principal: HashMap<Arc<str>, usize>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    principal: Arc<str>,
}

/// There is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// For anybody.
    ForAnybody,
    /// For this principal.
    ForYou,
}

impl Places {
    pub(crate) fn new(kind: Kind, all: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { kind, all, each, taken: Mutex::default() })
    }

    /// Takes one for this principal.
    pub(crate) fn take(self: &Arc<Self>, principal: &str) -> Result<Place, NoPlace> {
        let mut taken = self.lock();
        let (principal, count) = match taken.by_principal.get_key_value(principal) {
            Some((principal, count)) => (Arc::clone(principal), *count),
            None => (Arc::from(principal), 0),
        };
        if count >= self.each {
            measures::limit_hit(self.kind.each);
            return Err(NoPlace::ForYou);
        }
        if taken.all >= self.all {
            measures::limit_hit(self.kind.name);
            return Err(NoPlace::ForAnybody);
        }
        taken.all += 1;
        taken.by_principal.insert(Arc::clone(&principal), count + 1);
        measures::open_sessions(self.kind.name, taken.all);
        drop(taken);
        Ok(Place { places: Arc::clone(self), principal })
    }

    /// What a client is told that gets none.
    pub(crate) fn refuse(&self, why: NoPlace) -> Response {
        match why {
            NoPlace::ForAnybody => reply::busy(self.kind.full),
            NoPlace::ForYou => reply::too_many(self.kind.full_for_one),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whose it is.
    pub(crate) fn is_of(&self, principal: &str) -> bool {
        *self.principal == *principal
    }

    pub(crate) fn principal(&self) -> &str {
        &self.principal
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(count) = taken.by_principal.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                taken.by_principal.remove(&self.principal);
            }
        }
        measures::open_sessions(self.places.kind.name, taken.all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_them_all_and_all_come_back() {
        let places = Places::new(SESSIONS, 3, 2);
        let mut taken: Vec<_> = (0..2).map(|_| places.take("one").unwrap()).collect();
        assert_eq!(places.take("one").unwrap_err(), NoPlace::ForYou);
        taken.push(places.take("other").unwrap());
        assert_eq!(places.take("other").unwrap_err(), NoPlace::ForAnybody);
        taken.remove(0);
        taken.push(places.take("other").unwrap());
        assert!(taken.iter().all(|place| place.is_of("one") || place.is_of("other")));
        taken.clear();
        assert_eq!(places.lock().all, 0);
        assert!(places.lock().by_principal.is_empty(), "what is not open is not kept");
    }
}

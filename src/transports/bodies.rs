//! How much of request bodies is held at once: so much in all, and so much of one principal, so that a few clients
//! with many requests do not fill the memory; and until when the end of the server waits for them.
//!
//! Knows bytes and names. Knows nothing of what is in a body.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::response::Response;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{limits::LAST_BODY_WAIT, reply};
use crate::{domain::Principal, measures};

/// The bodies that are held.
#[derive(Debug)]
pub(crate) struct Bodies {
    all: usize,
    each: usize,
    shutdown: CancellationToken,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    by_principal: HashMap<Arc<str>, usize>,
}

/// One body: what was read of it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldBody {
    bodies: Arc<Bodies>,
    /// Of authenticated principals: without authentication all are one.
    principal: Option<Arc<str>>,
    bytes: usize,
}

impl Bodies {
    /// `all` and `each` in bytes.
    pub(crate) fn new(all: usize, each: usize, shutdown: CancellationToken) -> Arc<Self> {
        Arc::new(Self { all, each, shutdown, held: Mutex::default() })
    }

    /// Returns when the server is about to end, and a body that was on its way has had its time.
    pub(crate) async fn are_late(&self) {
        self.shutdown.cancelled().await;
        sleep(LAST_BODY_WAIT).await;
    }

    /// A body of this principal's of which nothing was read yet.
    pub(crate) fn begin(self: &Arc<Self>, principal: &Principal) -> HeldBody {
        let principal = principal.is_authenticated.then(|| Arc::from(principal.name.as_str()));
        HeldBody { bodies: Arc::clone(self), principal, bytes: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HeldBody {
    /// So much more was read of it. The answer to the request where that is more than may be held.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Response> {
        let mut held = self.bodies.lock();
        if let Some(principal) = &self.principal {
            let theirs = held.by_principal.entry(Arc::clone(principal)).or_default();
            if theirs.saturating_add(bytes) > self.bodies.each {
                if *theirs == 0 {
                    held.by_principal.remove(principal);
                }
                measures::limit_hit("bodies-bytes-per-principal");
                return Err(reply::too_many(
                    "your requests that are under way are as long, together, as they may be: send fewer at once",
                ));
            }
        }
        if held.all.saturating_add(bytes) > self.bodies.all {
            if let Some(principal) = &self.principal
                && held.by_principal.get(principal) == Some(&0)
            {
                held.by_principal.remove(principal);
            }
            measures::limit_hit("bodies-bytes");
            return Err(reply::busy("the requests that are under way are as long, together, as they may be"));
        }
        held.all += bytes;
        if let Some(theirs) = self.principal.as_ref().and_then(|name| held.by_principal.get_mut(name)) {
            *theirs += bytes;
        }
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for HeldBody {
    fn drop(&mut self) {
        let mut held = self.bodies.lock();
        held.all = held.all.saturating_sub(self.bytes);
        let Some(principal) = &self.principal else { return };
        if let Some(theirs) = held.by_principal.get_mut(principal) {
            *theirs = theirs.saturating_sub(self.bytes);
            if *theirs == 0 {
                held.by_principal.remove(principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scopes;

    fn somebody(name: &str) -> Principal {
        Principal::authenticated(name, Scopes::of_agents())
    }

    fn status(grown: Result<(), Response>) -> u16 {
        grown.map_or_else(|answer| answer.status().as_u16(), |()| 200)
    }

    #[test]
    fn so_much_is_held_of_each_and_of_all_and_all_comes_back() {
        let bodies = Bodies::new(100, 60, CancellationToken::new());
        let [mut one, mut again] = [bodies.begin(&somebody("one")), bodies.begin(&somebody("one"))];
        assert_eq!(status(one.grow(50)), 200);
        assert_eq!(status(again.grow(11)), 429, "of one principal");
        assert_eq!(status(again.grow(10)), 200);
        let mut other = bodies.begin(&somebody("other"));
        assert_eq!(status(other.grow(41)), 503, "of all");
        assert_eq!(status(other.grow(40)), 200);
        let mut third = bodies.begin(&somebody("third"));
        assert_eq!(status(third.grow(1)), 503);
        assert!(!bodies.lock().by_principal.contains_key("third"), "who holds nothing is not kept");
        drop(one);
        assert_eq!(status(third.grow(50)), 200);
        drop((again, other, third));
        assert_eq!(bodies.lock().all, 0);
        assert!(bodies.lock().by_principal.is_empty());
    }

    #[test]
    fn without_authentication_there_is_one_limit() {
        let bodies = Bodies::new(100, 60, CancellationToken::new());
        let mut body = bodies.begin(&Principal::local());
        assert_eq!((status(body.grow(100)), status(body.grow(1))), (200, 503));
    }
}

//! The requests in flight in the sessions of Streamable HTTP, by their ids.
//!
//! Knows ids and tokens. Knows nothing of what is asked.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use rmcp::model::RequestId;
use tokio_util::sync::CancellationToken;

/// A session, and the id of a request there.
pub(crate) type Call = (String, RequestId);

/// The requests. Those that rmcp does not see have a token; the others are rmcp's to cancel.
#[derive(Debug, Default)]
pub(crate) struct InFlight(HashMap<Call, Option<CancellationToken>>);

impl InFlight {
    /// Takes a request in. False when its id belongs to another one.
    pub(crate) fn begin(&mut self, call: Call, token: Option<CancellationToken>) -> bool {
        let Entry::Vacant(place) = self.0.entry(call) else { return false };
        place.insert(token);
        true
    }

    /// Forgets a request.
    pub(crate) fn end(&mut self, call: &Call) {
        self.0.remove(call);
    }

    /// Cancels a request. It stays here until it has ended.
    pub(crate) fn cancel(&self, call: &Call) {
        if let Some(Some(token)) = self.0.get(call) {
            token.cancel();
        }
    }

    /// Cancels all of a session. Returns those that are rmcp's to cancel.
    pub(crate) fn cancel_all_of(&self, session: &str) -> Vec<RequestId> {
        let mut left = Vec::new();
        for ((_, id), token) in self.0.iter().filter(|((of, _), _)| of == session) {
            match token {
                Some(token) => token.cancel(),
                None => left.push(id.clone()),
            }
        }
        left
    }

    /// The sessions that have any.
    pub(crate) fn sessions(&self) -> HashSet<&str> {
        self.0.keys().map(|(session, _)| session.as_str()).collect()
    }
}

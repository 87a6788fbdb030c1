//! Sessions in the store that replicas share: what a session was opened with and whose it is, so that another replica
//! can take it up when this one is gone. Calls in flight and answers that are owed are not there: they end with their
//! replica.
//!
//! Knows the store. Knows nothing of requests.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rmcp::{model::ProtocolVersion, transport::streamable_http_server::session::SessionState};
use serde::{Deserialize, Serialize};

use super::limits::HttpLimits;
use crate::store::{Change, Name, Store, StoreError};

/// A session as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The name of its principal.
    pub(crate) owner: String,
    /// The revision that it has settled on.
    pub(crate) revision: ProtocolVersion,
    /// When it was opened, in seconds since 1970.
    opened: u64,
    /// What it was opened with.
    pub(crate) state: SessionState,
}

impl Record {
    /// Of a session that was opened just now.
    pub(crate) fn new(owner: &str, revision: ProtocolVersion, state: SessionState) -> Self {
        Self { owner: owner.to_owned(), revision, opened: now(), state }
    }

    /// How long ago it was opened.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_secs(now().saturating_sub(self.opened))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The sessions of all replicas.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    store: Store,
    idle: Duration,
    life: Duration,
}

impl Shared {
    pub(crate) fn new(store: Store, limits: &HttpLimits) -> Arc<Self> {
        Arc::new(Self { store, idle: limits.session_idle, life: limits.session_life })
    }

    /// How long a record may be left alone while its session is in use: writing it at each message would make every
    /// call wait for the store.
    pub(crate) fn refresh_after(&self) -> Duration {
        self.idle / 4
    }

    /// The session of this id, where there is one that is not too old.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let record: Option<Record> = self.store.get(&name(id)).await?;
        Ok(record.filter(|record| record.age() < self.life))
    }

    /// Keeps it for as long as it may be idle.
    pub(crate) async fn keep(&self, id: &str, record: &Record) -> Result<(), StoreError> {
        let idle = self.idle + self.refresh_after();
        let left = self.life.saturating_sub(record.age()).min(idle);
        let put = |_: Option<Record>| (Change::Put(record.clone(), left), ());
        self.store.update(&name(id), put).await
    }

    /// Forgets it.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), StoreError> {
        self.store.update(&name(id), |_: Option<Record>| (Change::Remove, ())).await
    }
}

fn name(id: &str) -> Name {
    Name::new("session", &[id.as_bytes()])
}

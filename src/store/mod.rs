//! What outlives a call and belongs to somebody: approvals, repeat records, sessions, counts. In this process, or in
//! a store that several replicas share.
//!
//! A value is read, changed and written back only where nobody changed it meanwhile ([`Store::update`]): the one way
//! to change anything, so that two replicas cannot both use what is good for one. Values are sealed, names are digests:
//! whoever reads the store reads nothing. Every value expires. Knows nothing of what it keeps.

#[cfg(test)]
pub(crate) mod faulty;
mod memory;
mod name;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sealing::SealerError;
use crate::secret::Secret;
pub use name::Name;

/// Changes of one value that are tried before the store is taken to be out of order.
const MAX_TRIES: usize = 100;

/// Why the store did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or does not work. Nothing is known of what it did.
    #[error("the store cannot be reached")]
    Gone,
    /// It has no room for another value.
    #[error("the store is full")]
    Full,
}

/// What becomes of a value.
#[derive(Debug)]
pub enum Change<T> {
    /// It stays.
    Keep,
    /// It is this, for so long.
    Put(T, Duration),
    /// It goes.
    Remove,
}

/// A value as it is kept: sealed bytes, and what names this writing of them.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: Version,
}

/// Names one writing of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    Number(u64),
    /// The sealed bytes themselves.
    Bytes(Vec<u8>),
}

/// A store that replicas share.
#[derive(Debug)]
pub struct SharedStore {
    /// Where it is: `redis://` or `rediss://`.
    pub url: Secret,
    /// What everything in it is sealed with.
    pub key: SecretString,
    /// Replicas with another one of these see nothing of each other.
    pub bound_to: Vec<u8>,
    /// Root certificates to trust beside those of the system, PEM.
    pub roots: Option<Vec<u8>>,
}

/// Where values are kept.
/// What was counted in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many there are with this one.
    pub number: u64,
    /// How long the window goes on.
    pub left: Duration,
}

pub(crate) trait Backend: std::fmt::Debug + Send + Sync {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>>;
    /// Writes (or with `None` removes) where the version is still this one; with `None` where there is no value.
    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<Version>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
    /// One more in this window, which begins with its first.
    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<Counted, StoreError>>;
    /// Comes back when something may have changed.
    fn changed(&self) -> BoxFuture<'_, ()>;
    /// Whether it can be read and written now, as far as is known.
    fn is_usable(&self) -> BoxFuture<'_, bool> {
        Box::pin(std::future::ready(true))
    }
    /// Whether other processes see it, too.
    fn is_shared(&self) -> bool {
        false
    }
    /// For how long it is still to be reckoned with that it has lost its memory.
    fn forgot(&self) -> BoxFuture<'_, Result<Option<Duration>, StoreError>> {
        Box::pin(std::future::ready(Ok(None)))
    }
    /// Reads again what may have changed outside.
    fn reload(&self) {}
}

/// The store. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Store(Arc<dyn Backend>);

impl Default for Store {
    fn default() -> Self {
        Self::memory()
    }
}

impl Store {
    /// In this process, and gone with it.
    #[must_use]
    pub fn memory() -> Self {
        Self(Arc::new(memory::Memory::default()))
    }

    /// Shared by every replica with the same address, key and upstream. It need not be there yet.
    ///
    /// # Errors
    /// [`SealerError`] where no key could be made.
    pub fn shared(store: SharedStore) -> Result<Self, SealerError> {
        Ok(Self(Arc::new(redis::Redis::new(store)?)))
    }

    /// One that works as this does.
    #[cfg(test)]
    pub(crate) fn with(backend: impl Backend + 'static) -> Self {
        Self(Arc::new(backend))
    }

    /// Whether replicas share it; otherwise this process alone has it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    /// Whether it can be read and written; known for a second.
    pub async fn is_usable(&self) -> bool {
        self.0.is_usable().await
    }

    /// Whether it has lately lost what it was to remember, and for how long that is still to be reckoned with.
    ///
    /// # Errors
    /// [`StoreError`] where that is not known.
    pub async fn forgot(&self) -> Result<Option<Duration>, StoreError> {
        self.0.forgot().await
    }

    /// Reads the file of its address again.
    pub fn reload(&self) {
        self.0.reload();
    }

    /// The value of this name.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn get<T: DeserializeOwned>(&self, name: &Name) -> Result<Option<T>, StoreError> {
        let kept = self.0.get(name).await?;
        kept.map(|kept| serde_json::from_slice(&kept.bytes).map_err(|_| StoreError::Gone)).transpose()
    }

    /// Changes a value. `change` may be called several times, each time with the value as it is then; what it
    /// returned last is returned.
    ///
    /// # Errors
    /// [`StoreError`]: with [`StoreError::Gone`] it is not known whether the change was made.
    pub async fn update<T, R>(
        &self,
        name: &Name,
        mut change: impl FnMut(Option<T>) -> (Change<T>, R),
    ) -> Result<R, StoreError>
    where
        T: Serialize + DeserializeOwned,
    {
        for _ in 0..MAX_TRIES {
            let kept = self.0.get(name).await?;
            let version = kept.as_ref().map(|kept| kept.version.clone());
            let value = kept.map(|kept| serde_json::from_slice(&kept.bytes)).transpose();
            let (change, outcome) = change(value.map_err(|_| StoreError::Gone)?);
            let value = match change {
                Change::Keep => return Ok(outcome),
                Change::Put(value, lives) => {
                    Some((serde_json::to_vec(&value).map_err(|_| StoreError::Gone)?, lives))
                }
                Change::Remove if version.is_none() => return Ok(outcome),
                Change::Remove => None,
            };
            if self.0.swap(name, version, value).await? {
                return Ok(outcome);
            }
        }
        Err(StoreError::Gone)
    }

    /// Counts one more in a window that began with its first.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be counted.
    pub async fn count(&self, name: &Name, window: Duration) -> Result<Counted, StoreError> {
        self.0.count(name, window).await
    }

    /// Comes back when something may have changed. Made before a value is looked at, it misses nothing after that.
    #[must_use]
    pub fn changed(&self) -> BoxFuture<'_, ()> {
        self.0.changed()
    }
}

#[cfg(test)]
mod tests;

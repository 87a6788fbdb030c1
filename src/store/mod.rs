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

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

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
    pub(crate) version: u64,
}

/// Where values are kept.
pub(crate) trait Backend: std::fmt::Debug + Send + Sync {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>>;
    /// Writes (or with `None` removes) where the version is still this one; with `None` where there is no value.
    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<u64>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;
    /// One more in this window; how many that makes. A window begins with its first.
    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<u64, StoreError>>;
    /// Comes back when something may have changed.
    fn changed(&self) -> BoxFuture<'_, ()>;
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
            let version = kept.as_ref().map(|kept| kept.version);
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

    /// Counts one more in a window that began with its first. How many that makes.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be counted.
    pub async fn count(&self, name: &Name, window: Duration) -> Result<u64, StoreError> {
        self.0.count(name, window).await
    }

    /// Comes back when something may have changed. Made before a value is looked at, it misses nothing after that.
    pub fn changed(&self) -> BoxFuture<'_, ()> {
        self.0.changed()
    }
}

#[cfg(test)]
mod tests;

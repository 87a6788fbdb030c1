//! The store of one process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Backend, Counted, Kept, Name, StoreError, Version};

/// Values of one kind that are kept at once. Beyond, there is no room; none is dropped early.
const MAX_VALUES: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct Memory {
    values: Mutex<Values>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Values {
    by_name: HashMap<Name, Value>,
    /// By when they end; the version tells writings apart that end at one moment.
    expiry: BTreeMap<(Instant, u64), Name>,
    of_kind: HashMap<&'static str, usize>,
    last_version: u64,
}

#[derive(Debug)]
struct Value {
    bytes: Vec<u8>,
    version: u64,
    until: Instant,
}

impl Values {
    fn forget_expired(&mut self) {
        let now = Instant::now();
        while let Some((&(until, _), _)) = self.expiry.first_key_value() {
            if until > now {
                return;
            }
            if let Some((_, name)) = self.expiry.pop_first() {
                self.drop_value(&name);
            }
        }
    }

    fn remove(&mut self, name: &Name) {
        if let Some((until, version)) = self.drop_value(name) {
            self.expiry.remove(&(until, version));
        }
    }

    fn drop_value(&mut self, name: &Name) -> Option<(Instant, u64)> {
        let value = self.by_name.remove(name)?;
        if let Some(count) = self.of_kind.get_mut(name.kind()) {
            *count -= 1;
        }
        Some((value.until, value.version))
    }

    fn put(&mut self, name: &Name, bytes: Vec<u8>, until: Instant) -> Result<(), StoreError> {
        self.remove(name);
        let count = self.of_kind.entry(name.kind()).or_default();
        if *count >= MAX_VALUES {
            return Err(StoreError::Full);
        }
        *count += 1;
        self.last_version += 1;
        let version = self.last_version;
        self.expiry.insert((until, version), name.clone());
        self.by_name.insert(name.clone(), Value { bytes, version, until });
        Ok(())
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Values> {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.forget_expired();
        values
    }
}

impl Backend for Memory {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        let kept = self
            .lock()
            .by_name
            .get(name)
            .map(|value| Kept { bytes: value.bytes.clone(), version: Version::Number(value.version) });
        std::future::ready(Ok(kept)).boxed()
    }

    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<Version>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let swapped = {
            let mut values = self.lock();
            let current = values.by_name.get(name).map(|value| Version::Number(value.version));
            if current == version {
                if let Some((bytes, lives)) = value {
                    values.put(name, bytes, Instant::now() + lives).map(|()| true)
                } else {
                    values.remove(name);
                    Ok(true)
                }
            } else {
                Ok(false)
            }
        };
        self.changed.notify_waiters();
        std::future::ready(swapped).boxed()
    }

    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<Counted, StoreError>> {
        let counted = {
            let mut values = self.lock();
            if let Some(value) = values.by_name.get_mut(name) {
                let bytes = value.bytes.as_slice().try_into().unwrap_or_default();
                let number = u64::from_le_bytes(bytes).saturating_add(1);
                // Its window stays as it began: nothing else of it changes.
                value.bytes = number.to_le_bytes().to_vec();
                Ok(Counted { number, left: value.until.saturating_duration_since(Instant::now()) })
            } else {
                let first = Counted { number: 1, left: window };
                values.put(name, 1_u64.to_le_bytes().to_vec(), Instant::now() + window).map(|()| first)
            }
        };
        std::future::ready(counted).boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        let mut notified = Box::pin(self.changed.notified());
        notified.as_mut().enable();
        notified
    }
}

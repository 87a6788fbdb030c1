//! A store that can be gone, for tests of those who stand on one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::{Backend, Kept, Name, Store, StoreError};

#[derive(Debug)]
struct Failing {
    inner: Arc<dyn Backend>,
    is_gone: Arc<AtomicBool>,
}

/// The same store, gone while this is true.
pub(crate) fn failing(store: &Store) -> (Store, Arc<AtomicBool>) {
    let is_gone = Arc::new(AtomicBool::new(false));
    (Store(Arc::new(Failing { inner: Arc::clone(&store.0), is_gone: Arc::clone(&is_gone) })), is_gone)
}

impl Failing {
    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }
}

impl Backend for Failing {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        if self.is_gone() { ready(Err(StoreError::Gone)).boxed() } else { self.inner.get(name) }
    }

    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<u64>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        if self.is_gone() {
            ready(Err(StoreError::Gone)).boxed()
        } else {
            self.inner.swap(name, version, value)
        }
    }

    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        if self.is_gone() { ready(Err(StoreError::Gone)).boxed() } else { self.inner.count(name, window) }
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        self.inner.changed()
    }
}

//! A store for tests that can be taken away and given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Backend, Kept, Name, Store, StoreError, memory::Memory};

#[derive(Debug, Default)]
pub(crate) struct Faulty {
    memory: Memory,
    is_gone: AtomicBool,
}

impl Faulty {
    /// It, and the store that stands on it.
    pub(crate) fn store() -> (Arc<Self>, Store) {
        let faulty = Arc::new(Self::default());
        (Arc::clone(&faulty), Store(faulty))
    }

    pub(crate) fn goes(&self, is_gone: bool) {
        self.is_gone.store(is_gone, Ordering::SeqCst);
    }

    async fn there<T>(&self, answer: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.is_gone.load(Ordering::SeqCst) { Err(StoreError::Gone) } else { answer.await }
    }
}

impl Backend for Faulty {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        Box::pin(async { self.there(Box::pin(async { self.memory.get(name).await })).await })
    }

    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<u64>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            self.there(Box::pin(async move { self.memory.swap(name, version, value).await })).await
        })
    }

    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(
            async move { self.there(Box::pin(async move { self.memory.count(name, window).await })).await },
        )
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        self.memory.changed()
    }
}

//! A store for tests: shared by all who have it, gone when a test says so, with or without having done the last thing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::sleep;

use super::memory::Memory;
use super::{Backend, Counted, Kept, Name, Store, StoreError, Version};

#[derive(Debug, Clone, Default)]
pub(crate) struct Faulty(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    memory: Mutex<Arc<Memory>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_gone: bool,
    /// Operations until it is gone, and whether the last one is still done, though nobody hears of it.
    goes: Option<(usize, bool)>,
    forgot: Option<Duration>,
}

impl Faulty {
    pub(crate) fn store(&self) -> Store {
        Store::with(self.clone())
    }

    /// Another way to the same values, with faults of its own.
    pub(crate) fn beside(&self) -> Self {
        Self(Arc::new(Inner { memory: Mutex::new(self.memory()), state: Mutex::default() }))
    }

    /// After so many operations it is gone; the next one may still be done, unheard of.
    pub(crate) fn goes_after(&self, operations: usize, is_done: bool) {
        self.0.state.lock().unwrap().goes = Some((operations, is_done));
    }

    pub(crate) fn goes(&self) {
        self.0.state.lock().unwrap().is_gone = true;
    }

    pub(crate) fn comes_back(&self) {
        *self.0.state.lock().unwrap() = State::default();
    }

    pub(crate) fn forgets(&self) {
        *self.0.memory.lock().unwrap() = Arc::default();
    }

    /// It has lost its memory, and whoever asks hears so.
    pub(crate) fn knows_that_it_forgot(&self, left: Duration) {
        self.0.state.lock().unwrap().forgot = Some(left);
    }

    fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.0.memory.lock().unwrap())
    }

    /// Whether the next operation is done, and whether that is heard of.
    fn next(&self) -> (bool, bool) {
        let mut state = self.0.state.lock().unwrap();
        if state.is_gone {
            return (false, false);
        }
        match &mut state.goes {
            Some((0, is_done)) => {
                let is_done = *is_done;
                state.is_gone = true;
                (is_done, false)
            }
            Some((left, _)) => {
                *left -= 1;
                (true, true)
            }
            None => (true, true),
        }
    }
}

impl Backend for Faulty {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        async move {
            let memory = self.memory();
            match self.next() {
                (true, true) => memory.get(name).await,
                _ => Err(StoreError::Gone),
            }
        }
        .boxed()
    }

    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<Version>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let memory = self.memory();
            let (is_done, is_heard) = self.next();
            let swapped =
                if is_done { memory.swap(name, version, value).await } else { Err(StoreError::Gone) };
            if is_heard { swapped } else { Err(StoreError::Gone) }
        }
        .boxed()
    }

    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<Counted, StoreError>> {
        async move {
            let memory = self.memory();
            match self.next() {
                (true, true) => memory.count(name, window).await,
                _ => Err(StoreError::Gone),
            }
        }
        .boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        sleep(Duration::from_millis(250)).boxed()
    }

    fn forgot(&self) -> BoxFuture<'_, Result<Option<Duration>, StoreError>> {
        let forgot = self.0.state.lock().unwrap().forgot;
        std::future::ready(Ok(forgot)).boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }
}

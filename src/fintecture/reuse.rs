//! Sparing with connections: a request that finds none idle, while one is on its way back to the pool, waits for that
//! one and opens no other.
//!
//! The HTTP client opens a connection whenever none is idle. One whose answer has been read is idle only a moment later,
//! when its own task has seen the end, too; so calls in quick succession would open more connections than they ever
//! have requests at a time, each with its handshake, and each kept. It does not know the upstream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::{CONNECTION, HeaderMap};
use reqwest::{Response, Version};
use tokio::time::Instant;
use tower::BoxError;
use tower::filter::AsyncPredicate;

/// How long a connection takes back to the pool at most: some turns of a busy runtime. A request that needs one more
/// connection than there are waits so long for nothing, once.
const WAY_BACK: Duration = Duration::from_millis(10);

tokio::task_local! {
    /// There while a request is being sent: whoever waits outside of it to open a connection does so for nobody.
    static SENDING: ();
}

/// Stands before the opening of connections. Clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Reuse {
    /// When the answer was read whose connection came last.
    last_read: Arc<Mutex<Option<Instant>>>,
}

impl Reuse {
    /// Sends a request.
    pub(super) async fn sending<T>(&self, request: impl Future<Output = T>) -> T {
        SENDING.scope((), request).await
    }

    /// To be dropped when this answer has been read.
    pub(super) fn reading(&self, answer: &Response) -> Option<Reading> {
        comes_back(answer.version(), answer.headers()).then(|| Reading(self.clone()))
    }

    /// Waits while a connection may be on its way back.
    ///
    /// # Errors
    /// Where the request that wanted one has found one meanwhile.
    async fn wait(&self) -> Result<(), BoxError> {
        let last_read = *self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(back) = last_read.map(|read| read + WAY_BACK).filter(|back| *back > Instant::now()) else {
            return Ok(());
        };
        tokio::time::sleep_until(back).await;
        // The client goes on with what it began, for a later request, when a connection has come back.
        SENDING.try_with(|()| ()).map_err(|_| "another connection came back".into())
    }
}

/// An answer that is being read.
#[derive(Debug)]
pub(super) struct Reading(Reuse);

impl Drop for Reading {
    fn drop(&mut self) {
        *self.0.last_read.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Whether a connection is kept after this answer and serves one request at a time.
fn comes_back(version: Version, headers: &HeaderMap) -> bool {
    let closes =
        headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    version == Version::HTTP_11 && !closes
}

impl<Target: Send + 'static> AsyncPredicate<Target> for Reuse {
    type Future = BoxFuture<'static, Result<Target, BoxError>>;
    type Request = Target;

    fn check(&mut self, target: Target) -> Self::Future {
        let reuse = self.clone();
        async move { reuse.wait().await.map(|()| target) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_opened_at_once_where_none_is_on_its_way_back() {
        let reuse = Reuse::default();
        let begun = Instant::now();
        reuse.sending(reuse.wait()).await.unwrap();
        drop(Reading(reuse.clone()));
        tokio::time::advance(WAY_BACK).await;
        reuse.sending(reuse.wait()).await.unwrap();
        assert_eq!(begun.elapsed(), WAY_BACK, "nobody waited");
    }

    #[tokio::test(start_paused = true)]
    async fn otherwise_after_a_moment_and_only_where_it_is_still_wanted() {
        let reuse = Reuse::default();
        drop(Reading(reuse.clone()));
        let begun = Instant::now();
        assert!(reuse.wait().await.is_err(), "the request went on with another connection");
        assert_eq!(begun.elapsed(), WAY_BACK);
        drop(Reading(reuse.clone()));
        reuse.sending(reuse.wait()).await.unwrap();
        assert_eq!(begun.elapsed(), 2 * WAY_BACK);
    }

    #[test]
    fn a_connection_that_is_closed_or_shared_does_not_come_back() {
        let keeps = HeaderMap::new();
        let closes = HeaderMap::from_iter([(CONNECTION, "Close".parse().unwrap())]);
        assert!(comes_back(Version::HTTP_11, &keeps));
        assert!(!comes_back(Version::HTTP_11, &closes));
        assert!(!comes_back(Version::HTTP_2, &keeps) && !comes_back(Version::HTTP_10, &keeps));
    }
}

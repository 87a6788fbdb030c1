//! Sparing with connections: a request that finds none idle, where there are enough for all requests of the moment,
//! waits for the one that is on its way back to the pool, and opens no other.
//!
//! The HTTP client opens a connection whenever none is idle. One whose answer has been read is idle only a moment later,
//! when its own task has seen the end, too; so calls in quick succession would open more connections than they ever
//! have requests at a time, each with its handshake, and each kept. It does not know the upstream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::header::{CONNECTION, HeaderMap};
use reqwest::{Response, Version};
use tokio::time::Instant;
use tower::BoxError;
use tower::filter::AsyncPredicate;

use super::http::IDLE_CONNECTION;

/// How long a connection takes back to the pool at most: some turns of a busy runtime. Where the upstream has closed one
/// meanwhile, a request waits so long in vain.
const WAY_BACK: Duration = Duration::from_millis(10);
/// Once it was in vain, nobody waits for so long.
const NOT_AGAIN_FOR: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// There while a request is being sent: whoever waits outside of it to open a connection does so for nobody.
    static SENDING: ();
}

/// Stands before the opening of connections. Clones are one.
#[derive(Debug, Clone, Default)]
pub(super) struct Reuse(Arc<Mutex<Traffic>>);

#[derive(Debug, Default)]
struct Traffic {
    /// Requests whose answers have not been read yet.
    requests: usize,
    /// Connections that are open, as far as can be told: those that the upstream closes while they are idle count, too.
    connections: usize,
    /// When the answer was read whose connection came back last.
    last_read: Option<Instant>,
    /// When one was waited for in vain.
    missed: Option<Instant>,
    /// Whether the last connection takes any number of requests at once.
    is_shared: bool,
}

impl Traffic {
    /// When the last connection on its way back is there, where one may be missing for nothing else.
    fn back_at(&self) -> Option<Instant> {
        // An upstream that closes connections without a word is not waited for again and again.
        if self.is_shared || self.missed.is_some_and(|missed| missed.elapsed() < NOT_AGAIN_FOR) {
            return None;
        }
        let back = self.last_read? + WAY_BACK;
        (self.connections >= self.requests && back > Instant::now()).then_some(back)
    }

    /// Whether one more request finds a connection, where the last one has not been idle for so long that it is closed.
    fn has_room(&self) -> bool {
        let is_recent = self.last_read.is_some_and(|read| read.elapsed() < IDLE_CONNECTION);
        (self.is_shared || self.connections > self.requests) && is_recent
    }

    /// One more is opened. None is idle then, so that each of the others serves a request.
    fn opens(&mut self) {
        self.connections = self.connections.min(self.requests.saturating_sub(1)) + 1;
    }
}

impl Reuse {
    /// A request is about to be sent. To be kept until its answer has been read.
    pub(super) fn request(&self) -> Turn {
        self.lock().requests += 1;
        Turn { reuse: self.clone(), after: After::Closed }
    }

    /// The same where it needs no further connection, as far as can be told.
    pub(super) fn request_on_what_is_open(&self) -> Option<Turn> {
        let mut traffic = self.lock();
        traffic.has_room().then(|| traffic.requests += 1)?;
        drop(traffic);
        Some(Turn { reuse: self.clone(), after: After::Closed })
    }

    /// Waits while a connection may be on its way back.
    ///
    /// # Errors
    /// Where the request that wanted one has found one meanwhile.
    async fn wait(&self) -> Result<(), BoxError> {
        let is_sending = || SENDING.try_with(|()| ()).is_ok();
        let back_at = self.lock().back_at().filter(|_| is_sending());
        if let Some(back_at) = back_at {
            tokio::time::sleep_until(back_at).await;
            // With one that came back the request is gone, and what it began is carried on for a later one.
            if !is_sending() {
                return Err("another connection came back".into());
            }
            self.lock().missed = Some(Instant::now());
        }
        self.lock().opens();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Turn {
    reuse: Reuse,
    after: After,
}

/// What becomes of a request's connection once its answer has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Closed,
    /// It goes back to the pool.
    Idle,
    /// It never left: it takes any number of requests at once.
    Shared,
}

impl Turn {
    /// Sends it.
    pub(super) async fn send<E>(
        &mut self,
        request: impl Future<Output = Result<Response, E>>,
    ) -> Result<Response, E> {
        let answer = SENDING.scope((), request).await?;
        self.after = after(answer.version(), answer.headers());
        Ok(answer)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut traffic = self.reuse.lock();
        traffic.requests -= 1;
        traffic.is_shared = self.after == After::Shared;
        if self.after != After::Closed {
            traffic.last_read = Some(Instant::now());
        }
        if self.after != After::Idle {
            traffic.connections = traffic.connections.saturating_sub(1);
        }
    }
}

fn after(version: Version, headers: &HeaderMap) -> After {
    let closes =
        || headers.get_all(CONNECTION).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"close"));
    match version {
        Version::HTTP_2 => After::Shared,
        Version::HTTP_11 if !closes() => After::Idle,
        _ => After::Closed,
    }
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

    /// How long somebody who finds no connection idle waits before opening one.
    async fn waited(reuse: &Reuse) -> Duration {
        let begun = Instant::now();
        SENDING.scope((), reuse.wait()).await.unwrap();
        begun.elapsed()
    }

    /// A request on a connection that was opened for it, and comes back.
    async fn sent(reuse: &Reuse) -> Turn {
        let mut turn = reuse.request();
        assert_eq!(waited(reuse).await, Duration::ZERO, "opened at once");
        turn.after = After::Idle;
        turn
    }

    #[tokio::test(start_paused = true)]
    async fn more_requests_open_more_connections_at_once() {
        let reuse = Reuse::default();
        let turns = [sent(&reuse).await, sent(&reuse).await];
        drop(turns);
        let _turns = [reuse.request(), reuse.request()];
        sent(&reuse).await;
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_requests_wait_for_what_comes_back_and_only_as_long_as_that_may_take() {
        let reuse = Reuse::default();
        drop(sent(&reuse).await);
        let _turn = reuse.request();
        assert!(reuse.wait().now_or_never().is_some(), "a request that is not counted is not held up");
        assert_eq!(waited(&reuse).await, WAY_BACK);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_request_began_to_open_is_given_up_when_it_has_found_another() {
        let reuse = Reuse::default();
        drop(sent(&reuse).await);
        let _turn = reuse.request();
        let mut opening = Box::pin(reuse.wait());
        SENDING.scope((), async { assert!(futures_util::poll!(opening.as_mut()).is_pending()) }).await;
        assert!(opening.await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_connection_that_was_lost_nor_after_a_while() {
        let reuse = Reuse::default();
        let (kept, mut lost) = (sent(&reuse).await, sent(&reuse).await);
        lost.after = After::Closed;
        drop((kept, lost));
        let on_the_kept_one = reuse.request();
        drop(sent(&reuse).await);
        drop(on_the_kept_one);
        tokio::time::advance(WAY_BACK).await;
        sent(&reuse).await;
    }

    #[test]
    fn what_becomes_of_a_connection_after_an_answer() {
        let keeps = HeaderMap::new();
        let closes = HeaderMap::from_iter([(CONNECTION, "Close".parse().unwrap())]);
        assert_eq!(after(Version::HTTP_11, &keeps), After::Idle);
        assert_eq!(after(Version::HTTP_2, &keeps), After::Shared);
        assert_eq!(after(Version::HTTP_11, &closes), After::Closed);
        assert_eq!(after(Version::HTTP_10, &keeps), After::Closed);
    }
}

//! Waits on an upstream that counts, in paused time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::*;
use crate::tools::ToolError;

/// What the upstream does with a look.
#[derive(Clone)]
enum Says {
    Pending,
    Decided,
    AnotherOne,
    Fails,
    TooMany(u64),
    Panics,
    Hangs,
}

/// An upstream that does as it was told, then says pending for ever.
#[derive(Clone, Default)]
struct Upstream(Arc<State>);

#[derive(Default)]
struct State {
    says: Mutex<VecDeque<Says>>,
    /// When each look began.
    looks: Mutex<Vec<Instant>>,
    began: Notify,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
}

/// Counts a look for as long as it is under way.
struct Under(Arc<State>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a look")]
fn sight(is_decided: bool) -> Looked {
    let status = if is_decided { "verified" } else { "pending" };
    let fields = Map::from_iter([("verification".to_owned(), json!({ "status": status }))]);
    Ok(Arc::new(Sight { fields, is_decided }))
}

impl Look for Upstream {
    fn look(&self, _: VerificationPath) -> BoxFuture<'static, Looked> {
        let state = Arc::clone(&self.0);
        async move {
            state.looks.lock().unwrap().push(Instant::now());
            let at_once = state.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            state.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            let _under = Under(Arc::clone(&state));
            state.began.notify_one();
            let says = state.says.lock().unwrap().pop_front().unwrap_or(Says::Pending);
            match says {
                Says::Pending | Says::AnotherOne => sight(false),
                Says::Decided => sight(true),
                Says::Fails => Err(ToolError::internal("it failed")),
                Says::TooMany(seconds) => {
                    Err(ToolError { retry_after_seconds: Some(seconds), ..ToolError::internal("too many") })
                }
                Says::Panics => panic!("secret detail"),
                Says::Hangs => std::future::pending().await,
            }
        }
        .boxed()
    }
}

impl Upstream {
    fn saying(says: impl IntoIterator<Item = Says>) -> (Self, Waits) {
        let upstream = Self::default();
        upstream.0.says.lock().unwrap().extend(says);
        (upstream.clone(), Waits::new(upstream))
    }

    fn count(&self) -> usize {
        self.0.looks.lock().unwrap().len()
    }

    /// When the looks began, in milliseconds after `start`.
    fn times(&self, start: Instant) -> Vec<u128> {
        self.0.looks.lock().unwrap().iter().map(|look| (*look - start).as_millis()).collect()
    }
}

fn path(n: usize) -> VerificationPath {
    VerificationPath {
        customer_id: "cus_1".parse().unwrap(),
        verification_id: format!("ver_{n}").parse().unwrap(),
    }
}

async fn decided(waiter: &Waiter) -> Seen {
    waiter.news().wait_for(Seen::is_decided).await.unwrap().clone()
}

/// Waits as a call does: until it is decided or the time is up, with a look at the end.
async fn wait(waits: &Waits, n: usize, time: Duration) -> Seen {
    let waiter = waits.join(&path(n));
    if tokio::time::timeout(time, decided(&waiter)).await.is_err() {
        waiter.look().await;
    }
    waiter.seen()
}

async fn nothing_is_left(waits: &Waits) {
    assert!(waits.0.lock().is_empty());
    waits.0.tasks.close();
    waits.0.tasks.wait().await;
    assert_eq!(waits.0.glances.len(), 0);
}

/// Looks of one poller within a wait of this many seconds, its last look included.
const LOOKS_OF_ONE_IN_60_S: [u128; 10] = [1000, 2500, 4750, 8125, 13187, 20781, 30781, 40781, 50781, 60000];

#[tokio::test(start_paused = true)]
async fn looks_come_after_a_second_then_at_growing_pauses_and_once_at_the_end() {
    let (upstream, waits) = Upstream::saying([]);
    let start = Instant::now();
    let seen = wait(&waits, 1, Duration::from_mins(1)).await;
    assert!(!seen.is_decided() && seen.sight.is_some() && seen.failure().is_none());
    let times = upstream.times(start);
    assert_eq!(times.len(), LOOKS_OF_ONE_IN_60_S.len(), "{times:?}");
    for (is, should_be) in times.iter().zip(LOOKS_OF_ONE_IN_60_S) {
        assert!(is.abs_diff(should_be) < 20, "{times:?}");
    }
    assert_eq!(seen.looks as usize, times.len());
    nothing_is_left(&waits).await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waits_on_a_hundred_verifications_look_as_often_as_a_hundred() {
    let (upstream, waits) = Upstream::saying([]);
    join_all((0..1000).map(|n| wait(&waits, n % 100, Duration::from_mins(1)))).await;
    assert_eq!(upstream.count(), 100 * LOOKS_OF_ONE_IN_60_S.len());
    nothing_is_left(&waits).await;
}

#[tokio::test(start_paused = true)]
async fn waits_that_end_at_different_times_never_look_twice_in_a_second() {
    let (upstream, waits) = Upstream::saying([]);
    let start = Instant::now();
    join_all((0..1000).map(|n| wait(&waits, 1, Duration::from_millis(20_000 + n * 10)))).await;
    let times = upstream.times(start);
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 1000), "{times:?}");
    assert_eq!(upstream.0.most_at_once.load(Ordering::SeqCst), 1);
    nothing_is_left(&waits).await;
}

#[tokio::test(start_paused = true)]
async fn leaving_ends_the_poller_in_the_middle_of_a_look() {
    let (upstream, waits) = Upstream::saying([Says::Hangs]);
    let waiters: Vec<Waiter> = (0..10).map(|_| waits.join(&path(1))).collect();
    upstream.0.began.notified().await;
    assert_eq!(upstream.0.under_way.load(Ordering::SeqCst), 1);
    let mut waiters = waiters.into_iter();
    let last = waiters.next().unwrap();
    drop(waiters);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(upstream.0.under_way.load(Ordering::SeqCst), 1, "one still waits");
    drop(last);
    nothing_is_left(&waits).await;
    assert_eq!(upstream.0.under_way.load(Ordering::SeqCst), 0);
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(upstream.count(), 1, "nobody looks any more");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_cancelled_waits_leave_no_task_timer_or_look() {
    let (upstream, waits) = Upstream::saying([]);
    let waiters: Vec<Waiter> = (0..1000).map(|n| waits.join(&path(n % 100))).collect();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let looked = upstream.count();
    assert_eq!(looked, 300);
    drop(waiters);
    nothing_is_left(&waits).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(upstream.count(), looked);
}

#[tokio::test(start_paused = true)]
async fn a_failing_look_is_survived_whatever_it_is() {
    let (upstream, waits) = Upstream::saying([Says::Pending, Says::Fails, Says::Panics, Says::Decided]);
    let waiter = waits.join(&path(1));
    let mut news = waiter.news();
    let mut failed = Vec::new();
    while !news.borrow_and_update().is_decided() {
        failed.push(news.borrow().failure().is_some());
        news.changed().await.unwrap();
    }
    assert_eq!(failed, [false, false, true, true]);
    assert_eq!(upstream.count(), 4);
    assert!(waiter.seen().failure().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_was_asked_for_is_kept_by_everybody() {
    let (upstream, waits) = Upstream::saying([Says::TooMany(20), Says::Decided]);
    let start = Instant::now();
    let seen = wait(&waits, 1, Duration::from_secs(15)).await;
    assert!(!seen.is_decided() && seen.failure().is_some());
    assert_eq!(upstream.count(), 1, "the look at the end would have come too early");
    let seen = wait(&waits, 1, Duration::from_secs(15)).await;
    assert!(seen.is_decided());
    let times = upstream.times(start);
    assert!(times[1] >= 21_000, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_verdict_ends_every_wait_at_once() {
    let (upstream, waits) = Upstream::saying([Says::Pending, Says::Decided]);
    let start = Instant::now();
    let seen = join_all((0..100).map(|_| wait(&waits, 1, Duration::from_mins(5)))).await;
    assert!(seen.iter().all(Seen::is_decided));
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(upstream.count(), 2);
    nothing_is_left(&waits).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_last_look_of_one_shows_ends_the_waits_of_all() {
    let (upstream, waits) = Upstream::saying([Says::Pending, Says::Pending, Says::Pending, Says::Decided]);
    let start = Instant::now();
    let (short, long) =
        tokio::join!(wait(&waits, 1, Duration::from_secs(7)), wait(&waits, 1, Duration::from_mins(5)));
    assert!(short.is_decided() && long.is_decided());
    assert!(start.elapsed() < Duration::from_millis(7100));
    assert_eq!(upstream.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn another_verification_than_the_one_asked_for_is_no_verdict() {
    let (upstream, waits) = Upstream::saying([Says::AnotherOne, Says::Decided]);
    assert!(wait(&waits, 1, Duration::from_mins(1)).await.is_decided());
    assert_eq!(upstream.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn glances_in_the_same_second_are_one_look() {
    let (upstream, waits) = Upstream::saying([]);
    for _ in 0..100 {
        let (one, other) = (path(1), path(1));
        tokio::join!(waits.glance(&one), waits.glance(&other));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(upstream.count(), 10);
    // One that nobody wants any more ends, and is in nobody's way.
    upstream.0.says.lock().unwrap().push_back(Says::Hangs);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(waits.glance(&path(1)).now_or_never().is_none());
    assert_eq!(upstream.0.under_way.load(Ordering::SeqCst), 0);
    assert!(waits.glance(&path(1)).await.is_ok());
}

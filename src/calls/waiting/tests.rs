//! Calls that wait, in paused time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Map;

use super::*;
use crate::calls::caller::Progress;
use crate::calls::waits::Looked;
use crate::tools::{Sight, ToolError};

/// What a client was told, and when: done, total, message.
type Message = (f64, Option<f64>, String, Instant);

#[derive(Debug, Default)]
struct Told(Mutex<Vec<Message>>);

impl Progress for Told {
    fn tell<'a>(&'a self, done: f64, total: Option<f64>, message: &'a str) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap().push((done, total, message.to_owned(), Instant::now()));
        async {}.boxed()
    }
}

/// A client that reads nothing: telling it anything takes for ever.
#[derive(Debug)]
struct Deaf;

impl Progress for Deaf {
    fn tell<'a>(&'a self, _: f64, _: Option<f64>, _: &'a str) -> BoxFuture<'a, ()> {
        std::future::pending().boxed()
    }
}

fn caller(progress: Option<Arc<dyn Progress>>) -> Caller {
    Caller { progress, ..Caller::local() }
}

fn path() -> VerificationPath {
    VerificationPath { customer_id: "cus_1".parse().unwrap(), verification_id: "ver_1".parse().unwrap() }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands for a look")]
fn sight(is_decided: bool) -> Looked {
    let status = if is_decided { "verified" } else { "pending" };
    let mut fields = Map::from_iter([("verification".to_owned(), json!({ "status": status }))]);
    if !is_decided {
        fields.insert("hint".to_owned(), json!("Go on with get."));
    }
    Ok(Arc::new(Sight { fields, is_decided }))
}

/// Waits whose looks show what `looks` makes of their number, from 0.
fn waits(looks: impl Fn(usize) -> BoxFuture<'static, Looked> + Send + Sync + 'static) -> Waits {
    let count = AtomicUsize::new(0);
    Waits::new(move |_: VerificationPath| looks(count.fetch_add(1, Ordering::SeqCst)))
}

fn pending(_: usize) -> BoxFuture<'static, Looked> {
    async { sight(false) }.boxed()
}

/// What the call found first.
fn first() -> Value {
    json!({"action": "start", "environment": "sandbox", "verification": {"status": "pending", "n": 1}, "hint": "Wait."})
}

fn hint(waited: &Waited) -> String {
    waited.result(&first())["hint"].as_str().unwrap().to_owned()
}

/// A call that begins now, of a client that is not told how far it is, or is.
fn untold() -> Budget {
    Budget::new(false)
}

fn told() -> Budget {
    Budget::new(true)
}

const LONGEST: Duration = Duration::from_mins(5);

async fn wait_here(waits: &Waits, span: Span, caller: &Caller) -> Waited {
    wait(waits, &path(), span, caller, &CancellationToken::new()).await
}

#[tokio::test(start_paused = true)]
async fn without_a_progress_token_a_wait_ends_after_45_s_and_says_why() {
    let began = Instant::now();
    let waited = wait_here(&waits(pending), Span::new(LONGEST, untold()), &caller(None)).await;
    assert_eq!(waited.ended, Ended::CutShort);
    assert_eq!(began.elapsed().as_secs(), 45);
    assert_eq!(
        hint(&waited),
        "Go on with get. The time to wait is up: a call without a progress token waits 45 seconds at most."
    );
}

#[tokio::test(start_paused = true)]
async fn a_shorter_wait_ends_when_it_was_asked_to() {
    let began = Instant::now();
    let span = Span::new(Duration::from_secs(7), untold());
    let waited = wait_here(&waits(pending), span, &caller(None)).await;
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::TimeUp, 7));
    assert_eq!(hint(&waited), "Go on with get. The time to wait is up.");
}

#[tokio::test(start_paused = true)]
async fn what_the_call_took_before_counts() {
    let (began, budget) = (Instant::now(), untold());
    tokio::time::sleep(Duration::from_secs(40)).await;
    let waited = wait_here(&waits(pending), Span::new(LONGEST, budget), &caller(None)).await;
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::CutShort, 48));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let waited = wait_here(&waits(pending), Span::new(LONGEST, budget), &caller(None)).await;
    assert!(waited.ended == Ended::CutShort && began.elapsed().is_zero(), "nothing is left of it");
}

#[tokio::test(start_paused = true)]
async fn the_last_look_is_cut_off_where_the_call_is_over() {
    let began = Instant::now();
    let hanging = waits(|number| match number {
        0..5 => pending(number),
        _ => std::future::pending().boxed(),
    });
    let waited = wait_here(&hanging, Span::new(LONGEST, untold()), &caller(None)).await;
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::CutShort, 50));
    assert!(hint(&waited).contains("The last look was not answered in time"), "{}", hint(&waited));
    assert_eq!(waited.result(&first())["verification"], json!({"status": "pending"}), "as last seen");
}

#[tokio::test(start_paused = true)]
async fn the_last_look_of_a_short_wait_is_cut_off_after_10_s() {
    for budget in [untold(), told()] {
        let began = Instant::now();
        let hanging = waits(|_| std::future::pending().boxed());
        let span = Span::new(Duration::from_secs(2), budget);
        let waited = wait_here(&hanging, span, &caller(None)).await;
        assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::TimeUp, 12));
        assert!(hint(&waited).contains("The last look was not answered in time"), "{}", hint(&waited));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_twice_within_half_a_second_unless_it_is_news() {
    let heard = Arc::new(Told::default());
    let slow = waits(|number| {
        async move {
            // As long as a look takes: it ends just after the client was told that it is still pending.
            tokio::time::sleep(Duration::from_millis(20)).await;
            if number == 9 { Err(ToolError::internal("secret detail")) } else { sight(false) }
        }
        .boxed()
    });
    let caller = caller(Some(Arc::clone(&heard) as Arc<dyn Progress>));
    wait_here(&slow, Span::new(Duration::from_mins(2), told()), &caller).await;
    let heard = heard.0.lock().unwrap();
    let close = |pair: &&[Message]| pair[1].3 - pair[0].3 < Duration::from_millis(500);
    let news: Vec<_> = heard.windows(2).filter(close).map(|pair| (&pair[0].2, &pair[1].2)).collect();
    assert!(news.iter().all(|(before, after)| before != after), "{heard:?}");
    assert!(news.iter().any(|(_, after)| after.contains("failed (internal)")), "{heard:?}");
    let longest = heard.windows(2).map(|pair| pair[1].3 - pair[0].3).max().unwrap();
    assert!(longest <= Duration::from_millis(10_010), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn progress_grows_and_is_never_silent_for_longer_than_10_s() {
    let heard = Arc::new(Told::default());
    let began = Instant::now();
    let failing = waits(|number| match number {
        // As long as all attempts at a look may take.
        3 => async {
            tokio::time::sleep(Duration::from_secs(45)).await;
            Err(ToolError::internal("secret detail"))
        }
        .boxed(),
        _ => pending(number),
    });
    let caller = caller(Some(Arc::clone(&heard) as Arc<dyn Progress>));
    let waited = wait_here(&failing, Span::new(LONGEST, told()), &caller).await;
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::TimeUp, 300));
    let told = heard.0.lock().unwrap();
    assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
    let times: Vec<Instant> = std::iter::once(began).chain(told.iter().map(|told| told.3)).collect();
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= Duration::from_millis(10_010)), "{told:?}");
    assert!(told.iter().all(|(done, total, ..)| *total == Some(300.0) && *done <= 300.0), "{told:?}");
    let looks = told.iter().filter(|(done, ..)| [1.0, 2.5, 4.75].iter().any(|at| (done - at).abs() < 0.02));
    assert_eq!(looks.count(), 3, "every look is told of: {told:?}");
    let failed = told.iter().filter(|told| told.2.contains("failed (internal)")).count();
    assert!(failed > 0 && failed < told.len() && told.iter().all(|told| !told.2.contains("secret")));
}

#[tokio::test(start_paused = true)]
async fn progress_goes_on_from_what_the_call_took_before() {
    let (heard, budget) = (Arc::new(Told::default()), told());
    tokio::time::sleep(Duration::from_millis(30_900)).await;
    let caller = caller(Some(Arc::clone(&heard) as Arc<dyn Progress>));
    wait_here(&waits(pending), Span::new(Duration::from_mins(1), budget), &caller).await;
    let heard = heard.0.lock().unwrap();
    assert!(heard[0].0 > 30.9 && heard[0].0 < 32.0 && heard[0].1 == Some(90.0), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_holds_up_nothing() {
    let decided = waits(|number| async move { sight(number == 3) }.boxed());
    let waited = wait_here(&decided, Span::new(LONGEST, told()), &caller(Some(Arc::new(Deaf)))).await;
    assert_eq!(waited.ended, Ended::Decided);
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_verdict_is_that_of_the_last_look() {
    let decided = waits(|number| async move { sight(number == 1) }.boxed());
    let waited = wait_here(&decided, Span::new(LONGEST, told()), &caller(None)).await;
    let mut first = first();
    first["repeated"] = json!(true);
    let result = json!({"action": "start", "environment": "sandbox", "verification": {"status": "verified"},
        "repeated": true});
    assert_eq!(waited.result(&first), result);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_is_let_go_at_once() {
    let (began, caller) = (Instant::now(), caller(None));
    let hanging = waits(|_| std::future::pending().boxed());
    let give_up = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        caller.cancelled.cancel();
    };
    let (waited, ()) = tokio::join!(wait_here(&hanging, Span::new(LONGEST, told()), &caller), give_up);
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::Cancelled, 3));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_lets_everybody_go_with_words_to_go_on() {
    let (began, stopping, stopped) = (Instant::now(), CancellationToken::new(), caller(None));
    let (waits, at) = (waits(|_| std::future::pending().boxed()), path());
    let stop = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        stopping.cancel();
    };
    let waiting = wait(&waits, &at, Span::new(LONGEST, told()), &stopped, &stopping);
    let (waited, ()) = tokio::join!(waiting, stop);
    assert_eq!((waited.ended, began.elapsed().as_secs()), (Ended::Stopping, 3));
    let result = waited.result(&first());
    assert_eq!(result["verification"], first()["verification"], "nothing newer was seen");
    let words = "Wait. The wait ended early, since the server is stopping: go on once it is back.";
    assert_eq!(result["hint"], words);
}

#[tokio::test(start_paused = true)]
async fn a_last_look_that_failed_is_told_of() {
    let failing = waits(|number| match number {
        0 => pending(number),
        _ => async { Err(ToolError::internal("secret detail")) }.boxed(),
    });
    let span = Span::new(Duration::from_secs(5), untold());
    let waited = wait_here(&failing, span, &caller(None)).await;
    assert_eq!(
        hint(&waited),
        "Go on with get. The time to wait is up. The last look failed (internal), so the status may be another one \
         by now."
    );
}

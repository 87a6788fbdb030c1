use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// How many were sent before, and whom that answers.
#[derive(Debug, Clone)]
struct Sent(usize, Answers);

impl Outcome for Sent {
    fn answers(&self) -> Answers {
        self.1
    }

    fn packed(&self) -> Option<Box<str>> {
        (self.1 == Answers::Repeats && self.0 < UNPACKED).then(|| self.0.to_string().into())
    }

    fn unpacked(text: &str) -> Option<Self> {
        text.parse().ok().map(|sent| Self(sent, Answers::Repeats))
    }
}

/// From so many on, outcomes cannot be packed.
const UNPACKED: usize = 1000;

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_packed_answers_repeats_as_well() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(UNPACKED)));
    let first = repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await;
    assert!(matches!(first, Answer::First(Sent(UNPACKED, _))));
    let again = repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await;
    let Answer::Repeated(ended) = again else { panic!() };
    assert_eq!((ended.outcome.0, ended.kept_until), (UNPACKED, Some(Instant::now() + KEPT_FOR)));
    tokio::time::advance(KEPT_FOR).await;
    let anew = repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await;
    assert!(matches!(anew, Answer::First(_)));
}

type Writing = std::pin::Pin<Box<dyn Future<Output = Sent> + Send>>;

fn write(sent: &Arc<AtomicUsize>, answers: Answers) -> impl FnOnce(CancellationToken) -> Writing + use<> {
    let sent = Arc::clone(sent);
    move |_| {
        Box::pin(async move {
            tokio::task::yield_now().await;
            Sent(sent.fetch_add(1, Ordering::SeqCst), answers)
        })
    }
}

fn stays() -> CancellationToken {
    CancellationToken::new()
}

#[tokio::test(start_paused = true)]
async fn a_success_is_sent_once_in_ten_minutes() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
    assert!(matches!(
        repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::First(_)
    ));
    let Answer::Repeated(ended) = repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await
    else {
        panic!()
    };
    assert_eq!(ended.outcome.0, 0);
    assert!(matches!(
        repeats.once([2; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::First(_)
    ));
    tokio::time::advance(KEPT_FOR).await;
    assert!(matches!(
        repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::First(_)
    ));
    assert_eq!(sent.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_forgotten_though_nothing_is_written_any_more() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
    for round in 0..2 {
        for number in 0..3 {
            let answer = repeats.once([number; 32], &stays(), write(&sent, Answers::Repeats)).await;
            assert!(matches!(answer, Answer::First(_)), "{round} {number}");
            tokio::time::sleep(KEPT_FOR / 3).await;
        }
        // The first is over now, the others are not.
        tokio::time::sleep(AT_ONCE * 2).await;
        assert_eq!(repeats.lock().by_key.len(), 2);
        tokio::time::sleep(KEPT_FOR).await;
        assert!(repeats.lock().by_key.is_empty());
    }
}

#[tokio::test]
async fn what_was_not_applied_is_forgotten_at_once() {
    let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        assert!(matches!(
            repeats.once([1; 32], &stays(), write(&sent, Answers::ThoseWaiting)).await,
            Answer::First(_)
        ));
    }
    assert_eq!(sent.load(Ordering::SeqCst), 3);
    assert!(repeats.lock().by_key.is_empty());
}

/// Nobody who has heard that nothing was applied is answered from that record any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_applied_is_forgotten_before_it_is_told() {
    let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
    for _ in 0..2000 {
        assert!(matches!(
            repeats.once([1; 32], &stays(), write(&sent, Answers::ThoseWaiting)).await,
            Answer::First(_)
        ));
    }
    assert_eq!(sent.load(Ordering::SeqCst), 2000);
}

#[tokio::test]
async fn duplicates_at_the_same_moment_are_one_write() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
    let stays = stays();
    let calls = (0..100).map(|_| repeats.once([1; 32], &stays, write(&sent, Answers::Repeats)));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::First(_))).count(), 1);
    assert_eq!(sent.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn full_records_refuse_new_writes_and_drop_none() {
    let (repeats, sent) = (Repeats::new(1), Arc::new(AtomicUsize::new(0)));
    assert!(matches!(
        repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::First(_)
    ));
    assert!(matches!(repeats.once([2; 32], &stays(), write(&sent, Answers::Repeats)).await, Answer::Full));
    assert!(matches!(
        repeats.once([1; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::Repeated(_)
    ));
    tokio::time::advance(KEPT_FOR).await;
    assert!(matches!(
        repeats.once([2; 32], &stays(), write(&sent, Answers::Repeats)).await,
        Answer::First(_)
    ));
}

#[tokio::test]
async fn a_write_goes_on_when_its_caller_leaves() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(0)));
    let stays = stays();
    let mut call = Box::pin(repeats.once([1; 32], &stays, write(&sent, Answers::Repeats)));
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    drop(call);
    let Answer::Repeated(_) = repeats.once([1; 32], &stays, write(&sent, Answers::Repeats)).await else {
        panic!()
    };
    assert_eq!(sent.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_write_that_vanishes_leaves_no_record() {
    let repeats = Repeats::<Sent>::new(10);
    let vanishing = |_| async { panic!("gone") };
    assert!(matches!(repeats.once([1; 32], &stays(), vanishing).await, Answer::Lost));
    assert!(repeats.lock().by_key.is_empty());
}

/// A write that ends when nobody waits for it any more, and that answers its first caller alone then.
fn waits_for_its_callers(given_up: CancellationToken) -> Writing {
    Box::pin(async move {
        given_up.cancelled().await;
        Sent(0, Answers::FirstCaller)
    })
}

#[tokio::test]
async fn a_write_is_given_up_when_its_last_caller_leaves() {
    let repeats = Repeats::new(10);
    let (first, second) = (stays(), stays());
    let mut one = Box::pin(repeats.once([1; 32], &first, waits_for_its_callers));
    assert!(futures_util::poll!(one.as_mut()).is_pending());
    let mut other = Box::pin(repeats.once([1; 32], &second, waits_for_its_callers));
    assert!(futures_util::poll!(other.as_mut()).is_pending());
    first.cancel();
    tokio::task::yield_now().await;
    assert!(futures_util::poll!(one.as_mut()).is_pending(), "the other caller still waits for it");
    second.cancel();
    let (one, other) = tokio::join!(one, other);
    assert!(matches!(one, Answer::First(Sent(0, _))));
    assert!(matches!(other, Answer::First(Sent(0, _))));
    assert!(repeats.lock().by_key.is_empty());
}

#[tokio::test]
async fn who_joins_a_write_that_was_given_up_begins_afresh() {
    let (repeats, sent) = (Repeats::new(10), Arc::new(AtomicUsize::new(7)));
    let first = stays();
    let mut one = Box::pin(repeats.once([1; 32], &first, waits_for_its_callers));
    assert!(futures_util::poll!(one.as_mut()).is_pending());
    let stay = stays();
    let mut other = Box::pin(repeats.once([1; 32], &stay, write(&sent, Answers::Repeats)));
    first.cancel();
    assert!(futures_util::poll!(one.as_mut()).is_pending());
    assert!(futures_util::poll!(other.as_mut()).is_pending());
    assert!(matches!(other.await, Answer::First(Sent(7, _))));
    assert!(matches!(one.await, Answer::First(Sent(0, _))));
}

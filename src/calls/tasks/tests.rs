use serde_json::Map;

use super::*;
use crate::store::faulty::Faulty;
use crate::tools::{Sight, ToolError};

fn tasks() -> Tasks {
    Tasks::new(Arc::new(Sealer::from_secret(b"secret").unwrap()), Store::memory())
}

fn handle() -> Handle {
    let at =
        VerificationPath { customer_id: "cus_1".parse().unwrap(), verification_id: "ver_1".parse().unwrap() };
    Handle::new(at, "start", true, Duration::from_mins(1))
}

fn after(handle: &Handle, seconds: u64) -> Timestamp {
    handle.created + Duration::from_secs(seconds)
}

#[test]
fn any_process_with_the_secret_takes_a_task_up_for_its_principal_alone() {
    let handle = handle();
    let id = tasks().seal("ada", &handle).unwrap();
    let other_process = tasks();
    assert_eq!(other_process.open("ada", &id, handle.created), Ok(handle.clone()));
    assert_eq!(other_process.open("eve", &id, handle.created), Err(UnknownTask));
    assert_eq!(other_process.open("ada", "made-up", handle.created), Err(UnknownTask));
    let other_secret = Tasks::new(Arc::new(Sealer::from_secret(b"rotated").unwrap()), Store::memory());
    assert_eq!(other_secret.open("ada", &id, handle.created), Err(UnknownTask));
}

#[test]
fn what_was_sealed_for_another_purpose_is_no_task() {
    let ours = Arc::new(Sealer::random().unwrap());
    let payload = serde_json::to_vec(&handle()).unwrap();
    let form = ours.seal("form", &["ada"], &payload).unwrap();
    assert_eq!(Tasks::new(ours, Store::memory()).open("ada", &form, Timestamp::now()), Err(UnknownTask));
}

#[test]
fn a_task_is_known_for_an_hour_after_its_time() {
    let (tasks, handle) = (tasks(), handle());
    let id = tasks.seal("ada", &handle).unwrap();
    assert!(tasks.open("ada", &id, after(&handle, 60 + 3599)).is_ok());
    assert!(tasks.open("ada", &id, after(&handle, 60 + 3600)).is_err());
    let task = handle.task(id, TaskState::Cancelled, handle.created);
    assert_eq!(task.lives, Duration::from_mins(61));
}

#[test]
fn pauses_grow_from_one_second_to_ten_and_the_last_ends_with_the_time() {
    let handle = handle();
    let pause = |seconds| handle.task(String::new(), TaskState::Cancelled, after(&handle, seconds)).pause;
    let pauses = [0, 2, 10, 40, 53, 60, 90].map(|seconds| pause(seconds).as_secs());
    assert_eq!(pauses, [1, 2, 6, 10, 7, 1, 1]);
}

#[test]
fn a_look_ends_it_where_it_is_decided_or_its_time_is_up() {
    let handle = handle();
    let sight = |is_decided| Ok(Arc::new(Sight { fields: Map::new(), is_decided }));
    let failed: Looked = Err(ToolError::internal("it failed"));
    let (early, late) = (after(&handle, 59), after(&handle, 60));
    assert!(matches!(handle.find(&sight(true), early), Finding::Ended(Ended::Decided)));
    assert!(matches!(handle.find(&sight(true), late), Finding::Ended(Ended::Decided)));
    assert!(matches!(handle.find(&sight(false), late), Finding::Ended(Ended::TimeUp)));
    assert!(matches!(handle.find(&failed, late), Finding::Ended(Ended::TimeUp)));
    let said = [sight(false), failed].map(|looked| match handle.find(&looked, early) {
        Finding::Working(said) => said,
        Finding::Ended(_) => panic!("it is not over"),
    });
    assert!(said[0].contains("ver_1 of customer cus_1 is pending"), "{said:?}");
    assert!(said[1].contains("failed (internal)"), "{said:?}");
}

async fn is_cancelled(tasks: &Tasks, id: &str) -> bool {
    let ending = tasks.ending(id).await.unwrap();
    ending.is_some_and(|ending| matches!(ending.state, TaskState::Cancelled))
}

fn done(at: Timestamp, n: u32) -> Ending {
    let body = serde_json::json!({ "n": n });
    Ending { at, state: TaskState::Done(Reply { body, is_error: false }) }
}

fn number(ending: &Ending) -> Option<u64> {
    match &ending.state {
        TaskState::Done(reply) => reply.body["n"].as_u64(),
        _ => None,
    }
}

#[tokio::test]
async fn cancelled_tasks_are_remembered_by_all_who_share_the_store() {
    let (tasks, handle) = (tasks(), handle());
    let other = Tasks::new(Arc::clone(&tasks.sealer), tasks.store.clone());
    let id = tasks.seal("ada", &handle).unwrap();
    assert!(!is_cancelled(&other, &id).await);
    tasks.cancel("ada", &id).await.unwrap();
    other.cancel("ada", &id).await.unwrap();
    assert!(is_cancelled(&tasks, &id).await && is_cancelled(&other, &id).await);
    assert_eq!(tasks.cancel("eve", &id).await, Err(NoTask::Unknown(UnknownTask)));
}

#[tokio::test]
async fn what_the_store_does_not_hear_is_not_cancelled() {
    let (store, handle) = (Faulty::default(), handle());
    let tasks = Tasks { store: store.store(), ..tasks() };
    let id = tasks.seal("ada", &handle).unwrap();
    store.goes();
    assert_eq!(tasks.cancel("ada", &id).await, Err(NoTask::StoreGone));
    store.comes_back();
    assert!(!is_cancelled(&tasks, &id).await);
}

#[tokio::test]
async fn the_first_ending_stays_whatever_comes_after_it() {
    let (tasks, handle) = (tasks(), handle());
    let [verdict, cancelled] = [0, 1].map(|_| tasks.seal("ada", &handle).unwrap());
    let first = after(&handle, 1);
    assert_eq!(number(&tasks.end(&verdict, &handle, done(first, 1)).await), Some(1));
    tasks.cancel("ada", &verdict).await.unwrap();
    let again = tasks.end(&verdict, &handle, done(after(&handle, 2), 2)).await;
    let remembered = tasks.ending(&verdict).await.unwrap().unwrap();
    for ending in [again, remembered] {
        assert_eq!((number(&ending), ending.at), (Some(1), first));
    }
    tasks.cancel("ada", &cancelled).await.unwrap();
    tasks.end(&cancelled, &handle, done(after(&handle, 1), 1)).await;
    assert!(is_cancelled(&tasks, &cancelled).await);
}

#[tokio::test(start_paused = true)]
async fn an_ending_is_forgotten_when_its_task_is_unknown() {
    let (tasks, handle) = (tasks(), handle());
    let [early, late] = [0, 1].map(|_| tasks.seal("ada", &handle).unwrap());
    tasks.end(&early, &handle, done(handle.created, 1)).await;
    tasks.end(&late, &handle, done(after(&handle, 60 + 3000), 1)).await;
    tokio::time::advance(Duration::from_secs(599)).await;
    assert!(tasks.ending(&late).await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(tasks.ending(&late).await.unwrap().is_none());
    tokio::time::advance(Duration::from_secs(60 + 2999)).await;
    assert!(tasks.ending(&early).await.unwrap().is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(tasks.ending(&early).await.unwrap().is_none());
}

#[tokio::test]
async fn a_task_whose_time_is_up_has_ended_and_is_not_cancelled() {
    let tasks = tasks();
    let over = Handle { until: Timestamp::now(), ..handle() };
    let id = tasks.seal("ada", &over).unwrap();
    tasks.cancel("ada", &id).await.unwrap();
    assert!(!is_cancelled(&tasks, &id).await);
}

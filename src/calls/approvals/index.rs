//! Where approvals are found: by their write, and by who asks. What an index says is a hint: the record itself says
//! where the approval stands.
//!
//! Knows nothing of what is approved.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ApprovalId;
use super::clock::{after, left};
use super::record::{LIVES_AT_MOST, REMEMBERED_FOR, Record};
use crate::calls::repeats::Key;
use crate::store::{Change, Name, Store, StoreError};

/// Approvals that wait for one principal at once.
pub(super) const MAX_WAITING: usize = 5;
/// Approvals of one principal that are over and still told about. Beyond, the one that ended first is forgotten.
pub(super) const MAX_REMEMBERED: usize = 100;
/// Principals that are known to have something waiting. Beyond, those who asked longest ago are not listed.
const MAX_ASKERS: usize = 10_000;

pub(super) fn record(id: &ApprovalId) -> Name {
    Name::new("approval", &[id.as_str().as_bytes()])
}

fn of_write(write: &Key) -> Name {
    Name::new("approval-of-write", &[write])
}

fn of_principal(principal: &str) -> Name {
    Name::new("approvals-of", &[principal.as_bytes()])
}

fn askers() -> Name {
    Name::new("approvals-askers", &[])
}

/// The approval that this write asked for last.
pub(super) async fn find(store: &Store, write: &Key) -> Result<Option<ApprovalId>, StoreError> {
    store.get(&of_write(write)).await
}

/// Lets a write find another approval. False where somebody was faster.
pub(super) async fn point(
    store: &Store,
    write: &Key,
    from: Option<&ApprovalId>,
    to: &ApprovalId,
) -> Result<bool, StoreError> {
    let swap = |known: Option<ApprovalId>| {
        if known.as_ref() == from {
            (Change::Put(to.clone(), LIVES_AT_MOST), true)
        } else {
            (Change::Keep, false)
        }
    };
    store.update(&of_write(write), swap).await
}

/// The approvals of one principal.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Places {
    waiting: Vec<Place>,
    /// Those that wait no more, the first to end first.
    ended: VecDeque<Place>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    id: ApprovalId,
    /// When it waits no more; of one that has ended, when it is forgotten.
    until: Timestamp,
}

impl Places {
    fn settle(&mut self, now: Timestamp) {
        let (waiting, over) = self.waiting.drain(..).partition(|place| place.until > now);
        self.waiting = waiting;
        let over = Vec::into_iter(over);
        self.ended
            .extend(over.map(|place: Place| Place { until: after(place.until, REMEMBERED_FOR), ..place }));
        self.ended.retain(|place| place.until > now);
    }

    /// Those that are too many to be told about.
    fn overflow(&mut self) -> Vec<ApprovalId> {
        let too_many = self.ended.len().saturating_sub(MAX_REMEMBERED);
        self.ended.drain(..too_many).map(|place| place.id).collect()
    }
}

/// Takes a place among those that wait for this principal.
///
/// # Errors
/// Inside: how long until one of them waits no more, where too many do.
pub(super) async fn enter(
    store: &Store,
    record: &Record,
    now: Timestamp,
) -> Result<Result<(), Duration>, StoreError> {
    let enter = |places: Option<Places>| {
        let mut places = places.unwrap_or_default();
        places.settle(now);
        if places.waiting.len() >= MAX_WAITING {
            let first = places.waiting.iter().map(|place| place.until).min().unwrap_or(now);
            return (Change::Keep, Err(left(first, now)));
        }
        places.waiting.push(Place { id: record.ticket.id.clone(), until: record.until });
        let forgotten = places.overflow();
        (Change::Put(places, LIVES_AT_MOST), Ok(forgotten))
    };
    Ok(match store.update(&of_principal(&record.principal), enter).await? {
        Ok(forgotten) => {
            forget(store, forgotten).await?;
            Ok(())
        }
        Err(left) => Err(left),
    })
}

/// Gives the place back: it waits no more. What is kept of too many is forgotten.
pub(super) async fn leave(
    store: &Store,
    principal: &str,
    id: &ApprovalId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let leave = |places: Option<Places>| {
        let Some(mut places) = places else { return (Change::Keep, Vec::new()) };
        places.settle(now);
        if places.waiting.iter().all(|place| place.id != *id) {
            return (Change::Keep, Vec::new());
        }
        places.waiting.retain(|place| place.id != *id);
        places.ended.push_back(Place { id: id.clone(), until: after(now, LIVES_AT_MOST) });
        let forgotten = places.overflow();
        (Change::Put(places, LIVES_AT_MOST), forgotten)
    };
    let forgotten = store.update(&of_principal(principal), leave).await?;
    forget(store, forgotten).await
}

async fn forget(store: &Store, ids: Vec<ApprovalId>) -> Result<(), StoreError> {
    for id in ids {
        // One that still holds is never dropped.
        let drop_it = |record: Option<Record>| match record {
            Some(record) if record.is_over() => (Change::Remove, ()),
            _ => (Change::Keep, ()),
        };
        store.update(&self::record(&id), drop_it).await?;
    }
    Ok(())
}

/// Remembers that this principal has something waiting.
pub(super) async fn ask(store: &Store, principal: &str, now: Timestamp) -> Result<(), StoreError> {
    let until = after(now, 2 * super::record::ANSWER_WITHIN);
    let ask = |askers: Option<BTreeMap<String, Timestamp>>| {
        let mut askers = askers.unwrap_or_default();
        if askers.get(principal).is_some_and(|until| *until >= after(now, super::record::ANSWER_WITHIN)) {
            return (Change::Keep, ());
        }
        askers.retain(|_, until| *until > now);
        if askers.len() >= MAX_ASKERS
            && let Some(first) = askers.iter().min_by_key(|(_, until)| **until).map(|(name, _)| name.clone())
        {
            askers.remove(&first);
        }
        askers.insert(principal.to_owned(), until);
        (Change::Put(askers, LIVES_AT_MOST), ())
    };
    store.update(&askers(), ask).await
}

/// What waits for anybody, no more than so many.
pub(super) async fn waiting(store: &Store, now: Timestamp) -> Result<Vec<ApprovalId>, StoreError> {
    let known: BTreeMap<String, Timestamp> = store.get(&askers()).await?.unwrap_or_default();
    let mut ids = Vec::new();
    for principal in known.keys() {
        let places: Option<Places> = store.get(&of_principal(principal)).await?;
        let waiting = places.unwrap_or_default().waiting.into_iter().filter(|place| place.until > now);
        ids.extend(waiting.map(|place| place.id));
    }
    Ok(ids)
}

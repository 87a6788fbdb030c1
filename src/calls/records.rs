//! The record of a write in a store that replicas share, so that none of them sends what another one has sent.
//!
//! A replica takes a write by putting a record where there is none, and holds it by a lease that it renews while it
//! looks things up and asks a person: a replica that dies lets go of it. Before the write leaves, the record says so
//! ([`Lease::let_leave`]): from then on it outlives its replica, and nobody sends the write again. Beside it stands a sign
//! of life, which the store forgets when nobody renews it: whoever finds such a record without one, and a moment later
//! still without one, takes its replica for gone, and the outcome is not known. Clocks are compared with nobody's: both end
//! in the store, so that it hardly matters how long the one who looks has been there itself.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::Reply;
use super::repeats::{JOINED_FOR, KEPT_FOR, Key};
use crate::store::{Change, Name, Store, StoreError};

/// How long what is under way stays so without a word from its owner.
const LEASE: Duration = Duration::from_secs(15);
/// How often an owner says that it is there.
const BEAT: Duration = Duration::from_secs(5);
/// How long an owner has to say that it is there, once the store is back that it could not tell before.
const COMES_BACK: Duration = Duration::from_secs(4);
/// How long what must be alone is held once its write may leave: longer than any write takes.
const ALONE: Duration = Duration::from_mins(1);
/// How often it is tried again to tell a store that is gone.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// What is kept of a write.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    owner: Uuid,
    /// Counts the owner's signs of life.
    beat: u64,
    stage: Stage,
}

#[derive(Clone, Serialize, Deserialize)]
enum Stage {
    /// Nothing was sent yet.
    UnderWay,
    /// It may have been sent.
    Sent,
    /// It came to this, which is kept until then.
    Ended { reply: Reply, until: Timestamp },
}

/// What a write finds.
pub(super) enum Entered {
    /// It is this replica's now.
    Mine(Lease),
    /// It was carried out lately, and would be sent again from then on.
    Ended(Reply, Timestamp),
    /// Another replica is about it, for longer than a call may wait.
    UnderWay,
    /// Nobody waits for it any more.
    Left,
    /// Nothing is known of it, since the store does not work.
    Unknown(StoreError),
    /// Nothing is known of it, since the store has lost its memory; for so long.
    Forgotten(Duration),
}

/// The records of a store.
#[derive(Debug, Clone)]
pub(super) struct Records(Store);

impl Records {
    /// Those of a store that replicas share: one process alone needs none.
    pub(super) fn new(store: &Store) -> Option<Self> {
        store.is_shared().then(|| Self(store.clone()))
    }

    /// Takes a write, unless it was carried out lately; waits while another replica is about it. `lost` is what a
    /// write came to whose replica has died on the way.
    pub(super) async fn enter(&self, key: &Key, given_up: &CancellationToken, lost: &Reply) -> Entered {
        let name = Name::new("write", &[key]);
        let until = Instant::now() + JOINED_FOR;
        let mut is_anothers = false;
        let mut quiet: Option<(Uuid, Instant)> = None;
        loop {
            let changed = self.0.changed();
            match self.take(&name, KEPT_FOR).await {
                Ok(Taken::Mine(lease)) => return self.unless_forgotten(lease).await,
                Ok(Taken::Others(Record { stage: Stage::Ended { reply, until }, .. })) => {
                    return Entered::Ended(reply, until);
                }
                Ok(Taken::Others(record)) => {
                    is_anothers = true;
                    let is_quiet = matches!(record.stage, Stage::Sent) && self.is_gone(&record).await;
                    let before = quiet.filter(|(owner, _)| is_quiet && *owner == record.owner);
                    let (_, since) = *before.as_ref().unwrap_or(&(record.owner, Instant::now()));
                    if is_quiet && since.elapsed() >= COMES_BACK {
                        self.declare_lost(&name, &record, lost).await;
                        continue;
                    }
                    quiet = is_quiet.then_some((record.owner, since));
                }
                // It is known that another one is about it, and the store may come back in time.
                Err(_) if is_anothers => {}
                Err(error) => return Entered::Unknown(error),
            }
            tokio::select! {
                () = given_up.cancelled() => return Entered::Left,
                () = sleep_until(until) => return Entered::UnderWay,
                () = changed => {}
            }
        }
    }

    /// Where a record is missing that may have been lost, the write may have been sent.
    async fn unless_forgotten(&self, lease: Lease) -> Entered {
        let entry = match self.0.forgot().await {
            Ok(None) => return Entered::Mine(lease),
            Ok(Some(left)) => Entered::Forgotten(left),
            Err(error) => Entered::Unknown(error),
        };
        lease.end(None).await;
        entry
    }

    /// Waits until no other write is about what these parts name, on any replica, for `time` at most.
    pub(super) async fn alone(&self, parts: &[&str], time: Duration) -> Result<Option<Lease>, StoreError> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let name = Name::new("turn", &parts);
        let until = Instant::now() + time;
        loop {
            let changed = self.0.changed();
            if let Taken::Mine(lease) = self.take(&name, ALONE).await? {
                return Ok(Some(lease));
            }
            tokio::select! {
                () = sleep_until(until) => return Ok(None),
                () = changed => {}
            }
        }
    }

    /// Puts a record where there is none.
    async fn take(&self, name: &Name, lives_sent: Duration) -> Result<Taken, StoreError> {
        let owner = Uuid::new_v4();
        let others = self.0.update(name, |record: Option<Record>| match record {
            None => (Change::Put(Record { owner, beat: 0, stage: Stage::UnderWay }, LEASE), None),
            Some(record) => (Change::Keep, Some(record)),
        });
        Ok(match others.await? {
            Some(record) => Taken::Others(record),
            None => Taken::Mine(Lease::new(self.0.clone(), name.clone(), owner, lives_sent)),
        })
    }

    /// Whether the store has no sign of life of this record's owner any more; it has one where it cannot be asked.
    async fn is_gone(&self, record: &Record) -> bool {
        matches!(self.0.get::<()>(&sign_of_life(record.owner)).await, Ok(None))
    }

    /// The owner of this record is gone, and nobody knows what became of its write. Should the owner know better after
    /// all, its word goes before this.
    async fn declare_lost(&self, name: &Name, seen: &Record, lost: &Reply) {
        let declared = self.0.update(name, |record: Option<Record>| match record {
            Some(record) if record.is_same(seen) => (record.ended(lost), ()),
            _ => (Change::Keep, ()),
        });
        if declared.await.is_ok() {
            tracing::warn!("a replica is gone, and with it the outcome of a write");
        }
    }
}

enum Taken {
    Mine(Lease),
    Others(Record),
}

impl Record {
    fn is_same(&self, seen: &Self) -> bool {
        (self.owner, self.beat) == (seen.owner, seen.beat) && !matches!(self.stage, Stage::Ended { .. })
    }

    /// The same record, ended now.
    fn ended(self, reply: &Reply) -> Change<Self> {
        let until = Timestamp::now() + KEPT_FOR;
        let stage = Stage::Ended { reply: reply.clone(), until };
        Change::Put(Self { stage, ..self }, KEPT_FOR)
    }
}

/// A record that is this replica's. Its owner is heard of while this is there.
#[derive(Debug)]
pub(super) struct Lease {
    store: Store,
    name: Name,
    owner: Uuid,
    /// How long the record lives once its write may have left.
    lives_sent: Duration,
    beats: AbortOnDropHandle<()>,
}

impl Lease {
    fn new(store: Store, name: Name, owner: Uuid, lives_sent: Duration) -> Self {
        let beats = tokio::spawn(beat(store.clone(), name.clone(), owner, lives_sent));
        Self { store, name, owner, lives_sent, beats: AbortOnDropHandle::new(beats) }
    }

    /// The last step before a write leaves: from here on nobody else sends it. False where this replica has lost it:
    /// its lease ran out, or the store has lost its memory.
    ///
    /// # Errors
    /// [`StoreError`] where it is not known: nothing may be sent then either.
    pub(super) async fn let_leave(&self) -> Result<bool, StoreError> {
        let (owner, lives) = (self.owner, self.lives_sent);
        // Before the record says that it is sent, which nobody may find without it.
        live(&self.store, owner).await?;
        let left = self.store.update(&self.name, |record: Option<Record>| match record {
            Some(record) if record.owner == owner && matches!(record.stage, Stage::UnderWay) => {
                (Change::Put(Record { stage: Stage::Sent, ..record }, lives), true)
            }
            _ => (Change::Keep, false),
        });
        left.await
    }

    /// Ends it: with what is kept of it, or with nothing. A store that is gone is told once it is back.
    pub(super) async fn end(self, kept: Option<Reply>) {
        let Self { store, name, owner, beats, .. } = self;
        if tell(&store, &name, owner, kept.as_ref()).await.is_ok() {
            return;
        }
        tokio::spawn(async move {
            // It is known to be there until it has told.
            let _beats = beats;
            let until = Instant::now() + KEPT_FOR;
            while Instant::now() < until {
                sleep(TELL_AGAIN).await;
                if tell(&store, &name, owner, kept.as_ref()).await.is_ok() {
                    return;
                }
            }
            tracing::error!("the store was gone for so long that it never heard how a write ended");
        });
    }
}

async fn tell(store: &Store, name: &Name, owner: Uuid, kept: Option<&Reply>) -> Result<(), StoreError> {
    let told = store.update(name, |record: Option<Record>| match (record, kept) {
        (Some(record), _) if record.owner != owner => (Change::Keep, ()),
        (Some(record), Some(reply)) => (record.ended(reply), ()),
        (Some(_), None) => (Change::Remove, ()),
        // It has lost its memory: it is told again.
        (None, Some(reply)) => (Record { owner, beat: 0, stage: Stage::Sent }.ended(reply), ()),
        (None, None) => (Change::Keep, ()),
    });
    told.await
}

/// What stands in the store while the owner of a write that may be sent is there.
fn sign_of_life(owner: Uuid) -> Name {
    Name::new("owner", &[owner.as_bytes()])
}

async fn live(store: &Store, owner: Uuid) -> Result<(), StoreError> {
    store.update(&sign_of_life(owner), |_: Option<()>| (Change::Put((), LEASE), ())).await
}

/// Says again and again that the owner is there.
async fn beat(store: Store, name: Name, owner: Uuid, lives_sent: Duration) {
    let mut pause = BEAT;
    loop {
        sleep(pause).await;
        // Before the record, whose count tells whoever takes its owner for dead that it is not.
        pause = if live(&store, owner).await.is_ok() { BEAT } else { TELL_AGAIN };
        let beaten = store.update(&name, |record: Option<Record>| match record {
            Some(record) if record.owner == owner => {
                let lives = match record.stage {
                    Stage::UnderWay => LEASE,
                    Stage::Sent => lives_sent,
                    Stage::Ended { .. } => return (Change::Keep, ()),
                };
                (Change::Put(Record { beat: record.beat + 1, ..record }, lives), ())
            }
            _ => (Change::Keep, ()),
        });
        // What became of it shows when the write is to leave.
        let _ = beaten.await;
    }
}

#[cfg(test)]
mod tests;

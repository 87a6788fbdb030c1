//! Approvals as the store keeps them: read as they stand now, and changed where nobody changed them meanwhile.
//!
//! Knows nothing of what a change means.

use jiff::Timestamp;

use super::record::Record;
use super::{ApprovalId, Approvals, Phase, Refused, clock, index, whole_seconds};
use crate::calls::repeats::Key;
use crate::store::{Change, StoreError};

impl Approvals {
    /// Adds one that waits.
    pub(super) async fn add(&self, record: &Record, now: Timestamp) -> Result<(), Refused> {
        index::enter(&self.store, record, now)
            .await?
            .map_err(|left| Refused::TooMany { retry_after_seconds: whole_seconds(left) })?;
        if self.people.is_some() {
            index::ask(&self.store, &record.principal, now).await?;
        }
        let add = |_: Option<Record>| (Change::Put(record.clone(), record.lives(now)), ());
        Ok(self.store.update(&index::record(&record.ticket.id), add).await?)
    }

    /// Whether this is the first to be told that the write was declined.
    pub(super) async fn tell(&self, id: &ApprovalId) -> Result<bool, StoreError> {
        let tell = |record: &mut Record, _| !std::mem::replace(&mut record.is_told, true);
        Ok(self.change(id, tell).await?.unwrap_or(false))
    }

    /// The approval of this id, as it stands now. One that this process has used up is used, whatever is kept.
    pub(super) async fn load(&self, id: &ApprovalId) -> Result<Option<Record>, StoreError> {
        let (kept, now): (Option<Record>, _) = (self.store.get(&index::record(id)).await?, clock::now());
        let mut record = kept.and_then(|record| record.at(now));
        if let Some(record) = record.as_mut().filter(|_| self.used.has(id, now)) {
            record.phase = Phase::Used;
        }
        Ok(record)
    }

    /// The approval that a call of this write finds.
    pub(super) async fn of_write(&self, write: &Key) -> Result<Option<Record>, StoreError> {
        let Some(id) = index::find(&self.store, write).await? else { return Ok(None) };
        let record = self.load(&id).await?;
        Ok(record.filter(|record| record.write == *write && record.is_found()))
    }

    /// Changes an approval; nothing where there is none. `change` may be called several times, and what it returned
    /// last is returned.
    pub(super) async fn change<R>(
        &self,
        id: &ApprovalId,
        mut change: impl FnMut(&mut Record, Timestamp) -> R,
    ) -> Result<Option<R>, StoreError> {
        let update = |known: Option<Record>| {
            let now = clock::now();
            let Some(mut record) = known.clone().and_then(|record| record.at(now)) else {
                return (Change::Keep, None);
            };
            let outcome = change(&mut record, now);
            // What time alone has changed, time changes again.
            let lives = record.lives(now);
            let change =
                if known.as_ref() == Some(&record) { Change::Keep } else { Change::Put(record, lives) };
            (change, Some(outcome))
        };
        self.store.update(&index::record(id), update).await
    }
}

//! Approvals: a person's yes to one write. Who asks for one, how a person proves that it is a person, what was
//! decided, and that a yes is used once.
//!
//! Knows no protocol and no HTML: calls ask and take, pages prove and decide, and the [`Desk`] says where the
//! pages stand and opens the person's browser. Everything is in the [`Store`]: a page that one replica serves decides
//! about a write that waits at another.
//!
//! | module | does |
//! |---|---|
//! | `record` | one approval, and where it stands |
//! | `kept`, `index` | reading and changing them in the store; finding them by write, by who asks |
//! | `proof` | keys and proofs of one approval |
//! | `people` | people who have signed in, and about what they may decide |
//! | `code`, `guesses`, `typing` | the code that a person types, and how often it may be wrong |
//! | `desk`, `windows` | where the pages stand, and the windows of the person's browser |
//! | `page` | what the pages may see and do |
//! | `used` | what this process has used up, whatever the store says later |
//! | `recording` | what is put on record of all this |
//! | `id`, `clock` | names and secrets that nobody can guess; what time it is |

mod clock;
mod code;
mod desk;
mod guesses;
mod id;
mod index;
mod kept;
mod page;
mod people;
mod proof;
mod record;
mod recording;
mod typing;
mod used;
mod windows;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::repeats::Key;
use crate::audit::Trail;
use crate::store::Store;
pub use crate::store::StoreError;
use crate::tools::Question;
pub use code::{Code, CodeError, MIN_CODE_CHARS};
pub use desk::Desk;
pub use id::ApprovalId;
pub use page::{Decided, Decision, How, PressRefused, Sight, View, Visitor, Ways};
pub use people::{Approvers, People, SIGNED_IN_FOR, SignInBy, SignedIn, Waits};
pub use proof::Proof;
pub use record::Phase;
use record::Record;
pub use recording::Refusal;
pub use typing::CodeRefused;
use used::Used;

/// Whether a write needs a person's yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confirm {
    /// No write does.
    #[default]
    Never,
    /// Where the client can be asked; elsewhere a write goes on without.
    Auto,
    /// Every write does.
    Always,
}

/// What an agent is told of an approval. Nothing in it grants anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its name.
    pub id: ApprovalId,
    /// The page's address, without any key.
    pub url: String,
    /// RFC 3339, UTC: until when it can be answered, or used once approved.
    pub expires_at: String,
}

/// How a write stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody was asked, or what came of it is over.
    Unknown,
    /// A person is being asked.
    Waiting(Ticket),
    /// A person said yes: [`Approvals::take`] uses it up.
    Approved,
    /// A person said no. Told once.
    Declined,
}

/// Why no approval is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many wait for this principal as may.
    #[error("as many approvals wait as may")]
    TooMany {
        /// When the first of them waits no more.
        retry_after_seconds: u64,
    },
    /// No person could prove themselves on a page, or there is none.
    #[error("there is no approval page that a person could use")]
    NoPage,
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An approval that was used up, to be put back where its write never left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    id: ApprovalId,
    until: Timestamp,
    /// Whose yes it was.
    pub decided: Option<Decided>,
}

/// The approvals of all replicas that share the store.
pub struct Approvals {
    code: Option<Code>,
    people: Option<People>,
    desk: Arc<dyn Desk>,
    store: Store,
    /// What this process has used up.
    used: Used,
    /// Where it is put on record what a person decides, and what is refused.
    trail: OnceLock<Trail>,
}

impl Approvals {
    /// Given by whoever holds the person's browser, or knows the code.
    #[must_use]
    pub fn new(code: Option<Code>, desk: Arc<dyn Desk>, store: Store) -> Arc<Self> {
        Arc::new(Self { code, people: None, desk, store, used: Used::default(), trail: OnceLock::new() })
    }

    /// Given by people who sign in.
    #[must_use]
    pub fn by_people(people: People, desk: Arc<dyn Desk>, store: Store) -> Arc<Self> {
        Arc::new(Self {
            code: None,
            people: Some(people),
            desk,
            store,
            used: Used::default(),
            trail: OnceLock::new(),
        })
    }

    /// Approvals that only a client can bring: there is no page.
    #[must_use]
    pub fn without_page() -> Arc<Self> {
        Self::new(None, Arc::new(desk::NoDesk), Store::memory())
    }

    /// Whether a person could prove themselves on a page at all: a browser can be opened, a code is set, or people
    /// can sign in.
    #[must_use]
    pub fn has_page(&self) -> bool {
        match self.people {
            Some(people) => people.by != SignInBy::Nothing,
            None => self.desk.has_browser() || self.code.is_some(),
        }
    }

    /// Reads the code's file again.
    pub fn reload_code(&self) {
        if let Some(code) = &self.code {
            code.reload();
        }
    }

    /// How a write stands. `Declined` is told once: asking for it forgets it.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn standing(&self, write: &Key) -> Result<Standing, StoreError> {
        let Some(record) = self.of_write(write).await? else { return Ok(Standing::Unknown) };
        Ok(match record.phase {
            Phase::Waiting => Standing::Waiting(record.ticket),
            Phase::Approved => Standing::Approved,
            _ if self.tell(&record.ticket.id).await? => Standing::Declined,
            _ => Standing::Unknown,
        })
    }

    /// The approval of this write that waits already, or a new one, for which the person's browser is opened.
    ///
    /// # Errors
    /// [`Refused`] where none can be opened.
    pub async fn open(
        self: &Arc<Self>,
        principal: &str,
        write: Key,
        question: Question,
    ) -> Result<Ticket, Refused> {
        if !self.has_page() {
            return Err(Refused::NoPage);
        }
        let origin = self.desk.origin().await.ok_or(Refused::NoPage)?;
        let (known, ticket) = loop {
            let before = index::find(&self.store, &write).await?;
            // Also one that was answered in the meantime: the next call finds what came of it.
            if let Some(record) = self.of_write(&write).await? {
                break (true, record.ticket);
            }
            let id = ApprovalId::random().ok_or(Refused::NoPage)?;
            let now = clock::now();
            let expires_at = record::in_words(clock::after(now, record::ANSWER_WITHIN));
            let ticket = Ticket { url: format!("{origin}/approvals/{id}"), id, expires_at };
            let record = Record::new(principal, write, ticket.clone(), question.clone(), now);
            self.add(&record, now).await?;
            if index::point(&self.store, &write, before.as_ref(), &ticket.id).await? {
                break (false, ticket);
            }
            // The same call at another replica was faster.
            self.change(&ticket.id, |record, now| record.end(Phase::AnsweredInClient, now)).await?;
            index::leave(&self.store, principal, &ticket.id, now).await?;
        };
        if !known && self.desk.has_browser() {
            self.bring(&ticket.id).await;
        }
        Ok(ticket)
    }

    /// Comes back when the approval waits no more (approved, declined, over, gone).
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out any more.
    pub async fn decided(&self, id: &ApprovalId) -> Result<(), StoreError> {
        loop {
            let changed = self.store.changed();
            let until = match self.load(id).await? {
                Some(record) if record.is_waiting() => record.until,
                _ => return Ok(()),
            };
            tokio::select! {
                () = changed => {}
                () = sleep(clock::left(until, clock::now())) => {}
            }
        }
    }

    /// Uses up the approval of this write, right before it is sent. None where there is none that holds.
    ///
    /// # Errors
    /// [`StoreError`]: then it may be used up, and the write must not be sent.
    pub async fn take(&self, write: &Key) -> Result<Option<Taken>, StoreError> {
        let Some(id) = index::find(&self.store, write).await? else { return Ok(None) };
        let take = |record: &mut Record, now| {
            let holds = record.phase == Phase::Approved && record.write == *write;
            holds.then(|| {
                let decided = record.decided.clone();
                let taken = Taken { id: id.clone(), until: record.until, decided };
                record.end(Phase::Used, now);
                taken
            })
        };
        // Whoever can write to the store could have brought an old value back.
        if self.used.has(&id, clock::now()) {
            return Ok(None);
        }
        let taken = self.change(&id, take).await?.flatten();
        if let Some(taken) = &taken {
            self.used.add(&taken.id, taken.until, clock::now());
        }
        Ok(taken)
    }

    /// The write certainly never left after all: the approval holds again, for the time that it had left, unless the
    /// write was asked for again meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] where it does not hold again.
    pub async fn put_back(&self, taken: Taken) -> Result<(), StoreError> {
        let Some(record) = self.load(&taken.id).await? else { return Ok(()) };
        let found = index::find(&self.store, &record.write).await?;
        if self.of_write(&record.write).await?.is_some()
            || !index::point(&self.store, &record.write, found.as_ref(), &taken.id).await?
        {
            return Ok(());
        }
        self.used.forget(&taken.id);
        let hold_again = |record: &mut Record, _| {
            if record.phase == Phase::Used {
                record.phase = Phase::Approved;
                record.until = taken.until;
            }
        };
        self.change(&taken.id, hold_again).await?;
        Ok(())
    }

    /// The person answered in the client, yes or no: whatever the page of this write waits for or has brought is over,
    /// and its page says so. False where the page has a no that nobody was told yet: that one counts.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be written down.
    pub async fn answered_in_client(&self, write: &Key) -> Result<bool, StoreError> {
        let Some(record) = self.of_write(write).await? else { return Ok(true) };
        let id = &record.ticket.id;
        let end = |record: &mut Record, now| {
            let stands = record.phase != Phase::Declined || record.is_told;
            record.is_told |= !stands;
            record.end(Phase::AnsweredInClient, now);
            stands
        };
        let stands = self.change(id, end).await?.unwrap_or(true);
        index::leave(&self.store, &record.principal, id, clock::now()).await?;
        Ok(stands)
    }
}

// Questions are full of personal data: nothing of them reaches a log by way of Debug.
impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").field("desk", &self.desk).finish_non_exhaustive()
    }
}

fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

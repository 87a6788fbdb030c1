//! Approvals: a person's yes to one write. Who asks for one, how a person proves that it is a person, what was
//! decided, and that a yes is used once.
//!
//! Knows no protocol and no HTML: calls ask and take, pages prove and decide, and the [`Desk`] says where the
//! pages stand and opens the person's browser. Everything is in memory and ends with the process.
//!
//! | module | does |
//! |---|---|
//! | `store` | what approvals there are and where each one stands |
//! | `proof` | keys, proofs and page tokens of one approval |
//! | `code`, `guesses`, `typing` | the code that a person types, and how often it may be wrong |
//! | `desk`, `windows` | where the pages stand, and the windows of the person's browser |
//! | `page` | what the pages may see and do |
//! | `id` | names and secrets that nobody can guess |

mod code;
mod desk;
mod guesses;
mod id;
mod page;
mod proof;
mod store;
mod typing;
mod windows;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::masking;
use super::repeats::Key;
use crate::audit::{Event, Trail};
use crate::tools::Question;
pub use code::{Code, CodeError, MIN_CODE_CHARS};
pub use desk::Desk;
pub use id::ApprovalId;
pub use page::{Decision, PressRefused, Sight, View, Ways};
pub use proof::Proof;
pub use store::Phase;
use store::Store;
pub use typing::CodeRefused;

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// An approval that was used up, to be put back where its write never left.
#[derive(Debug)]
pub struct Taken {
    id: ApprovalId,
    until: Instant,
}

/// The approvals of this process.
pub struct Approvals {
    code: Option<Code>,
    desk: Arc<dyn Desk>,
    store: Mutex<Store>,
    /// Where it is put on record what a person decides.
    trail: OnceLock<Trail>,
}

impl Approvals {
    /// None yet.
    #[must_use]
    pub fn new(code: Option<Code>, desk: Arc<dyn Desk>) -> Arc<Self> {
        Arc::new(Self { code, desk, store: Mutex::default(), trail: OnceLock::new() })
    }

    /// Puts on this record what a person decides on a page.
    pub fn records(&self, trail: Trail) {
        let _ = self.trail.set(trail);
    }

    fn on_record(&self, decision: Decision, principal: &str, write: &Key) {
        let Some(trail) = self.trail.get() else { return };
        let decision = match decision {
            Decision::Approve => "approved",
            Decision::Decline => "declined",
        };
        let principal = Some(masking::mask_text(principal).into_owned());
        let arguments = trail.digest(write);
        trail.note(&Event::Approval { decision, how: "page", principal, approver: None, arguments });
    }

    /// Approvals that only a client can bring: there is no page.
    #[must_use]
    pub fn without_page() -> Arc<Self> {
        Self::new(None, Arc::new(desk::NoDesk))
    }

    /// Whether a person could prove themselves on a page at all: a browser can be opened, or a code is set.
    #[must_use]
    pub fn has_page(&self) -> bool {
        self.desk.has_browser() || self.code.is_some()
    }

    /// Reads the code's file again.
    pub fn reload_code(&self) {
        if let Some(code) = &self.code {
            code.reload();
        }
    }

    /// How a write stands. `Declined` is told once: asking for it forgets it.
    #[must_use]
    pub fn standing(&self, write: &Key) -> Standing {
        let mut store = self.lock();
        let Some(record) = store.of_write(write, Instant::now()) else { return Standing::Unknown };
        match record.phase {
            Phase::Waiting => Standing::Waiting(record.ticket.clone()),
            Phase::Approved => Standing::Approved,
            _ => {
                store.told(write);
                Standing::Declined
            }
        }
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
        let ticket = {
            let now = Instant::now();
            let mut store = self.lock();
            // Also one that was answered in the meantime: the next call finds what came of it.
            if let Some(record) = store.of_write(&write, now) {
                return Ok(record.ticket.clone());
            }
            let id = ApprovalId::random().ok_or(Refused::NoPage)?;
            let url = format!("{origin}/approvals/{id}");
            let ticket = Ticket { id, url, expires_at: in_words(store::ANSWER_WITHIN) };
            store
                .add(principal, write, ticket.clone(), question, now)
                .map_err(|left| Refused::TooMany { retry_after_seconds: whole_seconds(left) })?;
            ticket
        };
        if self.desk.has_browser() {
            self.bring(&ticket.id);
        }
        Ok(ticket)
    }

    /// Comes back when the approval waits no more (approved, declined, over, gone).
    pub async fn decided(&self, id: &ApprovalId) {
        loop {
            let (mut changed, until) = match self.lock().get(id, Instant::now()) {
                Some(record) if record.phase == Phase::Waiting => (record.changed.subscribe(), record.until),
                _ => return,
            };
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    /// Uses up the approval of this write, right before it is sent. None where there is none that holds.
    #[must_use]
    pub fn take(&self, write: &Key) -> Option<Taken> {
        let now = Instant::now();
        let mut store = self.lock();
        let record = store.of_write(write, now).filter(|record| record.phase == Phase::Approved)?;
        let taken = Taken { id: record.ticket.id.clone(), until: record.until };
        store.end(&taken.id, Phase::Used, now);
        Some(taken)
    }

    /// The write certainly never left after all: the approval holds again, for the time that it had left.
    pub fn put_back(&self, taken: Taken) {
        let Taken { id, until } = taken;
        self.lock().hold_again(&id, until, Instant::now());
    }

    /// The person answered in the client, yes or no: whatever the page of this write waits for or has brought is over,
    /// and its page says so. False where the page has a no that nobody was told yet: that one counts.
    pub fn answered_in_client(&self, write: &Key) -> bool {
        let now = Instant::now();
        let mut store = self.lock();
        let Some(record) = store.of_write(write, now) else { return true };
        let (id, phase) = (record.ticket.id.clone(), record.phase);
        if phase == Phase::Declined {
            store.told(write);
            return false;
        }
        store.end(&id, Phase::AnsweredInClient, now);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Questions are full of personal data: nothing of them reaches a log by way of Debug.
impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approvals").field("desk", &self.desk).finish_non_exhaustive()
    }
}

/// The moment after this time, to the second, as RFC 3339 in UTC.
fn in_words(left: Duration) -> String {
    let seconds = i64::try_from(left.as_secs()).unwrap_or(0);
    let at = Timestamp::now().as_second().saturating_add(seconds);
    Timestamp::from_second(at).map(|at| at.to_string()).unwrap_or_default()
}

fn whole_seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}

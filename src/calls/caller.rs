//! Who makes a call, and how they can be reached while it runs. Every face of the server brings one of these.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::repeats::Key;
use crate::domain::Principal;
use crate::traces::Origin;

/// One caller, for one call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who calls, once authenticated.
    pub principal: Arc<Principal>,
    /// The client's own name and version, as it told them; nothing where it did not.
    pub client: Option<String>,
    /// Cancelled when the client gives the call up.
    pub cancelled: CancellationToken,
    /// Where the client asked to be told how far the call is; its time budget is then longer.
    pub progress: Option<Arc<dyn Progress>>,
    /// The person behind the client, where the client can ask them anything.
    pub person: Option<Arc<dyn Person>>,
    /// Whether the client follows a wait by itself: it is handed a task instead of being kept waiting.
    pub takes_tasks: bool,
    /// Where the call stands in a trace.
    pub origin: Origin,
}

impl Caller {
    /// A local caller that cannot be asked anything and is told nothing on the way.
    #[must_use]
    pub fn local() -> Self {
        Self {
            principal: Arc::new(Principal::local()),
            client: None,
            cancelled: CancellationToken::new(),
            progress: None,
            person: None,
            takes_tasks: false,
            origin: Origin::default(),
        }
    }
}

/// How far a call is, told to the client.
pub trait Progress: Debug + Send + Sync {
    /// Tells it. `done` and `total` are seconds; `done` grows from one message to the next.
    fn tell<'a>(&'a self, done: f64, total: Option<f64>, message: &'a str) -> BoxFuture<'a, ()>;
}

/// The way to the person through the client.
pub trait Person: Debug + Send + Sync {
    /// What the client can do.
    fn ways(&self) -> Ways;
    /// The answer that the client brought along with this call, where it brought one.
    fn brought<'a>(&'a self, write: &'a Key) -> BoxFuture<'a, Option<Brought>>;
    /// Puts a question. Dropping the future takes it back.
    fn ask<'a>(&'a self, write: &'a Key, question: Ask) -> BoxFuture<'a, Said>;
}

/// How a client can ask its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ways {
    /// By a form of one boolean.
    pub form: bool,
    /// By leading them to a page.
    pub page: bool,
    /// Whether the client is the person's own, so that what it says they said counts.
    pub is_their_own: bool,
}

/// What a person is asked.
#[derive(Clone, PartialEq, Eq)]
pub enum Ask {
    /// Yes or no, right in the client.
    Form {
        /// The write in plain words.
        message: String,
    },
    /// To open the page of an approval. Agreeing to open it decides nothing.
    Page {
        /// Its address.
        url: String,
        /// Names the question to the client; the approval's id.
        id: String,
        /// What it is about, without any value.
        message: String,
    },
}

/// An answer to a question that an earlier call put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// To a form.
    Form(Said),
    /// To being led to a page.
    Page(Said),
    /// Not theirs to this write: too late, used before, or forged.
    NotTheirs,
    /// Whether it is, or was used before, cannot be known now.
    Unknown,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// They agree: to the write (form), to open the page (page).
    Yes,
    /// They do not.
    No,
    /// They dismissed the question.
    Dismissed,
    /// The question leaves with this call's answer; the client calls again with theirs.
    Later,
    /// The client could not ask after all.
    Unasked,
}

// A question is full of personal data: its contents never reach a log by way of Debug.
impl Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Form { .. } => "Ask::Form",
            Self::Page { .. } => "Ask::Page",
        })
    }
}

//! rmcp's sessions of Streamable HTTP, with what rmcp leaves out: whose each is, caps on their number and their age,
//! the revision that each has settled on, and how another replica takes them up.
//!
//! Knows rmcp's session manager, in whose place rmcp sees `manager`. Knows nothing of HTTP.

mod manager;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use rmcp::{
    model::{CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage},
    transport::streamable_http_server::session::{SessionId, SessionManager, local::LocalSessionManager},
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    TransportError,
    asked::{self, Refused},
    in_flight::{Call, InFlight},
    limits::{HttpLimits, SESSION_LOOK},
    places::{self, Place, Places},
    shared::{Record, Shared},
};
use crate::{domain::Principal, mcp::Agreement};
pub(crate) use manager::Kept;

/// When keeping a session for other replicas is tried again after it failed.
const KEEP_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// Whose a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The one's who asks.
    Own,
    /// Somebody else's.
    Foreign,
    /// There is none here.
    Unknown,
}

/// The sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    inner: Arc<LocalSessionManager>,
    places: Arc<Places>,
    table: Arc<Mutex<Table>>,
    life: Duration,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Table {
    known: HashMap<SessionId, Known>,
    in_flight: InFlight,
}

/// Keeps an id from being used again before its answer is out, and its session from being idle.
#[derive(Debug)]
pub(crate) struct Claim {
    table: Arc<Mutex<Table>>,
    call: Call,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        table.in_flight.end(&self.call);
        if let Some(known) = table.known.get_mut(self.call.0.as_str()) {
            known.used = Instant::now();
        }
    }
}

/// The id belongs to a call in flight.
#[derive(Debug)]
pub(crate) struct InUse;

#[derive(Debug)]
struct Known {
    /// What its handshake has settled on.
    agreement: Option<Arc<Agreement>>,
    /// Whether it has shaken hands once more, after which rmcp alone knows what holds.
    is_settled_anew: bool,
    place: Place,
    opened: Instant,
    used: Instant,
    /// What the store has of it, and when it was last put there; none where no store is shared.
    record: Option<(Arc<Record>, Instant)>,
}

impl Known {
    fn new(place: Place, age: Duration) -> Self {
        let now = Instant::now();
        let opened = now.checked_sub(age).unwrap_or(now);
        Self { agreement: None, is_settled_anew: false, place, opened, used: now, record: None }
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    /// `shared` holds the sessions of other replicas, too. Needs a runtime, in which sessions end that are over.
    pub(crate) fn new(limits: &HttpLimits, shared: Option<Arc<Shared>>) -> Arc<Self> {
        let mut inner = LocalSessionManager::default();
        // rmcp would end a session in the middle of a call: it counts that as idle time. Ours does not.
        inner.session_config.keep_alive = Some(limits.session_life + SESSION_LOOK);
        // Kept are the streams of cancelled calls alone: a client that takes one up again would be asked once more
        // what was asked there, though nobody waits for the answer.
        inner.session_config.completed_cache_ttl = Duration::ZERO;
        let places = Places::new(places::SESSIONS, limits.sessions, limits.sessions_per_principal);
        let (table, life) = (Arc::default(), limits.session_life);
        let this = Arc::new(Self { inner: Arc::new(inner), places, table, life, shared });
        tokio::spawn(end_what_is_over(Arc::downgrade(&this), limits.session_idle));
        this
    }

    /// The places of sessions, which know what to tell a client that gets none.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Whose a session is, for one who sends a message there.
    pub(crate) fn sight(&self, id: &str, principal: &Principal) -> Sight {
        let now = Instant::now();
        let mut table = lock(&self.table);
        let Some(known) = table.known.get_mut(id).filter(|known| known.opened + self.life > now) else {
            return Sight::Unknown;
        };
        if !known.place.is_of(&principal.name) {
            return Sight::Foreign;
        }
        known.used = now;
        if let (Some((record, kept)), Some(shared)) = (&mut known.record, &self.shared)
            && kept.elapsed() >= shared.refresh_after()
        {
            *kept = now;
            let (shared, table) = (Arc::clone(shared), Arc::clone(&self.table));
            let (record, id) = (Arc::clone(record), id.to_owned());
            // Nobody waits for the store: where it is gone, the session goes on here.
            tokio::spawn(async move { keep(&shared, &table, &id, &record).await });
        }
        Sight::Own
    }

    /// What a session has settled on: `None` when there is no such session, or its handshake is not over yet.
    pub(crate) fn agreement(&self, id: &str) -> Option<Arc<Agreement>> {
        lock(&self.table).known.get(id)?.agreement.clone()
    }

    /// The same, where nothing has come after it that could change it.
    pub(crate) fn only_agreement(&self, id: &str) -> Option<Arc<Agreement>> {
        lock(&self.table).known.get(id).filter(|known| !known.is_settled_anew)?.agreement.clone()
    }

    /// Claims the id of a request until what this returns is dropped. A call that rmcp does not see has a token, which is
    /// cancelled when its client cancels it, and when its session ends.
    pub(crate) fn claim(&self, call: Call, token: Option<CancellationToken>) -> Result<Claim, InUse> {
        let is_new = lock(&self.table).in_flight.begin(call.clone(), token);
        if is_new { Ok(Claim { table: Arc::clone(&self.table), call }) } else { Err(InUse) }
    }

    /// Cancels a call, where it is one that rmcp does not see.
    pub(crate) fn cancel(&self, call: &Call) {
        lock(&self.table).in_flight.cancel(call);
    }

    fn take_place(&self, principal: &str) -> Result<Place, TransportError> {
        self.places.take(principal).map_err(|why| {
            asked::refuse(Refused::Full(why));
            TransportError::SessionsFull
        })
    }

    /// The sessions that have been idle for too long, or are too old. They are known no more.
    fn take_out(&self, idle: Duration) -> Vec<SessionId> {
        let now = Instant::now();
        let mut table = lock(&self.table);
        let Table { known, in_flight } = &mut *table;
        let busy = in_flight.sessions();
        let is_over = |id: &SessionId, known: &Known| {
            known.opened + self.life <= now || (known.used + idle <= now && !busy.contains(id.as_ref()))
        };
        known.extract_if(|id, known| is_over(id, known)).map(|(id, _)| id).collect()
    }

    /// Ends a session, and cancels its calls: rmcp by itself lets them go on for seconds. A task of its own: whoever asked
    /// for it may leave in the middle.
    fn end(&self, id: SessionId) -> JoinHandle<Result<(), TransportError>> {
        let (inner, table) = (Arc::clone(&self.inner), Arc::clone(&self.table));
        tokio::spawn(async move {
            let left_to_rmcp = {
                let mut table = lock(&table);
                table.known.remove(&id);
                table.in_flight.cancel_all_of(&id)
            };
            for call in left_to_rmcp {
                let cancelled = CancelledNotification::new(CancelledNotificationParam::new(Some(call), None));
                let message = ClientJsonRpcMessage::notification(cancelled.into());
                // A session whose worker is gone has nothing to cancel.
                let _ = inner.accept_message(&id, message).await;
            }
            Ok(inner.close_session(&id).await?)
        })
    }
}

/// Looks for sessions that are over, away from every request.
async fn end_what_is_over(sessions: Weak<Sessions>, idle: Duration) {
    loop {
        let Some(pause) = sessions.upgrade().map(|sessions| idle.min(sessions.life) / 10) else { return };
        sleep(pause.clamp(Duration::from_millis(5), SESSION_LOOK)).await;
        let Some(sessions) = sessions.upgrade() else { return };
        for id in sessions.take_out(idle) {
            // A session whose client does not read takes its end in when it likes: the next one does not wait for it.
            drop(sessions.end(id));
        }
    }
}

/// Keeps a session for other replicas; where that fails, it is tried again soon.
async fn keep(shared: &Shared, table: &Mutex<Table>, id: &str, record: &Record) {
    let Err(error) = shared.keep(id, record).await else { return };
    tracing::warn!(%error, "a session could not be kept for other replicas: until it is, it ends with this one");
    if let Some(known) = lock(table).known.get_mut(id)
        && let Some((_, kept)) = &mut known.record
    {
        let soon = shared.refresh_after().saturating_sub(KEEP_AGAIN_AFTER);
        *kept = Instant::now().checked_sub(soon).unwrap_or(*kept);
    }
}

//! rmcp's sessions of Streamable HTTP, with what rmcp leaves out: a cap on their number, and the revision that
//! each has settled on.
//!
//! Knows rmcp's session manager. Knows nothing of HTTP.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::Stream;
use rmcp::{
    model::{ClientJsonRpcMessage, JsonRpcMessage, ProtocolVersion, ServerJsonRpcMessage, ServerResult},
    transport::streamable_http_server::session::{
        ServerSseMessage, SessionId, SessionManager, local::LocalSessionManager,
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{TransportError, limits::HttpLimits};

tokio::task_local! {
    /// rmcp turns every error of a session manager into a 500, so "full" goes round it.
    static TURNED_AWAY: Cell<bool>;
}

/// Runs one request. The flag says whether it was turned away because the sessions are full.
pub(crate) async fn noticing_full<T>(request: impl Future<Output = T>) -> (T, bool) {
    TURNED_AWAY.scope(Cell::new(false), async { (request.await, TURNED_AWAY.with(Cell::get)) }).await
}

/// The sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    inner: LocalSessionManager,
    slots: Arc<Semaphore>,
    known: Mutex<HashMap<SessionId, Known>>,
    open: Arc<Mutex<HashSet<Call>>>,
}

/// A session and the id of a request in flight there, as it is spelled.
type Call = (String, String);

/// Keeps an id from being used again before its answer is out.
#[derive(Debug)]
pub(crate) struct Claim {
    open: Arc<Mutex<HashSet<Call>>>,
    call: Call,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.call);
    }
}

/// The id belongs to a call in flight.
#[derive(Debug)]
pub(crate) struct InUse;

#[derive(Debug)]
struct Known {
    revision: Option<ProtocolVersion>,
    _slot: OwnedSemaphorePermit,
}

impl Sessions {
    pub(crate) fn new(limits: &HttpLimits) -> Self {
        let mut inner = LocalSessionManager::default();
        inner.session_config.keep_alive = Some(limits.session_idle);
        // Kept are the streams of cancelled calls alone: a client that takes one up again would be asked once more
        // what was asked there, though nobody waits for the answer.
        inner.session_config.completed_cache_ttl = Duration::ZERO;
        Self {
            inner,
            slots: Arc::new(Semaphore::new(limits.sessions)),
            known: Mutex::default(),
            open: Arc::default(),
        }
    }

    /// The revision of a session: `None` when there is no such session, or it has settled on none yet.
    pub(crate) fn revision(&self, id: &str) -> Option<ProtocolVersion> {
        self.lock().get(id)?.revision.clone()
    }

    /// Claims the id of a request until what this returns is dropped.
    pub(crate) fn claim(&self, call: Call) -> Result<Claim, InUse> {
        let is_new = self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(call.clone());
        if is_new { Ok(Claim { open: Arc::clone(&self.open), call }) } else { Err(InUse) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionManager for Sessions {
    type Error = TransportError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), TransportError> {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else {
            // Outside of `noticing_full` there is nobody to tell.
            let _ = TURNED_AWAY.try_with(|full| full.set(true));
            return Err(TransportError::SessionsFull);
        };
        let (id, transport) = self.inner.create_session().await?;
        self.lock().insert(id.clone(), Known { revision: None, _slot: slot });
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, TransportError> {
        let answer = self.inner.initialize_session(id, message).await?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && let Some(known) = self.lock().get_mut(id)
        {
            known.revision = Some(result.protocol_version.clone());
        }
        Ok(answer)
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, TransportError> {
        Ok(self.inner.has_session(id).await?)
    }

    /// rmcp calls this at the end of every session, however it came.
    async fn close_session(&self, id: &SessionId) -> Result<(), TransportError> {
        let closed = self.inner.close_session(id).await;
        self.lock().remove(id);
        Ok(closed?)
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, TransportError> {
        Ok(self.inner.create_stream(id, message).await?)
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), TransportError> {
        Ok(self.inner.accept_message(id, message).await?)
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, TransportError> {
        Ok(self.inner.create_standalone_stream(id).await?)
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, TransportError> {
        Ok(self.inner.resume(id, last_event_id).await?)
    }
}

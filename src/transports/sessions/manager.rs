//! What rmcp asks of its sessions and of their store, which goes on to rmcp's own manager and leaves a trace in the table.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::Stream;
use rmcp::{
    model::{
        ClientJsonRpcMessage, ClientRequest, InitializeRequestParams, JsonRpcMessage, ServerJsonRpcMessage,
        ServerResult,
    },
    transport::streamable_http_server::session::{
        RestoreOutcome, ServerSseMessage, SessionId, SessionManager, SessionState, SessionStore,
        SessionStoreError, local::LocalSessionManager,
    },
};
use tokio::time::Instant;

use super::{Known, Sessions, Sight, keep, lock};
use crate::{
    mcp::Agreement,
    transports::{
        TransportError,
        asked::{self, Refused},
        shared::Record,
    },
};

/// What a client says of itself where this is an `initialize`.
fn handshake(message: &ClientJsonRpcMessage) -> Option<&InitializeRequestParams> {
    match message {
        JsonRpcMessage::Request(request) => match &request.request {
            ClientRequest::InitializeRequest(initialize) => Some(&initialize.params),
            _ => None,
        },
        _ => None,
    }
}

impl SessionManager for Sessions {
    type Error = TransportError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), TransportError> {
        let principal = asked::asker().ok_or(TransportError::Session)?;
        let place = self.take_place(&principal.name)?;
        let (id, transport) = self.inner.create_session().await?;
        lock(&self.table).known.insert(id.clone(), Known::new(place, Duration::ZERO));
        Ok((id, transport))
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, TransportError> {
        let asked = handshake(&message).cloned();
        let answer = self.inner.initialize_session(id, message).await?;
        if let JsonRpcMessage::Response(response) = &answer
            && let ServerResult::InitializeResult(result) = &response.result
            && let Some(asked) = asked
            && let Some(known) = lock(&self.table).known.get_mut(id)
        {
            known.agreement = Some(Arc::new(Agreement::new(&asked, result.protocol_version.clone())));
        }
        Ok(answer)
    }

    /// The routes have looked already; no other way in must reach a session of another principal either.
    async fn has_session(&self, id: &SessionId) -> Result<bool, TransportError> {
        let Some(principal) = asked::asker() else { return Ok(false) };
        let is_own = self.sight(id, &principal) == Sight::Own;
        Ok(is_own && self.inner.has_session(id).await?)
    }

    /// rmcp calls this at the end of every session, however it came.
    async fn close_session(&self, id: &SessionId) -> Result<(), TransportError> {
        if asked::asker().is_some_and(|principal| self.sight(id, &principal) == Sight::Foreign) {
            return Ok(());
        }
        self.end(id.clone()).await.map_err(TransportError::Task)?
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, TransportError> {
        if handshake(&message).is_some()
            && let Some(known) = lock(&self.table).known.get_mut(id)
        {
            known.is_settled_anew = true;
        }
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

    async fn restore_session(
        &self,
        id: SessionId,
    ) -> Result<RestoreOutcome<Self::Transport>, TransportError> {
        let Some(record) = asked::record() else {
            return Ok(RestoreOutcome::NotSupported);
        };
        let place = self.take_place(&record.owner)?;
        let RestoreOutcome::Restored(transport) = self.inner.restore_session(id.clone()).await? else {
            asked::refuse(Refused::TakenUp);
            return Err(TransportError::Session);
        };
        let mut known = Known::new(place, record.age());
        known.record = Some((Arc::new(record), Instant::now()));
        lock(&self.table).known.insert(id, known);
        Ok(RestoreOutcome::Restored(transport))
    }
}

/// What rmcp asks the store of a session, answered from what the request brought along.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Arc<Sessions>);

#[async_trait]
impl SessionStore for Kept {
    async fn load(&self, _: &str) -> Result<Option<SessionState>, SessionStoreError> {
        // Found before rmcp had the request, and looked at for whose it is.
        Ok(asked::record().map(|record| record.state))
    }

    async fn store(&self, id: &str, state: &SessionState) -> Result<(), SessionStoreError> {
        let Some(shared) = &self.0.shared else { return Ok(()) };
        let record = {
            let mut table = lock(&self.0.table);
            let Some(known) = table.known.get_mut(id) else { return Ok(()) };
            let Some(agreement) = &known.agreement else { return Ok(()) };
            let revision = agreement.revision().clone();
            let record = Arc::new(Record::new(known.place.principal(), revision, state.clone()));
            known.record = Some((Arc::clone(&record), Instant::now()));
            record
        };
        // Where the store is gone, the session lives here alone until it is back.
        keep(shared, &self.0.table, id, &record).await;
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), SessionStoreError> {
        match &self.0.shared {
            Some(shared) => shared.forget(id).await.map_err(Into::into),
            None => Ok(()),
        }
    }
}

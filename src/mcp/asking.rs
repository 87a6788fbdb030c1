//! How a client asks its person, in either lifecycle: with a handshake the server sends `elicitation/create` in the
//! middle of a call; at 2026-07-28 the question leaves with the call's answer, and the client calls again with theirs.
//!
//! Knows forms, pages and sealed states. Knows nothing of what is asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientResult, ElicitRequest, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    RequestId, ServerRequest,
};
use rmcp::service::{OriginatingRequestId, Peer, PeerRequestOptions};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::caller::BroughtAlong;
use crate::calls::{Ask, Brought, Key, Person, Said, Ways};
use crate::sealing::Sealer;
use crate::store::{Change, Name, Store, StoreError};

/// How long the answer to a question counts.
const ANSWER_WITHIN: Duration = Duration::from_mins(10);
/// What a question is called in an input-required result.
const QUESTION: &str = "approval";
/// The one field of a form.
const CONFIRM: &str = "confirm";
/// What states are sealed for.
const PURPOSE: &str = "answer to a question";

/// A client with a handshake.
#[derive(Debug)]
pub(super) struct Handshake {
    ways: Ways,
    peer: Peer<RoleServer>,
    call: RequestId,
}

impl Handshake {
    pub(super) fn new(ways: Ways, peer: Peer<RoleServer>, call: RequestId) -> Self {
        Self { ways, peer, call }
    }

    async fn put(&self, ask: Ask) -> Said {
        let is_form = matches!(ask, Ask::Form { .. });
        let Some(params) = params(ask) else { return Said::Unasked };
        let mut request = ElicitRequest::new(params);
        // rmcp's own mark does not reach the task that a write runs in; without it the question would leave on
        // another stream than that of the call.
        request.extensions.insert(OriginatingRequestId(self.call.clone()));
        let sent = self.peer.send_request_with_option(
            ServerRequest::ElicitRequest(request),
            PeerRequestOptions::no_options(),
        );
        let Ok(handle) = sent.await else { return Said::Unasked };
        let mut open = OpenQuestion { peer: self.peer.clone(), id: Some(handle.id.clone()) };
        let answer = handle.await_response().await;
        open.id = None;
        match answer {
            Ok(ClientResult::ElicitResult(result)) => said(&result, is_form),
            _ => Said::Unasked,
        }
    }
}

impl Person for Handshake {
    fn ways(&self) -> Ways {
        self.ways
    }

    fn brought<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Option<Brought>> {
        Box::pin(std::future::ready(None))
    }

    fn ask<'a>(&'a self, _: &'a Key, ask: Ask) -> BoxFuture<'a, Said> {
        Box::pin(self.put(ask))
    }
}

/// A question that the client still shows; taken back when nobody waits for its answer any more.
struct OpenQuestion {
    peer: Peer<RoleServer>,
    id: Option<RequestId>,
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) else { return };
        let peer = self.peer.clone();
        let reason = Some("the call that asked is over".to_owned());
        runtime.spawn(async move {
            let params = CancelledNotificationParam::new(Some(id), reason);
            // A client that is gone shows nothing any more.
            let _ = peer.send_notification(CancelledNotification::new(params).into()).await;
        });
    }
}

/// A client at 2026-07-28, for one call.
#[derive(Debug)]
pub(super) struct Stateless {
    ways: Ways,
    seals: Arc<Seals>,
    /// Principal and session that an answer must come from.
    bonds: Vec<String>,
    along: BroughtAlong,
    brought: OnceCell<Option<Brought>>,
    question: Mutex<Option<InputRequiredResult>>,
}

impl Stateless {
    pub(super) fn new(ways: Ways, seals: Arc<Seals>, bonds: Vec<String>, along: BroughtAlong) -> Self {
        Self { ways, seals, bonds, along, brought: OnceCell::new(), question: Mutex::default() }
    }

    /// The question that this call leaves with.
    pub(super) fn take_question(&self) -> Option<InputRequiredResult> {
        self.question.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    async fn read(&self, write: &Key) -> Option<Brought> {
        // One without the other says nothing, and what nobody asked for is left aside: the question is put.
        let state = self.along.state.as_ref()?;
        let response = self.along.responses.as_ref()?.get(QUESTION)?;
        let asked = match self.seals.open(&self.bonds, write, state).await {
            Ok(Some(asked)) => asked,
            Ok(None) => return Some(Brought::NotTheirs),
            Err(_) => return Some(Brought::Unknown),
        };
        let Ok(result) = serde_json::from_value::<ElicitResult>(response.clone()) else {
            return Some(Brought::NotTheirs);
        };
        Some(match asked {
            Asked::Form => Brought::Form(said(&result, true)),
            Asked::Page => Brought::Page(said(&result, false)),
        })
    }

    fn leave(&self, write: &Key, ask: Ask) -> Said {
        let asked = if matches!(ask, Ask::Form { .. }) { Asked::Form } else { Asked::Page };
        let Some(params) = params(ask) else { return Said::Unasked };
        let Some(state) = self.seals.seal(&self.bonds, write, asked) else { return Said::Unasked };
        let request = InputRequest::Elicitation(ElicitRequest::new(params));
        let requests = InputRequests::from([(QUESTION.to_owned(), request)]);
        let question = InputRequiredResult::new(Some(requests), Some(state));
        *self.question.lock().unwrap_or_else(PoisonError::into_inner) = Some(question);
        Said::Later
    }
}

impl Person for Stateless {
    fn ways(&self) -> Ways {
        self.ways
    }

    fn brought<'a>(&'a self, write: &'a Key) -> BoxFuture<'a, Option<Brought>> {
        Box::pin(async move { *self.brought.get_or_init(|| self.read(write)).await })
    }

    fn ask<'a>(&'a self, write: &'a Key, ask: Ask) -> BoxFuture<'a, Said> {
        Box::pin(async move { self.leave(write, ask) })
    }
}

/// What a question was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Asked {
    Form,
    Page,
}

/// The states of questions that left: sealed, for one principal, session and write, and good for one answer.
#[derive(Debug)]
pub(super) struct Seals {
    sealer: Sealer,
    /// Knows which were answered, until they would be refused anyway.
    store: Store,
}

/// What a state holds.
#[derive(Serialize, Deserialize)]
struct State {
    asked: Asked,
    id: Uuid,
    /// Unix time in milliseconds.
    until: u64,
}

impl Seals {
    pub(super) fn new(sealer: Sealer, store: Store) -> Self {
        Self { sealer, store }
    }

    fn seal(&self, bonds: &[String], write: &Key, asked: Asked) -> Option<String> {
        let within = u64::try_from(ANSWER_WITHIN.as_millis()).ok()?;
        let state = State { asked, id: Uuid::new_v4(), until: now().saturating_add(within) };
        let payload = serde_json::to_vec(&state).ok()?;
        with_bonds(bonds, write, |bonds| self.sealer.seal(PURPOSE, bonds, &payload)).ok()
    }

    /// What was asked, where this is the first answer, in time, and from whom it was asked.
    async fn open(&self, bonds: &[String], write: &Key, sealed: &str) -> Result<Option<Asked>, StoreError> {
        let opened = || -> Option<State> {
            let payload = with_bonds(bonds, write, |bonds| self.sealer.open(PURPOSE, bonds, sealed))?;
            serde_json::from_slice(&payload).ok()
        };
        let Some(state) = opened() else { return Ok(None) };
        let left = Duration::from_millis(state.until.saturating_sub(now()));
        if left.is_zero() {
            return Ok(None);
        }
        let name = Name::new("answer", &[state.id.as_bytes()]);
        let first = self.store.update(&name, |answered: Option<bool>| match answered {
            None => (Change::Put(true, left), Some(state.asked)),
            Some(_) => (Change::Keep, None),
        });
        first.await
    }
}

fn with_bonds<T>(bonds: &[String], write: &Key, use_them: impl FnOnce(&[&str]) -> T) -> T {
    let write = URL_SAFE_NO_PAD.encode(write);
    let bonds: Vec<&str> = bonds.iter().map(String::as_str).chain([write.as_str()]).collect();
    use_them(&bonds)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A question in the protocol's words.
fn params(ask: Ask) -> Option<ElicitRequestParams> {
    Some(match ask {
        Ask::Form { message } => {
            let confirm = |field: rmcp::model::BooleanSchema| {
                field.title("Confirm").description("Send exactly this to Fintecture").with_default(false)
            };
            let requested_schema =
                ElicitationSchema::builder().required_bool_with(CONFIRM, confirm).build().ok()?;
            ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
        }
        Ask::Page { url, id, message } => {
            ElicitRequestParams::UrlElicitationParams { meta: None, message, url, elicitation_id: id }
        }
    })
}

/// What the person said. A form counts as a yes where `confirm` is true, and only there.
fn said(result: &ElicitResult, is_form: bool) -> Said {
    let confirmed = || result.content.as_ref().and_then(|content| content.get(CONFIRM)?.as_bool());
    match result.action {
        ElicitationAction::Accept if !is_form || confirmed() == Some(true) => Said::Yes,
        ElicitationAction::Accept | ElicitationAction::Decline => Said::No,
        ElicitationAction::Cancel => Said::Dismissed,
        _ => Said::Unasked,
    }
}

//! Who calls, as the request tells it: their cancellation, their progress token, their way to a person.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, request::Parts};
use rmcp::RoleServer;
use rmcp::model::{Implementation, ProgressNotificationParam, ProgressToken, ProtocolVersion};
use rmcp::service::{Peer, RequestContext};

use super::asking::{Handshake, Seals, Stateless};
use super::server::FormsCount;
use crate::calls::{Caller, Person, Progress, Ways};
use crate::domain::Principal;
use crate::traces::{Origin, Place};

/// The answers that a client brings along with a call at 2026-07-28.
#[derive(Debug, Default)]
pub(super) struct BroughtAlong {
    pub(super) responses: Option<rmcp::model::InputResponses>,
    pub(super) state: Option<String>,
}

/// A caller, and at 2026-07-28 the place where a question to its person is left.
pub(super) struct Calling {
    pub(super) caller: Caller,
    pub(super) stateless: Option<Arc<Stateless>>,
}

/// Reads who calls. `forms_count` says whether what their client says that a person said counts.
pub(super) fn of(
    context: &RequestContext<RoleServer>,
    brought: BroughtAlong,
    seals: &Arc<Seals>,
    forms_count: FormsCount,
) -> Calling {
    let principal = principal(context);
    let ways = ways(context, forms_count.of(&principal));
    let is_stateless =
        context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    // An answer that came along counts, whatever the client says it can do now.
    let has_answer = brought.state.is_some();
    let stateless = is_stateless.then(|| {
        let bonds = vec![principal.name.clone(), session(context)];
        Arc::new(Stateless::new(ways, Arc::clone(seals), bonds, brought))
    });
    let person: Arc<dyn Person> = match &stateless {
        Some(stateless) => Arc::clone(stateless) as Arc<dyn Person>,
        None => Arc::new(Handshake::new(ways, context.peer.clone(), context.id.clone())),
    };
    let progress = context
        .meta
        .get_progress_token()
        .map(|token| Arc::new(Told { peer: context.peer.clone(), token }) as Arc<dyn Progress>);
    let parts = context.extensions.get::<Parts>();
    let in_meta = (context.meta.get_traceparent(), context.meta.get_tracestate());
    let caller = Caller {
        principal,
        client: client(context, is_stateless).map(|client| format!("{} {}", client.name, client.version)),
        cancelled: context.ct.clone(),
        progress,
        person: (ways.form || ways.page || has_answer).then_some(person),
        takes_tasks: context.client_capabilities().is_some_and(|client| client.supports_tasks()),
        origin: Origin { place: place(in_meta, parts.map(|parts| &parts.headers)), ..Origin::default() },
    };
    Calling { caller, stateless }
}

/// Whom the gate found the request to be from; without authentication, whoever can reach this process.
pub(super) fn principal(context: &RequestContext<RoleServer>) -> Arc<Principal> {
    let parts = context.extensions.get::<Parts>();
    let known = parts.and_then(|parts| parts.extensions.get::<Arc<Principal>>());
    known.cloned().unwrap_or_else(|| Arc::new(Principal::local()))
}

/// What the client calls itself. Without a handshake it says so in each request or not at all, and rmcp would put its own
/// name there.
fn client(context: &RequestContext<RoleServer>, is_stateless: bool) -> Option<Implementation> {
    if is_stateless { context.meta.client_info() } else { context.client_info() }
}

/// Where the request stands in a trace: `traceparent` and `tracestate` in `_meta` say it for this one message, headers for
/// all in their HTTP request.
pub(super) fn place(meta: (Option<&str>, Option<&str>), headers: Option<&HeaderMap>) -> Place {
    let said = Place::sent(meta.0, meta.1);
    let Some(headers) = headers.filter(|_| !said.is_some()) else { return said };
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Place::sent(header("traceparent"), header("tracestate"))
}

fn ways(context: &RequestContext<RoleServer>, is_their_own: bool) -> Ways {
    let Some(elicitation) = context.client_capabilities().and_then(|client| client.elicitation) else {
        return Ways::default();
    };
    // Before there were two modes, the bare capability meant forms.
    let is_bare = elicitation.form.is_none() && elicitation.url.is_none();
    Ways { form: is_bare || elicitation.form.is_some(), page: elicitation.url.is_some(), is_their_own }
}

/// The session that a request belongs to, where its transport has sessions.
fn session(context: &RequestContext<RoleServer>) -> String {
    let Some(parts) = context.extensions.get::<Parts>() else { return String::new() };
    let header = parts.headers.get("mcp-session-id").and_then(|id| id.to_str().ok());
    header.or(parts.uri.query()).unwrap_or_default().to_owned()
}

/// The way to tell a client how far its call is.
#[derive(Debug)]
struct Told {
    peer: Peer<RoleServer>,
    token: ProgressToken,
}

impl Progress for Told {
    fn tell<'a>(&'a self, done: f64, total: Option<f64>, message: &'a str) -> BoxFuture<'a, ()> {
        let mut progress = ProgressNotificationParam::new(self.token.clone(), done).with_message(message);
        progress.total = total;
        Box::pin(async move {
            if self.peer.notify_progress(progress).await.is_err() {
                tracing::debug!("a client could not be told how far its call is");
            }
        })
    }
}

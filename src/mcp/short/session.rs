//! The plain call of a session, and what its handshake has settled for it.

use http::{HeaderMap, header};
use rmcp::model::{InitializeRequestParams, ProtocolVersion};
use serde_json::Value;

use super::message::{Params, PlainMessage};
use super::request::{Form, PlainCall, VERSION_HEADER, accepts_both, only};
use crate::domain::Unambiguous;
use crate::mcp::{Object, caller, links};
use crate::tools::Tools;
use crate::traces::Origin;

/// The member of `_meta` that asks for progress.
const PROGRESS: &str = "progressToken";

/// What client and server have settled on with `initialize`.
#[derive(Debug)]
pub struct Agreement {
    revision: ProtocolVersion,
    /// The client's name and version.
    client: Box<str>,
    takes_links: bool,
}

impl Agreement {
    /// What was asked for, answered with this revision.
    #[must_use]
    pub fn new(asked: &InitializeRequestParams, revision: ProtocolVersion) -> Self {
        let client = &asked.client_info;
        let takes_links = links::are_taken_at(&revision, Some(client));
        Self { revision, client: format!("{} {}", client.name, client.version).into(), takes_links }
    }

    /// The revision.
    #[must_use]
    pub fn revision(&self) -> &ProtocolVersion {
        &self.revision
    }

    /// Whether these headers are as plain as the message: a revision, if any, that is the one of the session.
    pub(super) fn suits(&self, headers: &HeaderMap) -> bool {
        let revision = only(headers, &VERSION_HEADER);
        let is_the_same = revision.map_or_else(
            || !headers.contains_key(&VERSION_HEADER),
            |revision| revision == self.revision.as_str(),
        );
        is_the_same && only(headers, &header::ACCEPT).is_some_and(accepts_both)
    }
}

/// The call, where it is one that only reads, waits for nothing and wants to hear nothing before its answer.
///
/// # Errors
/// The message where it is another.
pub(super) fn take(
    agreement: &Agreement,
    headers: Option<&HeaderMap>,
    message: Box<PlainMessage>,
    tools: &Tools,
) -> Result<PlainCall, Box<PlainMessage>> {
    let Object(Params { meta, name, arguments }) = &message.params;
    let reads = arguments
        .as_ref()
        .is_none_or(|Unambiguous(arguments)| !tools.is_write(name, arguments) && !Tools::is_wait(arguments));
    // What the protocol itself may say there is rmcp's to understand.
    let says_more = meta.iter().flat_map(|Unambiguous(meta)| meta.keys()).any(|key| is_of_the_protocol(key));
    let Some(tool) = tools
        .named(name)
        .filter(|_| reads && !says_more && agreement.revision < ProtocolVersion::V_2026_07_28)
    else {
        return Err(message);
    };
    let PlainMessage { id, params: Object(Params { meta, arguments, .. }), .. } = *message;
    let said = |key: &str| meta.as_ref()?.0.get(key).and_then(Value::as_str);
    let place = caller::place((said("traceparent"), said("tracestate")), headers);
    Ok(PlainCall {
        id,
        tool,
        arguments: arguments.unwrap_or_default().0,
        client: Some(agreement.client.to_string()),
        origin: Origin { place, ..Origin::default() },
        form: Form { is_stateless: false, takes_links: agreement.takes_links },
    })
}

/// Whether a request may want to hear of its progress, which is rmcp's to tell: none of these is read twice.
pub(super) fn may_want_progress(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|body| body.contains(PROGRESS))
}

fn is_of_the_protocol(key: &str) -> bool {
    key == PROGRESS || key.starts_with("io.modelcontextprotocol/")
}

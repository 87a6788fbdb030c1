//! The one shape of request that the short route takes without a session, and what stands in it.
//!
//! What is looked at here, rmcp looks at, too, and takes more of: weights in `Accept`, names in Base64, escapes,
//! members that nobody knows. All that is not worth a second implementation goes to rmcp.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, header};
use rmcp::model::{ClientCapabilities, ProtocolVersion};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::Unambiguous;
use crate::mcp::{Object, caller};
use crate::tools::Tools;
use crate::traces::Origin;

/// The id of a request.
pub(super) use rmcp::model::RequestId as Id;

const METHOD: &str = "tools/call";

pub(super) static VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
static METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
static NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");
static SESSION_HEADER: HeaderName = HeaderName::from_static("mcp-session-id");

/// A call of the shape, as it came.
pub struct PlainCall {
    pub(super) id: Id,
    pub(super) tool: &'static str,
    pub(super) arguments: Map<String, Value>,
    /// The client's name and version.
    pub(super) client: Option<String>,
    pub(super) origin: Origin,
    pub(super) form: Form,
}

/// How the revision writes a result, and what its client takes of it.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// Without a handshake, each result says that it is whole, and whose.
    pub(super) is_stateless: bool,
    pub(super) takes_links: bool,
}

impl PlainCall {
    /// The id of its request.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }
}

// Arguments are personal data: they never reach a log by way of Debug.
impl std::fmt::Debug for PlainCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainCall").field("tool", &self.tool).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    jsonrpc: &'a str,
    id: Id,
    method: &'a str,
    #[serde(borrow)]
    params: Object<Params<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params<'a> {
    name: &'a str,
    arguments: Option<Unambiguous>,
    #[serde(rename = "_meta", borrow)]
    meta: Object<Meta<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    version: &'a str,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Unambiguous,
    #[serde(rename = "io.modelcontextprotocol/clientInfo", borrow)]
    client: Option<Client<'a>>,
    #[serde(borrow)]
    traceparent: Option<&'a str>,
    #[serde(borrow)]
    tracestate: Option<&'a str>,
    /// Neither read nor passed on, and yet common.
    #[serde(rename = "baggage", borrow)]
    _baggage: Option<&'a str>,
}

/// What a client says of itself; what is not used must still have the right type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Client<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(rename = "title", borrow)]
    _title: Option<Cow<'a, str>>,
    #[serde(rename = "description", borrow)]
    _description: Option<Cow<'a, str>>,
    #[serde(rename = "websiteUrl", borrow)]
    _website_url: Option<Cow<'a, str>>,
}

/// The call, where the request has the shape.
pub(super) fn read(headers: &HeaderMap, body: &[u8], tools: &Tools) -> Option<PlainCall> {
    let revision = ProtocolVersion::V_2026_07_28;
    let is_of_the_shape = only(headers, &VERSION_HEADER) == Some(revision.as_str())
        && only(headers, &METHOD_HEADER) == Some(METHOD)
        && !headers.contains_key(&SESSION_HEADER)
        && accepts_both(only(headers, &header::ACCEPT)?);
    if !is_of_the_shape {
        return None;
    }
    let Object(Message { jsonrpc, id, method, params }) = serde_json::from_slice(body).ok()?;
    let Object(Params { name, arguments, meta: Object(meta) }) = params;
    if jsonrpc != "2.0"
        || method != METHOD
        || meta.version != revision.as_str()
        || only(headers, &NAME_HEADER) != Some(name)
    {
        return None;
    }
    // Of a name that is nobody's, rmcp's server says so.
    let tool = tools.named(name)?;
    let Unambiguous(arguments) = arguments.unwrap_or_default();
    if may_come_to_more(meta.capabilities, || tools.is_write(tool, &arguments))? {
        return None;
    }
    let place = caller::place((meta.traceparent, meta.tracestate), Some(headers));
    let client = meta.client.map(|client| format!("{} {}", client.name, client.version));
    let form = Form { is_stateless: true, takes_links: true };
    Some(PlainCall { id, tool, arguments, client, origin: Origin { place, ..Origin::default() }, form })
}

/// Whether a call of a client that can do this may come to a question or a task; nothing where that cannot be read.
fn may_come_to_more(Unambiguous(capabilities): Unambiguous, writes: impl FnOnce() -> bool) -> Option<bool> {
    if capabilities.is_empty() {
        return Some(false);
    }
    let client = ClientCapabilities::deserialize(Value::Object(capabilities)).ok()?;
    // Before a read nobody is asked.
    Some(client.supports_tasks() || (client.elicitation.is_some() && writes()))
}

/// The value of a header that stands there once.
pub(super) fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether an `Accept` without weights and the like names both types that an answer may have.
pub(super) fn accepts_both(accept: &str) -> bool {
    let names = |wanted: &str| accept.split(',').any(|named| named.trim().eq_ignore_ascii_case(wanted));
    !accept.contains([';', '"', '\\']) && names("application/json") && names("text/event-stream")
}

//! Bytes to JSON-RPC messages, or the error that tells the client why they are none.
//!
//! Knows JSON-RPC and rmcp's message types. Knows nothing of connections, sessions or revisions.

use http::request::Parts;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, ClientRequest, ErrorCode, JsonRpcMessage, RequestId,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json, value::RawValue};

use super::limits::{BATCH_MESSAGES, KEPT_BYTES};
use crate::{domain::Unambiguous, mcp::PlainMessage};

/// What one line or body holds.
#[derive(Debug)]
pub(crate) enum Inbound {
    One(Box<ClientJsonRpcMessage>),
    /// The one that nearly all are, which rmcp need not see.
    Plain(Box<Plain>),
    Batch(Vec<Member>),
}

/// A plain call, with the head of the HTTP request that brought it.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) message: Box<PlainMessage>,
    pub(crate) parts: Option<Parts>,
}

impl Plain {
    /// As rmcp takes it: handlers see the HTTP request, as they do over Streamable HTTP.
    pub(crate) fn into_message(self) -> ClientJsonRpcMessage {
        let mut message = ClientJsonRpcMessage::from(*self.message);
        if let Some(parts) = self.parts {
            message.insert_extension(parts);
        }
        message
    }
}

/// One entry of a batch. A bad one does not spoil the others.
pub(crate) type Member = Result<Box<ClientJsonRpcMessage>, Refusal>;

/// A message that is answered with a JSON-RPC error before any handler sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    code: ErrorCode,
    message: &'static str,
    id: Value,
}

impl Refusal {
    pub(crate) const TOO_LARGE: &'static str = "request larger than 1 MiB";

    fn malformed() -> Self {
        Self { code: ErrorCode::PARSE_ERROR, message: "not valid JSON", id: Value::Null }
    }

    /// Well-formed, and still no message that can be served.
    pub(crate) fn invalid(message: &'static str) -> Self {
        Self { code: ErrorCode::INVALID_REQUEST, message, id: Value::Null }
    }

    pub(crate) fn batch_at_this_revision() -> Self {
        Self::invalid("batches exist at 2025-03-26 only")
    }

    /// The id names another call, which the client would take for the one that failed: it is not echoed.
    pub(crate) fn duplicate_id() -> Self {
        Self::invalid("the request's id belongs to a call in flight")
    }

    /// The JSON-RPC error as the client gets it. The id is there even as null, as JSON-RPC 2.0 demands.
    pub(crate) fn to_json(&self) -> String {
        json!({"jsonrpc": "2.0", "id": self.id, "error": {"code": self.code.0, "message": self.message}})
            .to_string()
    }
}

/// Whether the bytes are meant as a batch.
pub(crate) fn is_batch(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'[')
}

/// Refuses a message with more in it than may be kept of what a client says of itself.
pub(crate) fn check_what_is_kept(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.len() <= KEPT_BYTES {
        return Ok(());
    }
    check_members(bytes)?;
    let Ok(message) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
    let meta = message.pointer("/params/_meta").map_or(0, |meta| meta.to_string().len());
    if meta <= KEPT_BYTES && message.get("method").is_none_or(|method| method != "initialize") {
        return Ok(());
    }
    Err(Refusal {
        id: readable_id(bytes),
        ..Refusal::invalid("initialize, or the _meta of a request, is larger than 64 KiB")
    })
}

/// Refuses a message that others may read in another way than rmcp, which takes the last of two members of a name.
pub(crate) fn check_members(bytes: &[u8]) -> Result<(), Refusal> {
    match serde_json::from_slice::<Unambiguous>(bytes) {
        // What is no JSON, or no object, is told as that.
        Err(error) if error.is_data() && bytes.trim_ascii_start().first() == Some(&b'{') => Err(Refusal {
            id: readable_id(bytes),
            ..Refusal::invalid("a member stands in it twice, or has a name that no member may have")
        }),
        _ => Ok(()),
    }
}

/// Reads a line or a body.
pub(crate) fn read(bytes: &[u8]) -> Result<Inbound, Refusal> {
    check_what_is_kept(bytes)?;
    if is_batch(bytes) {
        return Ok(Inbound::Batch(split(bytes)?.iter().map(|raw| read_member(raw)).collect()));
    }
    if let Some(message) = PlainMessage::read(bytes) {
        return Ok(Inbound::Plain(Box::new(Plain { message: Box::new(message), parts: None })));
    }
    check_members(bytes)?;
    serde_json::from_slice(bytes).map(Inbound::One).map_err(|_| explain(bytes))
}

/// Takes a batch apart, without looking at its members.
pub(crate) fn split(bytes: &[u8]) -> Result<Vec<Box<RawValue>>, Refusal> {
    let members: Vec<Box<RawValue>> = serde_json::from_slice(bytes).map_err(|_| Refusal::malformed())?;
    match members.len() {
        0 => Err(Refusal::invalid("a batch holds at least one message")),
        1..=BATCH_MESSAGES => Ok(members),
        _ => Err(Refusal::invalid("a batch holds at most 100 messages")),
    }
}

/// Reads one member of a batch. 2025-03-26 keeps `initialize` out of batches.
pub(crate) fn read_member(raw: &RawValue) -> Member {
    let bytes = raw.get().as_bytes();
    check_members(bytes)?;
    let message: Box<ClientJsonRpcMessage> = serde_json::from_slice(bytes).map_err(|_| explain(bytes))?;
    let is_initialize = matches!(
        message.as_ref(),
        ClientJsonRpcMessage::Request(request) if matches!(request.request, ClientRequest::InitializeRequest(_))
    );
    if is_initialize {
        return Err(Refusal {
            id: readable_id(bytes),
            ..Refusal::invalid("initialize is not part of a batch")
        });
    }
    Ok(message)
}

/// Why bytes that rmcp could not read are not a message.
pub(crate) fn explain(bytes: &[u8]) -> Refusal {
    if std::str::from_utf8(bytes).is_err() {
        return Refusal::malformed();
    }
    if serde_json::from_slice::<Value>(bytes).is_ok() {
        return Refusal { id: readable_id(bytes), ..Refusal::invalid("not a JSON-RPC 2.0 message") };
    }
    // JSON may hold what no value here can: a number out of range, half a surrogate pair, too deep nesting.
    match serde_json::from_slice::<Head>(bytes) {
        Ok(_) => Refusal {
            id: readable_id(bytes),
            ..Refusal::invalid("a number, text or nesting that cannot be read")
        },
        Err(_) => Refusal::malformed(),
    }
}

/// What tells a request from a response, without a look at the rest.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    method: Option<IgnoredAny>,
    #[serde(default)]
    result: Option<IgnoredAny>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// The id of a request; nothing for what is no request.
pub(crate) fn request_id(bytes: &[u8]) -> Option<RequestId> {
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.method?;
    serde_json::from_str(head.id?.get()).ok()
}

/// The id of the request that this notification cancels, read as rmcp reads it.
pub(crate) fn cancelled_id(bytes: &[u8]) -> Option<RequestId> {
    let JsonRpcMessage::Notification(message) = serde_json::from_slice::<ClientJsonRpcMessage>(bytes).ok()?
    else {
        return None;
    };
    match message.notification {
        ClientNotification::CancelledNotification(cancelled) => cancelled.params.request_id,
        _ => None,
    }
}

/// The id of what may be a request. A broken response names a call of ours, which means nothing in an answer.
fn readable_id(bytes: &[u8]) -> Value {
    let Ok(head) = serde_json::from_slice::<Head>(bytes) else { return Value::Null };
    if (head.result.is_some() || head.error.is_some()) && head.method.is_none() {
        return Value::Null;
    }
    match head.id.and_then(|id| serde_json::from_str(id.get()).ok()) {
        Some(id @ (Value::String(_) | Value::Number(_))) => id,
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Value {
        serde_json::from_str(&read(text.as_bytes()).unwrap_err().to_json()).unwrap()
    }

    #[test]
    fn says_why_bytes_are_no_message() {
        for text in ["{", "", "nonsense", "[1,", "{\"a\":1} {}"] {
            assert_eq!(refusal(text)["error"]["code"], -32700, "{text}");
            assert_eq!(refusal(text)["id"], Value::Null, "{text}");
        }
        for text in ["1", "null", "\"text\"", "{}", "[]", r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#] {
            assert_eq!(refusal(text)["error"]["code"], -32600, "{text}");
        }
        assert_eq!(read(b"{\"method\":\"\xff\"}").unwrap_err(), Refusal::malformed());
    }

    #[test]
    fn what_is_json_and_cannot_be_read_keeps_its_id() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for odd in ["1e400", r#""\ud800""#, &deep] {
            let refused =
                refusal(&format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{odd}}}"#));
            assert_eq!((&refused["id"], &refused["error"]["code"]), (&7.into(), &(-32600).into()), "{odd}");
        }
    }

    #[test]
    fn echoes_the_id_where_it_is_readable() {
        assert_eq!(refusal(r#"{"id":7,"method":"ping"}"#)["id"], 7);
        assert_eq!(refusal(r#"{"id":"a","method":"ping"}"#)["id"], "a");
        assert_eq!(refusal(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#)["id"], Value::Null);
        assert_eq!(refusal(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#)["id"], Value::Null);
        assert_eq!(refusal(r#"{"id":7,"result":{}}"#)["id"], Value::Null);
    }

    #[test]
    fn a_bad_member_does_not_spoil_a_batch() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let Ok(Inbound::Batch(members)) = read(format!(" [{ping}, 1, {ping}]").as_bytes()) else { panic!() };
        assert_eq!(members.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn batches_are_bounded() {
        let batch = |count: usize| format!("[{}]", vec!["1"; count].join(","));
        assert!(read(batch(BATCH_MESSAGES).as_bytes()).is_ok());
        assert_eq!(refusal(&batch(BATCH_MESSAGES + 1))["error"]["code"], -32600);
    }
}

//! The message that answers a call: the result's JSON is made once, and stands in it twice, as it is and as text.

use rmcp::ErrorData;
use rmcp::model::{ContentBlock, JsonRpcError};
use serde_json::{Error, to_string, to_vec, to_writer};

use super::request::Id;
use crate::calls::Reply;

/// Beside the result and what its text takes, in bytes: more than the rest ever is without links.
const REST: usize = 512;

/// A result, as rmcp writes `CallToolResult`. `identity` is the JSON of its `_meta` where no handshake has told it; only
/// then it says, too, that it is whole.
///
/// # Errors
/// None that JSON could have.
pub(super) fn result(
    id: &Id,
    reply: &Reply,
    links: &[ContentBlock],
    identity: Option<&str>,
) -> Result<Vec<u8>, Error> {
    let body = to_string(&reply.body)?;
    // As text it has a backslash before each of its quotes.
    let mut message = Vec::with_capacity(body.len() * 5 / 2 + identity.map_or(0, str::len) + REST);
    message.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    to_writer(&mut message, id)?;
    message.extend_from_slice(br#","result":{"#);
    if identity.is_some() {
        message.extend_from_slice(br#""resultType":"complete","#);
    }
    message.extend_from_slice(br#""content":[{"type":"text","text":"#);
    to_writer(&mut message, &body)?;
    message.push(b'}');
    for link in links {
        message.push(b',');
        to_writer(&mut message, link)?;
    }
    message.extend_from_slice(br#"],"structuredContent":"#);
    message.extend_from_slice(body.as_bytes());
    message.extend_from_slice(if reply.is_error { br#","isError":true"# } else { br#","isError":false"# });
    if let Some(identity) = identity {
        message.extend_from_slice(br#","_meta":"#);
        message.extend_from_slice(identity.as_bytes());
    }
    message.extend_from_slice(b"}}");
    Ok(message)
}

/// A protocol error.
pub(super) fn error(id: &Id, error: ErrorData) -> Vec<u8> {
    to_vec(&JsonRpcError::new(Some(id.clone()), error)).unwrap_or_default()
}

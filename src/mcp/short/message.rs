//! The plain `tools/call`, which nearly every message is, read in one go.
//!
//! rmcp reads a message into a buffer first, then tries one kind of message after the other: right for what can be
//! anything, and eight times the work for this one. Whatever is not exactly this shape is left to it.

use rmcp::model::{
    CallToolRequest, CallToolRequestMethod, CallToolRequestParams, ClientJsonRpcMessage, ClientRequest,
    JsonRpcMessage, JsonRpcRequest, JsonRpcVersion2_0, RequestMetaObject,
};
use serde::Deserialize;

use super::request::Id;
use crate::domain::Unambiguous;
use crate::mcp::Object;

/// The message. It may still become a call of the short route, or rmcp's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlainMessage {
    jsonrpc: JsonRpcVersion2_0,
    pub(super) id: Id,
    #[serde(rename = "method")]
    _method: CallToolRequestMethod,
    pub(super) params: Object<Params>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    #[serde(rename = "_meta")]
    pub(super) meta: Option<Unambiguous>,
    pub(super) name: String,
    pub(super) arguments: Option<Unambiguous>,
}

// Arguments are personal data: they never reach a log by way of Debug.
impl std::fmt::Debug for PlainMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainMessage").finish_non_exhaustive()
    }
}

impl PlainMessage {
    /// The message that these bytes are; nothing where they are any other.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().map(|Object(message)| message)
    }
}

/// As rmcp would have read it.
impl From<PlainMessage> for ClientJsonRpcMessage {
    fn from(PlainMessage { jsonrpc, id, params, .. }: PlainMessage) -> Self {
        let Object(Params { meta, name, arguments }) = params;
        let mut params = CallToolRequestParams::new(name);
        params.arguments = arguments.map(|Unambiguous(arguments)| arguments);
        let mut request = CallToolRequest::new(params);
        if let Some(Unambiguous(meta)) = meta {
            request.extensions.insert(RequestMetaObject::from(meta));
        }
        let request = ClientRequest::CallToolRequest(request);
        JsonRpcMessage::Request(JsonRpcRequest { jsonrpc, id, request })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"manage_customers","arguments":{"action":"get","customer_id":"cus_1","n":[1,-2,1.5,1e3,18446744073709551615,null,{"a":{}}]},"_meta":{"progressToken":"p","x":1}}}"#;

    /// Says whether the text is the plain shape, after a look that both ways read it alike.
    fn same(text: &str) -> bool {
        let long = serde_json::from_str::<ClientJsonRpcMessage>(text).ok();
        let Some(short) = PlainMessage::read(text.as_bytes()).map(ClientJsonRpcMessage::from) else {
            return false;
        };
        assert_eq!(format!("{:?}", Some(short)), format!("{long:?}"), "{text}");
        true
    }

    #[test]
    fn a_plain_call_is_read_as_rmcp_reads_it() {
        assert!(same(CALL));
        for (old, new) in [
            (r#""id":1"#, r#""id":"one""#),
            (r#""id":1"#, r#""id":1.0"#),
            (r#""id":1"#, r#""id":-9223372036854775808"#),
            ("cus_1", r"\u0063us_1 \ud83d\ude00"),
            ("manage_customers", "nobody"),
            (r#"{"progressToken":"p","x":1}"#, "null"),
            (r#"{"progressToken":"p","x":1}"#, "{}"),
            ("{\"jsonrpc\"", " \r\n{ \"jsonrpc\""),
        ] {
            assert!(CALL.contains(old), "{old}");
            assert!(same(&CALL.replacen(old, new, 1)), "{new}");
        }
        let by_another_order =
            r#"{"params":{"arguments":null,"name":"x"},"method":"tools/call","id":"a","jsonrpc":"2.0"}"#;
        assert!(same(by_another_order));
    }

    #[test]
    fn whatever_is_odd_is_left_to_rmcp() {
        for (old, new) in [
            (r#""id":1"#, r#""id":null"#),
            (r#""id":1"#, r#""id":1.5"#),
            (r#""id":1"#, r#""id":1,"id":1"#),
            (r#""id":1,"#, ""),
            (r#""id":1"#, r#""id":1,"result":{}"#),
            (r#""id":1"#, r#""id":1,"error":{}"#),
            (r#""id":1"#, r#""id":1,"x":1"#),
            ("tools/call", "tools/list"),
            (r#""2.0""#, r#""1.0""#),
            (r#""name":"manage_customers""#, r#""name":"manage_customers","inputResponses":{}"#),
            (r#""name":"manage_customers""#, r#""name":"manage_customers","requestState":"s""#),
            (r#""name":"manage_customers""#, r#""name":"manage_customers","name":"x""#),
            (r#""name":"manage_customers""#, r#""name":null"#),
            (r#""customer_id":"#, r#""action":"list","customer_id":"#),
            (r#"{"a":{}}"#, r#"{"a":{"x":1,"x":1}}"#),
            (r#""x":1"#, r#""x":1,"x":1"#),
            ("cus_1", r"\ud800"),
            ("1e3", "1e400"),
        ] {
            assert!(CALL.contains(old), "{old}");
            assert!(!same(&CALL.replacen(old, new, 1)), "{new}");
        }
        assert!(!same(&format!("{CALL}x")));
        assert!(!same(&format!("[{CALL}]")));
        // A list of an object's members is no object.
        assert!(!same(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[null,"x",{"action":"list"}]}"#
        ));
        assert!(!same(r#"["2.0",1,"tools/call",{"name":"x"}]"#));
        assert!(!same(&CALL.replace("\"cus_1\"", &format!("{}{}", "[".repeat(200), "]".repeat(200)))));
    }

    proptest! {
        /// A call with a piece cut out, doubled or spoilt: what both ways read, they read alike.
        #[test]
        fn a_spoilt_call_is_read_alike_or_left(at in 0..CALL.len(), length in 0..20_usize, put in "[\\PC\"{}:,0-9]{0,4}") {
            let end = (at + length).min(CALL.len());
            for middle in [String::new(), put, CALL[at..end].repeat(2)] {
                same(&format!("{}{middle}{}", &CALL[..at], &CALL[end..]));
            }
        }
    }
}

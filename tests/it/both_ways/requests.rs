//! Requests by hand: a good one, and what can be made of it.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::support::wire::{STATELESS, stateless};

const META: &str = "/params/_meta";
const CAPABILITIES: &str = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
const CLIENT: &str = "/params/_meta/io.modelcontextprotocol~1clientInfo";
const VERSION: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";

/// Stands for the origin of the server that a request is sent to.
pub(super) const OWN_ORIGIN: &str = "own";

/// A POST to `/mcp`.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(2_000).collect();
        f.debug_struct("Sent").field("headers", &self.headers).field("body", &body).finish()
    }
}

impl Sent {
    /// A plain call.
    pub(super) fn call(tool: &str, arguments: &Value) -> Self {
        let params = stateless(json!({"name": tool, "arguments": arguments}));
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
        let headers = [
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
            ("mcp-protocol-version", STATELESS),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
        ];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Self { headers: headers.into_iter().collect(), body: message.to_string().into_bytes() }
    }

    /// A plain call in a session of this revision.
    pub(super) fn in_session(revision: &str, tool: &str, arguments: &Value) -> Self {
        let params = json!({"name": tool, "arguments": arguments});
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params});
        let headers = [
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
            ("mcp-protocol-version", revision),
        ];
        let headers = headers.map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        Self { headers: headers.into_iter().collect(), body: message.to_string().into_bytes() }
    }

    /// The same as a client of a session would send it: what it need not say there is left out, what is odd stays.
    pub(super) fn of_a_session(&self, revision: &str) -> Self {
        let params = stateless(json!({}));
        let meta = format!(",\"_meta\":{}", params["_meta"]);
        let text = String::from_utf8(self.body.clone());
        let body = text.map_or_else(|_| self.body.clone(), |text| text.replacen(&meta, "", 1).into_bytes());
        let mut sent = Self { headers: self.headers.clone(), body };
        for name in ["mcp-method", "mcp-name"] {
            sent.headers.remove(name);
        }
        if sent.headers.get("mcp-protocol-version").is_some_and(|version| version == STATELESS) {
            sent.headers.insert("mcp-protocol-version", revision.parse().unwrap());
        }
        sent
    }

    pub(super) fn get() -> Self {
        Self::call("manage_customers", &json!({"action": "get", "customer_id": "cus_1"}))
    }

    /// The same with another value at this place of its body.
    pub(super) fn with(&self, place: &str, value: Value) -> Self {
        let mut message: Value = serde_json::from_slice(&self.body).unwrap();
        let (parent, member) = place.rsplit_once('/').unwrap();
        let member = member.replace("~1", "/");
        message.pointer_mut(parent).unwrap()[member] = value;
        Self { body: message.to_string().into_bytes(), ..self.clone() }
    }

    pub(super) fn without(&self, place: &str) -> Self {
        let mut message: Value = serde_json::from_slice(&self.body).unwrap();
        let (parent, member) = place.rsplit_once('/').unwrap();
        let parent = message.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        assert!(parent.shift_remove(&member.replace("~1", "/")).is_some(), "{place}");
        Self { body: message.to_string().into_bytes(), ..self.clone() }
    }

    /// The same with these bytes of its body put in place of others, once.
    pub(super) fn spelled(&self, was: &str, is: &[u8]) -> Self {
        let body = &self.body;
        let at = body.windows(was.len()).position(|bytes| bytes == was.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{was} is not in {}", String::from_utf8_lossy(body)));
        let body = [&body[..at], is, &body[at + was.len()..]].concat();
        Self { body, ..self.clone() }
    }

    pub(super) fn headed(&self, name: &'static str, values: &[&[u8]]) -> Self {
        let mut headers = self.headers.clone();
        headers.remove(name);
        for value in values {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        Self { headers, ..self.clone() }
    }

    pub(super) fn body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }
}

pub(super) type Named = (String, Sent);

/// Right, each in another way.
pub(super) fn taken() -> Vec<Named> {
    let get = Sent::get();
    let mut sent = vec![
        ("own origin", get.headed("origin", &[OWN_ORIGIN.as_bytes()])),
        ("charset", get.headed("content-type", &[b"application/json; charset=utf-8"])),
        ("accept the other way round", get.headed("accept", &[b"text/event-stream,APPLICATION/JSON, */*"])),
        (
            "trace in headers",
            get.headed("traceparent", &[b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]),
        ),
        (
            "trace",
            get.with(&format!("{META}/traceparent"), json!("none"))
                .with(&format!("{META}/baggage"), json!("a=1")),
        ),
        ("no arguments", get.without("/params/arguments")),
        ("null for arguments", get.with("/params/arguments", Value::Null)),
        ("nobody's name for the client", get.without(CLIENT)),
        ("null for the client", get.with(CLIENT, Value::Null)),
        ("a nameless client of before", get.with(CLIENT, json!({"name": "mcp", "version": "0.1.0"}))),
        (
            "a client with a title",
            get.with(CLIENT, json!({"name": "\u{e9}\n", "version": "1", "title": "T", "websiteUrl": null})),
        ),
        ("roots", get.with(CAPABILITIES, json!({"roots": {"listChanged": true}, "sampling": {}}))),
        (
            "who can be asked, and reads",
            get.with(CAPABILITIES, json!({"elicitation": {"form": {}, "url": {}}})),
        ),
        (
            "another extension",
            get.with(
                CAPABILITIES,
                json!({"extensions": {"io.modelcontextprotocol/ui": {"a": [1]}}, "more": 1}),
            ),
        ),
        ("spaces", get.body([b" \r\n\t".as_slice(), &get.body, b"\n "].concat())),
        ("escapes in arguments", get.spelled("cus_1", br"cus\u005f1")),
        (
            "wrong types in arguments",
            get.with("/params/arguments", json!({"action": 1, "page": [1.5, {"": null}]})),
        ),
        ("large numbers in arguments", get.spelled("\"cus_1\"", b"123456789012345678901234567890")),
        ("as deep as may be", get.with("/params/arguments/page", nested(124))),
        ("long", get.with("/params/arguments/page", json!("x".repeat(1_000_000)))),
        ("a member with an escape", get.spelled("\"method\"", br#""m\u0065thod""#)),
        ("members in another order", get.body(reordered(&get))),
    ];
    for id in [
        "0",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "\"x y\"",
        "\"7\"",
        "\"\u{e9}\u{1F600}\\n\\\"\"",
        "1.0",
        "1e2",
        "-0",
    ] {
        sent.push(("id", get.spelled("\"id\":7", format!("\"id\":{id}").as_bytes())));
    }
    sent.into_iter().map(|(what, sent)| (what.to_owned(), sent)).collect()
}

/// Wrong, or right in a way that is not worth another implementation.
pub(super) fn left() -> Vec<Named> {
    let get = Sent::get();
    let mut sent: Vec<Named> = Vec::new();
    let mut add = |what: &str, it: Sent| sent.push((what.to_owned(), it));
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name"] {
        let own = get.headers[name].as_bytes();
        let shouted = own.to_ascii_uppercase();
        let values: [&[&[u8]]; 9] = [
            &[],
            &[own, own],
            &[own, b"other"],
            &[b"other", own],
            &[b""],
            &[b"tools/list"],
            &[b"2025-11-25"],
            &[b"\xff"],
            &[&shouted, own],
        ];
        for value in values {
            add(&format!("{name}: {value:?}"), get.headed(name, value));
        }
    }
    add("another method in another case", get.headed("mcp-method", &[b"Tools/Call"]));
    add("name in Base64", get.headed("mcp-name", &[b"=?base64?bWFuYWdlX2N1c3RvbWVycw==?="]));
    add("name that is no Base64", get.headed("mcp-name", &[b"=?base64?!?="]));
    let both = [b"application/json".as_slice(), b"text/event-stream"];
    let accepts: [&[&[u8]]; 8] = [
        &both,
        &[both[0]],
        &[b"*/*"],
        &[b"application/*, text/*"],
        &[b"application/json;q=0, text/event-stream"],
        &[b"application/json;q=0.5, text/event-stream"],
        &[b"application/json, \"text/event-stream\""],
        &[b"application/json, text/event-stream, \xff"],
    ];
    for accept in accepts {
        add(&format!("accept: {accept:?}"), get.headed("accept", accept));
    }
    add("a session", get.headed("mcp-session-id", &[b"x"]));
    for id in ["1.5", "1e300", "1e999", "9223372036854775808", "null", "true", "[]", "{}", "\"\\ud800\""] {
        add(&format!("id {id}"), get.spelled("\"id\":7", format!("\"id\":{id}").as_bytes()));
    }
    for (place, values) in [
        ("/jsonrpc", vec![json!("1.0"), json!(2.0), Value::Null]),
        (
            "/method",
            vec![json!("tools/list"), json!("ping"), json!("nothing"), Value::Null, json!(["tools/call"])],
        ),
        ("/params", vec![Value::Null, json!([]), json!({}), json!("x")]),
        ("/params/name", vec![json!("manage_loans"), json!(""), json!(1), Value::Null]),
        ("/params/arguments", vec![json!([]), json!("x"), json!(1), json!(false)]),
        (META, vec![Value::Null, json!({}), json!([]), json!("x")]),
        (VERSION, vec![json!("2025-11-25"), json!("2027-01-01"), json!(""), json!(1), Value::Null]),
        (
            CAPABILITIES,
            vec![
                Value::Null,
                json!([]),
                json!("x"),
                json!({"roots": 1}),
                json!({"elicitation": 3}),
                json!({"extensions": {"x": 1}}),
                json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}),
            ],
        ),
        (
            CLIENT,
            vec![
                json!("x"),
                json!([]),
                json!({}),
                json!({"name": "x"}),
                json!({"name": 1, "version": "1"}),
                json!({"name": "x", "version": "1", "icons": []}),
                json!({"name": "x", "version": "1", "more": 1}),
            ],
        ),
        ("/params/_meta/traceparent", vec![json!(1), json!({})]),
        ("/params/_meta/progressToken", vec![json!(1), json!("x"), Value::Null, json!([])]),
        ("/params/_meta/io.modelcontextprotocol~1logLevel", vec![json!("info"), json!(1)]),
        ("/params/_meta/more", vec![json!(1), nested(100)]),
        ("/params/inputResponses", vec![json!({}), Value::Null, json!([])]),
        ("/params/requestState", vec![json!("x"), Value::Null, json!(1)]),
        ("/params/task", vec![json!({"ttl": 1})]),
        ("/params/more", vec![json!(1)]),
        ("/result", vec![json!({}), Value::Null]),
        ("/error", vec![json!({"code": 1, "message": "x"})]),
        ("/more", vec![json!(1)]),
        ("/params/arguments/page", vec![nested(125), nested(1000)]),
    ] {
        for value in values {
            let said = value.to_string();
            add(&format!("{place} {}", said.get(..60).unwrap_or(&said)), get.with(place, value));
        }
    }
    for place in ["/jsonrpc", "/id", "/method", "/params", "/params/name", META, VERSION, CAPABILITIES] {
        add(&format!("no {place}"), get.without(place));
    }
    for (member, other) in [
        ("\"jsonrpc\":", "\"2.0\""),
        ("\"id\":", "8"),
        ("\"method\":", "\"tools/call\""),
        ("\"params\":", "{}"),
        ("\"name\":", "\"manage_customers\""),
        ("\"customer_id\":", "\"cus_2\""),
        ("\"arguments\":", "{}"),
        ("\"_meta\":", "{}"),
        ("\"io.modelcontextprotocol/protocolVersion\":", "\"2026-07-28\""),
        ("\"io.modelcontextprotocol/clientCapabilities\":", "{}"),
        ("\"io.modelcontextprotocol/clientInfo\":", "null"),
        ("\"version\":", "\"2\""),
    ] {
        add(&format!("{member} twice"), get.spelled(member, format!("{member}{other},{member}").as_bytes()));
    }
    for (what, was, is) in [
        ("a method with an escape", "tools/call", br"tools\/call".as_slice()),
        ("a name with an escape", "\"manage_customers\"", br#""manage\u005fcustomers""#),
        ("half a surrogate pair", "cus_1", br"\ud800"),
        ("a number out of range", "\"cus_1\"", b"1e999"),
        ("a line end in a text", "cus_1", b"cus\n1"),
        ("a zero byte", "cus_1", b"cus\x001"),
        ("no UTF-8", "cus_1", b"\xff\xfe"),
        ("a comma too many", "\"cus_1\"", b"\"cus_1\","),
        ("a comment", "\"cus_1\"", b"\"cus_1\" /* */"),
        ("not a number", "\"cus_1\"", b"NaN"),
        ("a leading zero", "\"id\":7", b"\"id\":07"),
    ] {
        add(what, get.spelled(was, is));
    }
    let whole = get.body.as_slice();
    for (what, body) in [
        ("a byte order mark", [b"\xef\xbb\xbf", whole].concat()),
        ("more behind", [whole, b"x"].concat()),
        ("twice", [whole, whole].concat()),
        ("cut off", whole[..whole.len() - 1].to_vec()),
        ("nothing", Vec::new()),
        ("a batch", [b"[", whole, b"]"].concat()),
        ("a list", b"[".to_vec()),
        ("a text", b"\"tools/call\"".to_vec()),
        ("UTF-16", whole.iter().flat_map(|byte| [*byte, 0]).collect()),
    ] {
        add(what, get.body(body));
    }
    // Lists of the members of objects are no objects.
    let list = json!({"action": "list"});
    let meta = json!([STATELESS, {}, null, null, null, null]);
    let call = json!(["2.0", 7, "tools/call", ["manage_customers", list, meta]]);
    add("a message as a list", get.body(call.to_string()));
    add("params as a list", get.with("/params", json!(["manage_customers", list, {}])));
    add("_meta as a list", get.with(META, meta));
    for capability in ["1e999", "\"\\ud800\""] {
        let capabilities = format!("Capabilities\":{{\"x\":{capability}}}");
        add(
            &format!("a capability of {capability}"),
            get.spelled("Capabilities\":{}", capabilities.as_bytes()),
        );
    }
    sent
}

/// Lists in lists.
pub(super) fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |inner, _| json!([inner]))
}

/// The same message with every member where its last one was.
fn reordered(sent: &Sent) -> Vec<u8> {
    fn turned(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                members.into_iter().rev().map(|(name, value)| (name, turned(value))).collect()
            }
            other => other,
        }
    }
    turned(serde_json::from_slice(&sent.body).unwrap()).to_string().into_bytes()
}

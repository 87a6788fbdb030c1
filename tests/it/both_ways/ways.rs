//! Two servers before one upstream, and one client of both.

use fintecture_mcp::calls::CallsConfig;
use fintecture_mcp::mcp::{Agreement, PlainMessage, Short};
use http::{HeaderMap, HeaderName, header};
use rmcp::model::{ClientJsonRpcMessage, InitializeRequestParams, ProtocolVersion};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::requests::{OWN_ORIGIN, Sent};
use crate::support::http_server::http;
use crate::support::in_time;
use crate::support::inside::{Inside, Listening};
use crate::support::legacy_sse::{self, Events};
use crate::support::upstream::Upstream;

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// One server takes the short way where it can, the other never does.
pub(super) struct Ways {
    short: Short,
    both: [Listening; 2],
    client: reqwest::Client,
    opened: Opened,
}

/// What was opened on each.
enum Opened {
    /// Nothing: each request of 2026-07-28 is by itself.
    Stateless,
    /// A session of Streamable HTTP.
    Sessions { ids: [String; 2], agreement: Agreement },
    /// A stream of legacy SSE, and what was agreed there, where hands were shaken.
    Streams { streams: Box<[Stream; 2]>, agreement: Option<Agreement> },
}

struct Stream {
    events: Mutex<Events>,
    messages: Url,
}

/// What came back.
#[derive(Debug, PartialEq)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// `initialize` of this client.
pub(super) fn hello(revision: &str, client: &Value) -> Value {
    let params = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params})
}

fn agreed(hello: &Value) -> Agreement {
    let params: InitializeRequestParams = serde_json::from_value(hello["params"].clone()).unwrap();
    let revision: ProtocolVersion = params.protocol_version.clone();
    Agreement::new(&params, revision)
}

impl Ways {
    pub(super) async fn before(upstream: &Upstream, config: impl Fn() -> CallsConfig) -> Self {
        let [shortly, at_length] = [(), ()].map(|()| Inside::before(&upstream.base_url(), config()));
        let both = [shortly.listening(true).await, at_length.listening(false).await];
        Self { short: shortly.short(), both, client: http(), opened: Opened::Stateless }
    }

    /// The same within sessions that begin with this.
    pub(super) async fn in_sessions(mut self, hello: &Value) -> Self {
        let mut ids = Vec::new();
        for server in &self.both {
            let request = self.client.post(&server.url);
            let request = request.header(header::ACCEPT, "application/json, text/event-stream").json(hello);
            let opened = in_time(request.send()).await.unwrap();
            ids.push(opened.headers()[SESSION_ID].to_str().unwrap().to_owned());
            in_time(opened.text()).await.unwrap();
        }
        self.opened = Opened::Sessions { ids: ids.try_into().unwrap(), agreement: agreed(hello) };
        self
    }

    /// The same over legacy SSE, where nothing was said yet.
    pub(super) async fn over_streams(mut self) -> Self {
        let mut streams = Vec::new();
        for server in &self.both {
            let (events, messages) = legacy_sse::open(&server.url.replace("/mcp", "/sse")).await;
            streams.push(Stream { events: Mutex::new(events), messages });
        }
        let streams = Box::new(streams.try_into().ok().unwrap());
        self.opened = Opened::Streams { streams, agreement: None };
        self
    }

    /// Shakes hands over legacy SSE.
    pub(super) async fn greet(&mut self, hello: &Value) {
        let sent = self.call("", &Value::Null).body(hello.to_string());
        assert_eq!(self.answer(&sent).await.status, 200);
        let Opened::Streams { agreement, .. } = &mut self.opened else {
            panic!("a session has been greeted")
        };
        *agreement = Some(agreed(hello));
    }

    pub(super) fn is_stateless(&self) -> bool {
        matches!(self.opened, Opened::Stateless)
    }

    /// A plain call.
    pub(super) fn call(&self, tool: &str, arguments: &Value) -> Sent {
        match &self.opened {
            Opened::Stateless => Sent::call(tool, arguments),
            Opened::Sessions { agreement, .. } => {
                Sent::in_session(agreement.revision().as_str(), tool, arguments)
            }
            Opened::Streams { .. } => Sent::in_session("2024-11-05", tool, arguments),
        }
    }

    pub(super) fn get(&self) -> Sent {
        self.call("manage_customers", &json!({"action": "get", "customer_id": "cus_1"}))
    }

    /// Whether the short way takes it.
    pub(super) fn takes(&self, sent: &Sent) -> bool {
        let (headers, body) = (&sent.headers, &sent.body);
        match &self.opened {
            Opened::Stateless => self.short.read(headers, body).is_some(),
            Opened::Sessions { agreement, .. } => {
                self.short.read_in_session(agreement, headers, body).is_some()
            }
            Opened::Streams { agreement, .. } => {
                let (Some(agreement), Some(message)) = (agreement, PlainMessage::read(body)) else {
                    return false;
                };
                self.short.take(agreement, Some(headers), Box::new(message)).is_ok()
            }
        }
    }

    /// The answer that both give.
    pub(super) async fn answer(&self, sent: &Sent) -> Got {
        let [shortly, at_length] = [self.got(0, sent).await, self.got(1, sent).await];
        assert_eq!(shortly, at_length, "short, and at length: {sent:?}");
        shortly
    }

    async fn got(&self, which: usize, sent: &Sent) -> Got {
        let server = &self.both[which];
        let mut headers = sent.headers.clone();
        if headers.get(header::ORIGIN).is_some_and(|origin| origin == OWN_ORIGIN) {
            headers.insert(header::ORIGIN, server.url.trim_end_matches("/mcp").parse().unwrap());
        }
        let mut url = server.url.clone();
        match &self.opened {
            Opened::Stateless => {}
            Opened::Sessions { ids, .. } => {
                headers.entry(SESSION_ID).or_insert(ids[which].parse().unwrap());
            }
            Opened::Streams { streams, .. } => url = streams[which].messages.to_string(),
        }
        let request = self.client.post(url).headers(headers).body(sent.body.clone());
        let response = in_time(request.send()).await.unwrap();
        let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
        // Settled in the body, it may be shorter or longer.
        for name in ["date", "content-length"] {
            headers.remove(name);
        }
        let mut body = in_time(response.text()).await.unwrap();
        if let Opened::Streams { streams, .. } = &self.opened
            && status == 202
            && is_answered(&sent.body)
        {
            body = in_time(streams[which].events.lock().await.next()).await.unwrap().data;
            return Got { status: 200, headers: HeaderMap::new(), body: settled(body) };
        }
        if matches!(self.opened, Opened::Sessions { .. }) && status == 200 {
            // rmcp answers with a stream of events, of which only the last says anything.
            for name in ["content-type", "transfer-encoding", "cache-control", "x-accel-buffering"] {
                headers.remove(name);
            }
            let mut data = body.lines().filter_map(|line| line.strip_prefix("data:"));
            body = data.rfind(|data| !data.trim().is_empty()).unwrap_or(&body).trim().to_owned();
        }
        Got { status, headers, body: settled(body) }
    }
}

/// Whether what was accepted over legacy SSE is a request, or a batch with one.
fn is_answered(body: &[u8]) -> bool {
    let is_batch = body.trim_ascii_start().first() == Some(&b'[');
    is_batch || matches!(serde_json::from_slice(body), Ok(ClientJsonRpcMessage::Request(_)))
}

/// What differs from one call to the next, whichever way it went, is settled, in the text of a result as in its JSON.
fn settled(body: String) -> String {
    let Ok(message) = serde_json::from_str::<Value>(&body) else { return body };
    let result = &message["result"]["structuredContent"];
    let sources = result.pointer("/dossier/sources").and_then(Value::as_array);
    let moments = sources.into_iter().flatten().map(|source| &source["read_at"]);
    let differing = result.pointer("/error/request_id").into_iter().chain(moments);
    differing.filter_map(Value::as_str).fold(body.clone(), |body, text| body.replace(text, "settled"))
}

//! A session of Streamable HTTP, message by message.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::http_server::http;
use super::in_time;
use super::wire::OLDER;

/// The revision that it settles on.
pub(crate) const REVISION: &str = OLDER[3];

/// The message that cancels a request.
pub(crate) fn cancel(id: u64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

fn hello() -> Value {
    let params = json!({"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "it", "version": "2"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

/// A session of Streamable HTTP.
pub(crate) struct Session {
    url: String,
    id: String,
}

impl Session {
    /// Shakes hands.
    pub(crate) async fn open(url: String) -> Self {
        let accept = "application/json, text/event-stream";
        let opened = in_time(http().post(&url).header("accept", accept).json(&hello()).send()).await.unwrap();
        Self { id: opened.headers()["mcp-session-id"].to_str().unwrap().to_owned(), url }
    }

    /// A request in it, to be completed.
    pub(crate) fn request(&self, method: Method) -> RequestBuilder {
        self.accepting("application/json, text/event-stream", method)
    }

    /// The same, of a client that takes these types alone.
    pub(crate) fn accepting(&self, types: &str, method: Method) -> RequestBuilder {
        http().request(method, &self.url).header("mcp-session-id", &self.id).header("accept", types)
    }

    /// Sends a message and waits for the head of its answer.
    pub(crate) async fn post(&self, message: &Value) -> Response {
        in_time(self.request(Method::POST).json(message).send()).await.unwrap()
    }

    /// The same in a task, whose end is the client's leaving.
    pub(crate) fn begin(&self, message: &Value) -> JoinHandle<Response> {
        let request = self.request(Method::POST).json(message);
        tokio::spawn(async move { in_time(request.send()).await.unwrap() })
    }
}

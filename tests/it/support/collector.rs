//! A collector of traces that keeps what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

/// A running collector.
#[derive(Debug)]
pub(crate) struct Collector {
    address: String,
    sent: Arc<Mutex<Sent>>,
}

#[derive(Debug, Default)]
struct Sent {
    bodies: Vec<Bytes>,
    headers: Vec<HeaderMap>,
}

impl Collector {
    /// Starts it; it takes everything.
    pub(crate) async fn start() -> Self {
        let sent: Arc<Mutex<Sent>> = Arc::default();
        let kept = Arc::clone(&sent);
        let take = move |headers: HeaderMap, body: Bytes| {
            let mut sent = kept.lock().unwrap();
            sent.headers.push(headers);
            sent.bodies.push(body);
            std::future::ready(StatusCode::OK)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await },
        );
        Self { address, sent }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Every span so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter().flat_map(|request| request.resource_spans);
        requests.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// What the sender says of itself.
    pub(crate) fn resource(&self) -> BTreeMap<String, String> {
        let request = self.requests().into_iter().next().expect("something was sent");
        words(&request.resource_spans[0].resource.as_ref().unwrap().attributes)
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let sent = self.sent.lock().unwrap();
        sent.bodies.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    /// The value of this header of the first request.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let sent = self.sent.lock().unwrap();
        sent.headers.first()?.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// All that was sent, as text, whatever is none.
    pub(crate) fn text(&self) -> String {
        let sent = self.sent.lock().unwrap();
        sent.bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }
}

/// Attributes by their names, each as text.
pub(crate) fn words(
    attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue],
) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes
        .iter()
        .map(|pair| (pair.key.clone(), text(pair.value.as_ref().unwrap().value.as_ref().unwrap())))
        .collect()
}

/// An id as `traceparent` writes it.
pub(crate) fn hex(id: &[u8]) -> String {
    use std::fmt::Write as _;
    id.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

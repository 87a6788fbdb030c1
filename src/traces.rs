//! Spans of calls and of requests to the upstream, in the words of OpenTelemetry's conventions, and the trace that
//! they belong to (W3C trace context).
//!
//! A span says what was done, how long it took and how it ended, in words of this code: it never holds an argument, an
//! id, an answer or an error's text. Where no span is recorded, the context that came with a call is passed on as it
//! is. Baggage is neither read nor passed on. Knows nothing of where spans go.

use std::str::FromStr;
use std::sync::OnceLock;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value};

/// Longest `tracestate` that is passed on, in bytes: what everybody has to take.
const MAX_TRACESTATE_BYTES: usize = 512;
/// What `traceparent` looks like: version, trace, parent, flags.
const TRACEPARENT_PARTS: [usize; 4] = [2, 32, 16, 2];

/// Makes spans, from the moment on that they are recorded.
static TRACER: OnceLock<BoxedTracer> = OnceLock::new();

/// Spans go to the global provider from now on, which must be there.
pub fn record() {
    // A second start in one process keeps the first, as in tests.
    let _ = TRACER.set(global::tracer(env!("CARGO_PKG_NAME")));
}

/// A place in a trace, below which spans hang; or none.
#[derive(Debug, Clone, Default)]
pub struct Place(Option<Context>);

impl Place {
    /// What a caller sent. A `traceparent` that is none counts for nothing, and its `tracestate` with it.
    #[must_use]
    pub fn sent(traceparent: Option<&str>, tracestate: Option<&str>) -> Self {
        Self(
            traceparent
                .and_then(|parent| read(parent, tracestate))
                .map(|context| Context::new().with_remote_span_context(context)),
        )
    }

    /// `traceparent`, and `tracestate` where there is one, for whoever is asked next; nothing outside a trace.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let Some(context) = self.context() else { return Vec::new() };
        let flags = context.trace_flags() & TraceFlags::SAMPLED;
        let parent = format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), flags);
        let state = context.trace_state().header();
        let state = (!state.is_empty()).then_some(("tracestate", state));
        [("traceparent", parent)].into_iter().chain(state).collect()
    }

    /// The trace's id, for log lines.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.context().map(|context| context.trace_id().to_string())
    }

    /// Whether there is a trace.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.context().is_some()
    }

    fn context(&self) -> Option<SpanContext> {
        let context = self.0.as_ref()?.span().span_context().clone();
        context.is_valid().then_some(context)
    }
}

/// Where a call comes from: its place in the caller's trace, and by which face and method it came.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The caller's place.
    pub place: Place,
    /// The face that took it in.
    pub face: Face,
    /// Such as `tools/call`; over REST the route.
    pub method: &'static str,
}

impl Default for Origin {
    fn default() -> Self {
        Self { place: Place::default(), face: Face::Mcp, method: "tools/call" }
    }
}

/// A face of the server, as logs, the audit trail and spans name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// MCP, by any transport.
    Mcp,
    /// `POST /v1/tools/{tool}`
    Rest,
}

impl Face {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Rest => "rest",
        }
    }
}

/// One request to the upstream.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The operation's name.
    pub operation: &'static str,
    /// Such as `GET`.
    pub method: &'a str,
    /// The path with its placeholders left standing.
    pub template: &'a str,
    /// The upstream's host.
    pub host: &'a str,
    /// Its port.
    pub port: Option<u16>,
    /// How often the same request was made before.
    pub resends: u32,
    /// `X-Request-ID`
    pub request_id: &'a str,
}

/// Something under way. It ends when this is dropped.
#[derive(Debug)]
pub struct Span {
    place: Place,
    is_ours: bool,
}

impl Span {
    /// A tool call.
    #[must_use]
    pub fn of_call(origin: &Origin, tool: &'static str, action: &'static str) -> Self {
        Self::begin(&origin.place, SpanKind::Server, || {
            let (name, came_by) = match origin.face {
                Face::Mcp => (origin.method, "mcp.method.name"),
                Face::Rest => ("POST", "http.route"),
            };
            let mut attributes = vec![
                KeyValue::new(came_by, origin.method),
                KeyValue::new("gen_ai.operation.name", "execute_tool"),
                KeyValue::new("gen_ai.tool.name", tool),
                KeyValue::new("fintecture_mcp.action", action),
            ];
            attributes
                .extend((origin.face == Face::Rest).then(|| KeyValue::new("http.request.method", "POST")));
            (format!("{name} {tool} {action}"), attributes)
        })
    }

    /// A request to the upstream. Its address would name a customer: the template stands for it.
    #[must_use]
    pub fn of_attempt(parent: &Place, attempt: &Attempt<'_>) -> Self {
        Self::begin(parent, SpanKind::Client, || {
            let id = Value::Array(Array::String(vec![StringValue::from(attempt.request_id.to_owned())]));
            let mut attributes = vec![
                KeyValue::new("http.request.method", attempt.method.to_owned()),
                KeyValue::new("url.template", attempt.template.to_owned()),
                KeyValue::new("server.address", attempt.host.to_owned()),
                KeyValue::new("http.request.header.x-request-id", id),
                KeyValue::new("fintecture_mcp.operation", attempt.operation),
            ];
            attributes.extend(attempt.port.map(|port| KeyValue::new("server.port", i64::from(port))));
            if attempt.resends > 0 {
                attributes.push(KeyValue::new("http.request.resend_count", i64::from(attempt.resends)));
            }
            (format!("{} {}", attempt.method, attempt.template), attributes)
        })
    }

    fn begin(parent: &Place, kind: SpanKind, words: impl FnOnce() -> (String, Vec<KeyValue>)) -> Self {
        let Some(tracer) = TRACER.get() else { return Self { place: parent.clone(), is_ours: false } };
        let (name, attributes) = words();
        let context = parent.0.clone().unwrap_or_default();
        let span = tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let span = span.start_with_context(tracer, &context);
        Self { place: Place(Some(context.with_span(span))), is_ours: true }
    }

    /// Below this span.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The call was answered with this outcome, a word of the contract.
    pub fn call_ended(&self, outcome: &str, is_error: bool) {
        self.set(|| KeyValue::new("fintecture_mcp.outcome", outcome.to_owned()));
        if is_error {
            self.failed("tool_error");
        }
    }

    /// The upstream answered with this status.
    pub fn answered(&self, status: u16) {
        self.set(|| KeyValue::new("http.response.status_code", i64::from(status)));
    }

    /// It failed in this way: a word of this code, or a status.
    pub fn failed(&self, error: impl Into<StringValue>) {
        self.set(|| KeyValue::new("error.type", error.into()));
        if let Some(context) = self.ours() {
            // The description stays empty: texts of errors may quote what they are about.
            context.span().set_status(Status::error(""));
        }
    }

    fn set(&self, attribute: impl FnOnce() -> KeyValue) {
        if let Some(context) = self.ours() {
            context.span().set_attribute(attribute());
        }
    }

    fn ours(&self) -> Option<&Context> {
        self.place.0.as_ref().filter(|_| self.is_ours)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(context) = self.ours() {
            context.span().end();
        }
    }
}

/// Whether a `tracestate` could hold an e-mail address, a phone or an IBAN: whoever wrote it chose its values.
fn may_be_personal(state: &str) -> bool {
    let is_iban = |word: &str| {
        let (country, rest) = word.split_at_checked(2).unwrap_or_default();
        word.len() >= 15
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && rest.bytes().take(2).all(|byte| byte.is_ascii_digit())
            && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    };
    let words = || state.split(|c: char| !c.is_ascii_alphanumeric());
    state.contains(['@', '+']) || words().any(is_iban)
}

/// Reads a context as the recommendation asks: what is not exactly one is none.
fn read(traceparent: &str, tracestate: Option<&str>) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let mut known = [""; 4];
    for (part, length) in known.iter_mut().zip(TRACEPARENT_PARTS) {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        *part = parts.next().filter(|part| part.len() == length && part.bytes().all(is_hex))?;
    }
    let [version, trace, parent, flags] = known;
    // Later versions may say more behind what this one says.
    if version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let is_header = |state: &&str| {
        state.len() <= MAX_TRACESTATE_BYTES && state.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let has_keys = |state: &&str| state.split(',').all(|member| !member.trim_start().starts_with('='));
    let state = tracestate
        .filter(is_header)
        .filter(has_keys)
        .filter(|state| !may_be_personal(state))
        .and_then(|state| TraceState::from_str(state).ok());
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(parent).ok()?,
        flags,
        true,
        state.unwrap_or_default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn without_a_recorder_a_context_is_passed_on_as_it_came() {
        let place = Place::sent(Some(PARENT), Some("a=1,b=2"));
        let origin = Origin { place, ..Origin::default() };
        let call = Span::of_call(&origin, "verify_identity", "get");
        let headers = [("traceparent", PARENT.to_owned()), ("tracestate", "a=1,b=2".to_owned())];
        assert_eq!(call.place().headers(), headers);
        assert_eq!(call.place().trace_id().as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        let none = Span::of_call(&Origin::default(), "verify_identity", "get");
        assert_eq!((none.place().headers(), none.place().is_some()), (Vec::new(), false));
    }

    #[test]
    fn what_is_no_context_is_none() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        for wrong in [
            "",
            "-",
            "00",
            &PARENT.to_uppercase(),
            &PARENT.replace("00-", "ff-"),
            &PARENT.replace("00-", "0-"),
            &PARENT.replace("00-", "+0-"),
            &PARENT.replace(trace, &"0".repeat(32)),
            &PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
            &PARENT.replace(trace, &trace[1..]),
            &format!("{PARENT}-00"),
            &format!("{PARENT}\r\nx: y"),
            &format!(" {PARENT}"),
            &PARENT.replace('7', "é"),
        ] {
            assert!(!Place::sent(Some(wrong), Some("a=1")).is_some(), "{wrong}");
        }
        assert!(!Place::sent(None, Some("a=1")).is_some());
        assert!(Place::sent(Some(&format!("{}-more", PARENT.replace("00-", "01-"))), None).is_some());
    }

    #[test]
    fn a_state_that_is_none_is_left_out() {
        let long = format!("a={}", "x".repeat(600));
        let personal = ["a=ada@example.com", "a=+33612345678", "a=1,b=FR7630006000011234567890189"];
        for wrong in ["", "a", "a=1\r\nx: y", "a=é", "=1", &long].into_iter().chain(personal) {
            let headers = Place::sent(Some(PARENT), Some(wrong)).headers();
            assert_eq!(headers, [("traceparent", PARENT.to_owned())], "{wrong}");
        }
    }
}

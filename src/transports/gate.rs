//! The gate before every MCP route: a browser that was lured to a foreign name or page must not reach a server
//! on this machine (DNS rebinding).
//!
//! Knows request headers and the names that are ours. Knows nothing of what lies behind.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::{names::Names, reply};
use crate::{
    audit::{RefusedAccess, Trail},
    measures,
    rest::{OPENAPI_ROUTE, TOOL_ROUTE},
};

/// Least time between two lines of the log on who was kept out: whoever is, needs no token for it.
const LINE_PAUSE: Duration = Duration::from_secs(1);

/// The gate, with the names that pass it.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    names: Arc<Names>,
    trail: Trail,
    lines: Arc<Lines>,
}

/// Whom the gate keeps out, and why: in words for the client, and in one for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeptOut {
    status: StatusCode,
    reason: &'static str,
    said: &'static str,
}

const fn malformed(said: &'static str) -> KeptOut {
    KeptOut { status: StatusCode::BAD_REQUEST, reason: "malformed", said }
}

impl Gate {
    pub(crate) fn new(names: Names) -> Self {
        Self { names: Arc::new(names), trail: Trail::off(), lines: Arc::default() }
    }

    /// Puts on record there whom it keeps out.
    pub(crate) fn on_record(self, trail: Trail) -> Self {
        Self { trail, ..self }
    }

    /// The same names for rmcp, which checks again.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The answer to a request that must not pass; nothing where it may.
    pub(crate) fn stop(&self, request: &Request) -> Option<Response> {
        let kept_out = self.admit(request.uri(), request.headers()).err()?;
        Some(self.keep_out(kept_out, request.uri().path()))
    }

    fn keep_out(&self, KeptOut { status, reason, said }: KeptOut, path: &str) -> Response {
        measures::refused_access(reason);
        self.trail.refused(&RefusedAccess { reason, principal: None, path: face(path) });
        if let Some(and_more) = self.lines.next(Instant::now()) {
            tracing::warn!(reason = said, and_more, "refused a request at the gate");
        }
        reply::error(status, said)
    }

    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), KeptOut> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(malformed("more than one Host header"));
        }
        // HTTP/2 has the name in :authority, HTTP/1 may have it in the request line.
        if host.is_none() && uri.authority().is_none() {
            return Err(malformed("no Host header"));
        }
        let header = host.map(|host| host.to_str().unwrap_or_default());
        if header.is_some_and(|host| host.parse::<Authority>().is_err()) {
            return Err(malformed("malformed Host header"));
        }
        if !header
            .into_iter()
            .chain(uri.authority().map(Authority::as_str))
            .all(|name| is_one_of(name, &self.names.hosts))
        {
            return Err(KeptOut {
                status: StatusCode::FORBIDDEN,
                reason: "foreign_host",
                said: "this Host is not served here",
            });
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next();
        if origins.next().is_some() {
            return Err(malformed("more than one Origin header"));
        }
        match origin {
            Some(origin) if !is_one_of(origin.to_str().unwrap_or_default(), &self.names.origins) => {
                Err(KeptOut {
                    status: StatusCode::FORBIDDEN,
                    reason: "foreign_origin",
                    said: "this Origin is not allowed",
                })
            }
            _ => Ok(()),
        }
    }
}

fn is_one_of(name: &str, names: &[String]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The middleware.
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.stop(&request) {
        None => next.run(request).await,
        Some(response) => response,
    }
}

/// Which face a path belongs to, as it goes on record: a path as it came could hold anything.
pub(super) fn face(path: &str) -> &'static str {
    if path.starts_with("/approvals") {
        return "/approvals";
    }
    if path.starts_with("/v1/tools/") {
        return TOOL_ROUTE;
    }
    ["/mcp", "/sse", "/messages", "/metrics", OPENAPI_ROUTE]
        .into_iter()
        .find(|face| *face == path)
        .unwrap_or("other")
}

/// The lines of the log on who was kept out.
#[derive(Debug, Default)]
struct Lines(Mutex<Written>);

#[derive(Debug, Default)]
struct Written {
    last: Option<Instant>,
    /// How many have no line, since then.
    unwritten: u64,
}

impl Lines {
    /// How many had no line before this one; nothing where this one is to have none, too.
    fn next(&self, now: Instant) -> Option<u64> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.last.is_some_and(|last| now.saturating_duration_since(last) < LINE_PAUSE) {
            written.unwritten += 1;
            return None;
        }
        written.last = Some(now);
        Some(std::mem::take(&mut written.unwritten))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::audit::Facts;

    fn status(uri: &str, headers: &[(header::HeaderName, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Gate::new(Names::of("127.0.0.1:8080".parse().unwrap(), false, None))
            .admit(&uri.parse().unwrap(), &map)
            .map_or_else(|kept_out| kept_out.status.as_u16(), |()| 200)
    }

    #[test]
    fn hosts() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert_eq!(status("/mcp", &[(header::HOST, host)]), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost:8081",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "0.0.0.0:8080",
            "a@localhost",
        ] {
            assert_eq!(status("/mcp", &[(header::HOST, host)]), 403, "{host}");
        }
        for host in ["", "local host", "\u{e9}", "localhost:8080/"] {
            assert_eq!(status("/mcp", &[(header::HOST, host)]), 400, "{host}");
        }
        assert_eq!(status("/mcp", &[]), 400);
        assert_eq!(status("/mcp", &[(header::HOST, "localhost"), (header::HOST, "localhost")]), 400);
    }

    #[tokio::test]
    async fn whom_it_keeps_out_is_on_record() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trail");
        let trail = Trail::open(&path, None, Facts::new("simulator", std::iter::empty())).unwrap();
        let gate =
            Gate::new(Names::of("127.0.0.1:8080".parse().unwrap(), false, None)).on_record(trail.clone());
        for (host, origin) in [("evil.example", ""), ("localhost", "https://evil.example")] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            let kept_out = gate.admit(&"/mcp?x=canary".parse().unwrap(), &headers).unwrap_err();
            assert_eq!(gate.keep_out(kept_out, "/mcp").status(), StatusCode::FORBIDDEN);
        }
        trail.close().await;
        let lines = std::fs::read_to_string(&path).unwrap();
        let of = |reason: &str| lines.matches(&format!(r#""reason":"{reason}","path":"/mcp""#)).count();
        assert_eq!((of("foreign_host"), of("foreign_origin")), (1, 1), "{lines}");
        assert!(!lines.contains("evil"), "what a stranger sends is not written down: {lines}");
    }

    #[test]
    fn the_log_has_a_line_a_second_and_counts_the_others() {
        let (lines, start) = (Lines::default(), Instant::now());
        assert_eq!(lines.next(start), Some(0));
        assert!((0..999).all(|later| lines.next(start + Duration::from_millis(later)).is_none()));
        assert_eq!(lines.next(start + LINE_PAUSE), Some(999));
        assert_eq!(lines.next(start + 2 * LINE_PAUSE), Some(0));
    }

    #[test]
    fn the_authority_counts_as_host() {
        assert_eq!(status("http://localhost:8080/mcp", &[]), 200);
        assert_eq!(status("http://evil.example/mcp", &[]), 403);
        assert_eq!(status("http://evil.example/mcp", &[(header::HOST, "localhost")]), 403);
        assert_eq!(status("http://localhost/mcp", &[(header::HOST, "evil.example")]), 403);
    }

    #[test]
    fn origins() {
        let with = |origin| status("/mcp", &[(header::HOST, "localhost"), (header::ORIGIN, origin)]);
        for origin in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"] {
            assert_eq!(with(origin), 200, "{origin}");
        }
        for origin in
            ["null", "", "http://localhost", "http://localhost:3000", "https://evil.example", "file://"]
        {
            assert_eq!(with(origin), 403, "{origin}");
        }
        let twice = [
            (header::HOST, "localhost"),
            (header::ORIGIN, "null"),
            (header::ORIGIN, "http://localhost:8080"),
        ];
        assert_eq!(status("/mcp", &twice), 400);
    }
}

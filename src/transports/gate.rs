//! The gate before every MCP route: a browser that was lured to a foreign name or page must not reach a server
//! on this machine (DNS rebinding).
//!
//! Knows request headers and the names that are ours. Knows nothing of what lies behind.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::{auth::face, names::Names, reply};
use crate::{
    audit::{RefusedAccess, Trail},
    measures,
};

/// The gate, with the names that pass it, and where it is put on record that another one was refused.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Names>, Trail);

/// What does not pass: the word for it, the answer's status, and what it says.
type Stopped = (&'static str, StatusCode, &'static str);

impl Gate {
    pub(crate) fn new(names: Names) -> Self {
        Self(Arc::new(names), Trail::off())
    }

    /// Puts on this record what is refused.
    pub(crate) fn recording(self, trail: Trail) -> Self {
        Self(self.0, trail)
    }

    /// The same names for rmcp, which checks again.
    pub(crate) fn names(&self) -> &Names {
        &self.0
    }

    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Stopped> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(("malformed", StatusCode::BAD_REQUEST, "more than one Host header"));
        }
        // HTTP/2 has the name in :authority, HTTP/1 may have it in the request line.
        if host.is_none() && uri.authority().is_none() {
            return Err(("malformed", StatusCode::BAD_REQUEST, "no Host header"));
        }
        let header = host.map(|host| host.to_str().unwrap_or_default());
        if header.is_some_and(|host| host.parse::<Authority>().is_err()) {
            return Err(("malformed", StatusCode::BAD_REQUEST, "malformed Host header"));
        }
        if !header
            .into_iter()
            .chain(uri.authority().map(Authority::as_str))
            .all(|name| is_one_of(name, &self.0.hosts))
        {
            return Err(("foreign_host", StatusCode::FORBIDDEN, "this Host is not served here"));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next();
        if origins.next().is_some() {
            return Err(("malformed", StatusCode::BAD_REQUEST, "more than one Origin header"));
        }
        match origin {
            Some(origin) if !is_one_of(origin.to_str().unwrap_or_default(), &self.0.origins) => {
                Err(("foreign_origin", StatusCode::FORBIDDEN, "this Origin is not allowed"))
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
    match gate.admit(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((reason, status, said)) => {
            tracing::warn!(reason = said, "refused a request at the gate");
            measures::refused_access(reason);
            gate.1.refused(&RefusedAccess { reason, principal: None, path: face(request.uri().path()) });
            reply::error(status, said)
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(uri: &str, headers: &[(header::HeaderName, &str)]) -> u16 {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Gate::new(Names::of("127.0.0.1:8080".parse().unwrap(), false, None))
            .admit(&uri.parse().unwrap(), &map)
            .map_or_else(|(_, status, _)| status.as_u16(), |()| 200)
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

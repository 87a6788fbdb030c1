//! The gate before every MCP route: a browser that was lured to a foreign name or page must not reach a server
//! on this machine (DNS rebinding).
//!
//! Knows request headers and the names that are ours. Knows nothing of what lies behind.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::Next,
    response::Response,
};

use super::reply;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names under which the server may be called. Names are compared whole, so nothing has to be parsed.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    hosts: Arc<[String]>,
    origins: Arc<[String]>,
}

impl Gate {
    /// The names under which a listener at this address may be called: loopback ones, and its own where it has one.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let gate = Self::loopback(address.port());
        if address.ip().is_unspecified() {
            return gate;
        }
        let own = address.to_string();
        Self {
            origins: gate.origins.iter().cloned().chain([format!("http://{own}")]).collect(),
            hosts: gate.hosts.iter().cloned().chain([own]).collect(),
        }
    }

    /// Loopback names with the listener's own port, or none.
    pub(crate) fn loopback(port: u16) -> Self {
        let with_port = LOOPBACK.map(|name| format!("{name}:{port}"));
        let hosts = LOOPBACK.map(String::from).into_iter().chain(with_port.clone());
        let own = with_port.iter().flat_map(|host| [format!("http://{host}"), format!("https://{host}")]);
        // Browsers leave out the port that the scheme implies.
        let implied = match port {
            80 => LOOPBACK.map(|name| format!("http://{name}")).to_vec(),
            443 => LOOPBACK.map(|name| format!("https://{name}")).to_vec(),
            _ => Vec::new(),
        };
        Self { hosts: hosts.collect(), origins: own.chain(implied).collect() }
    }

    /// The same origins for rmcp, which checks again.
    pub(crate) fn origins(&self) -> Vec<String> {
        self.origins.to_vec()
    }

    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err((StatusCode::BAD_REQUEST, "more than one Host header"));
        }
        // HTTP/2 has the name in :authority, HTTP/1 may have it in the request line.
        if host.is_none() && uri.authority().is_none() {
            return Err((StatusCode::BAD_REQUEST, "no Host header"));
        }
        let header = host.map(|host| host.to_str().unwrap_or_default());
        if header.is_some_and(|host| host.parse::<Authority>().is_err()) {
            return Err((StatusCode::BAD_REQUEST, "malformed Host header"));
        }
        if !header
            .into_iter()
            .chain(uri.authority().map(Authority::as_str))
            .all(|name| is_one_of(name, &self.hosts))
        {
            return Err((StatusCode::FORBIDDEN, "this Host is not served here"));
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let origin = origins.next();
        if origins.next().is_some() {
            return Err((StatusCode::BAD_REQUEST, "more than one Origin header"));
        }
        match origin {
            Some(origin) if !is_one_of(origin.to_str().unwrap_or_default(), &self.origins) => {
                Err((StatusCode::FORBIDDEN, "this Origin is not allowed"))
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
        Err((status, reason)) => {
            tracing::warn!(reason, "refused a request at the gate");
            reply::error(status, reason)
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
        Gate::loopback(8080)
            .admit(&uri.parse().unwrap(), &map)
            .map_or_else(|(status, _)| status.as_u16(), |()| 200)
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
    fn an_address_of_its_own_is_one_more_name() {
        let host = |address: &str, host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            Gate::of(address.parse().unwrap()).admit(&"/".parse().unwrap(), &headers).is_ok()
        };
        assert!(host("192.0.2.7:8080", "192.0.2.7:8080") && host("192.0.2.7:8080", "127.0.0.1:8080"));
        assert!(host("[2001:db8::7]:8080", "[2001:db8::7]:8080"));
        assert!(!host("192.0.2.7:8080", "192.0.2.7:8081") && !host("192.0.2.7:8080", "192.0.2.8:8080"));
        assert!(!host("0.0.0.0:8080", "0.0.0.0:8080") && host("0.0.0.0:8080", "127.0.0.1:8080"));
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

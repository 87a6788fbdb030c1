//! Whether a request comes from one of our own pages. The gate has held `Host` to our names and an `Origin` to our
//! origins, the scheme included; what is left is that the page that sent the form has exactly the origin that the form
//! went to, port included: another local server is another origin.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// Whether `Origin` is there, once, and names the very host that the request went to.
pub(super) fn is_from_here(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the name in :authority.
    let Some(host) = host.or_else(|| uri.authority().map(Authority::as_str)) else { return false };
    origin
        .to_str()
        .ok()
        .and_then(|origin| origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")))
        .is_some_and(|origin| origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(host: Option<&str>, origins: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        for origin in origins {
            headers.append(header::ORIGIN, origin.parse().unwrap());
        }
        is_from_here(&"/approvals/x".parse().unwrap(), &headers)
    }

    #[test]
    fn only_the_very_origin_of_the_page_counts() {
        let host = Some("127.0.0.1:4000");
        assert!(from_here(host, &["http://127.0.0.1:4000"]));
        assert!(from_here(Some("LOCALHOST:4000"), &["http://localhost:4000"]));
        assert!(from_here(Some("mcp.example.com"), &["https://mcp.example.com"]));
        for origin in [
            "http://127.0.0.1:4001",
            "http://127.0.0.1",
            "http://localhost:4000",
            "https://127.0.0.1",
            "ftp://127.0.0.1:4000",
            "http://127.0.0.1:4000.evil.example",
            "http://127.0.0.1:4000/",
            "https://evil.example",
            "null",
            "",
        ] {
            assert!(!from_here(host, &[origin]), "{origin}");
        }
        assert!(!from_here(host, &[]));
        assert!(!from_here(host, &["http://127.0.0.1:4000", "http://127.0.0.1:4000"]));
        assert!(!from_here(None, &["http://127.0.0.1:4000"]));
    }

    #[test]
    fn the_authority_counts_as_host() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, "http://localhost:4000".parse().unwrap());
        assert!(is_from_here(&"http://localhost:4000/approvals/x".parse().unwrap(), &headers));
        assert!(!is_from_here(&"http://localhost:4001/approvals/x".parse().unwrap(), &headers));
    }
}

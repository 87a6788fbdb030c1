//! Addresses of other programs.

use url::{Host, Url};

/// Whether an address stays on this machine: the one place where credentials may travel without TLS.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_only_look_like_this_machine_are_others() {
        let of = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(of("http://127.0.0.1:1") && of("http://localhost") && of("http://[::1]:8080/v1"));
        for other in [
            "http://127.0.0.1.example.com",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "data:x",
        ] {
            assert!(!of(other), "{other}");
        }
    }
}

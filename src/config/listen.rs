//! Addresses to listen on. Beyond this machine, only where callers are authenticated.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Problems;

/// Reads `ADDRESS:PORT` of this machine; `localhost` counts as 127.0.0.1. `flag` names it in the problem.
pub fn loopback_address(flag: &str, text: &str, problems: &mut Problems) -> Option<SocketAddr> {
    match address(text) {
        None => {
            problems.add(format!("{flag} must be an address with a port, such as 127.0.0.1:8080"));
            None
        }
        Some(address) if address.ip().is_loopback() => Some(address),
        Some(_) => {
            problems.add(format!("{flag} must be on loopback, such as 127.0.0.1:8080: it takes any caller"));
            None
        }
    }
}

/// Reads `ADDRESS:PORT` of `--listen`, which may be beyond this machine where callers are authenticated.
pub(super) fn server_address(
    text: &str,
    is_authenticated: bool,
    problems: &mut Problems,
) -> Option<SocketAddr> {
    match address(text) {
        Some(address) if address.ip().is_loopback() || is_authenticated => Some(address),
        Some(_) => {
            problems.add("--listen beyond loopback needs callers to be authenticated: set FINTECTURE_MCP_TOKEN, --auth-tokens, or --oauth-issuer and --oauth-audience");
            None
        }
        None => {
            problems.add("--listen must be an address with a port, such as 127.0.0.1:8080");
            None
        }
    }
}

/// Reads `ADDRESS:PORT`; `localhost` counts as 127.0.0.1.
pub(super) fn address(text: &str) -> Option<SocketAddr> {
    match text.strip_prefix("localhost:") {
        Some(port) => port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_listened_on() {
        let of = |text: &str| loopback_address("--listen", text, &mut Problems::default());
        assert_eq!(of("localhost:80").unwrap().to_string(), "127.0.0.1:80");
        assert!(of("127.0.0.1:0").is_some() && of("[::1]:8080").is_some());
        for bad in [
            "0.0.0.0:8080",
            "[::]:8080",
            "192.168.1.4:80",
            "8080",
            "localhost",
            "example.com:80",
            "127.0.0.1:99999",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}

//! Who is at the other end: the client's address, which a trusted proxy may tell, and the principal that the gate
//! found.
//!
//! Knows headers. Knows nothing of how a principal is found.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
};

use axum::http::{Extensions, HeaderMap, header};
use ipnet::IpNet;

use crate::domain::Principal;

/// Who calls; without authentication, whoever can reach this process.
pub(crate) fn principal(extensions: &Extensions) -> Arc<Principal> {
    extensions.get::<Arc<Principal>>().cloned().unwrap_or_else(local)
}

/// Whoever can reach this process.
pub(crate) fn local() -> Arc<Principal> {
    static LOCAL: LazyLock<Arc<Principal>> = LazyLock::new(|| Arc::new(Principal::local()));
    Arc::clone(&LOCAL)
}

/// The proxies whose word on their client's address is believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Arc<[IpNet]>);

impl Proxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether this is one of them.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the client, which stands in the extensions of every request. Each proxy adds the one that it sees on the right, so the rightmost that is no
    /// trusted proxy is the last that can be believed: what stands before it, the client may have made up.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if self.trust(client) {
            for hop in hops(headers).into_iter().rev() {
                // What cannot be read came from whoever stands left of the proxy that wrote it down.
                let Some(address) = hop else { break };
                client = address;
                if !self.trust(client) {
                    break;
                }
            }
        }
        client
    }
}

/// The addresses in `X-Forwarded-For`, else in `Forwarded`, from left to right.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let of = |name| headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap_or("?").split(','));
    let simple: Vec<_> = of("x-forwarded-for").map(address).collect();
    if !simple.is_empty() {
        return simple;
    }
    let standard = of(header::FORWARDED.as_str());
    standard.map(|element| address(element.split(';').find_map(forwarded_for)?)).collect()
}

fn forwarded_for(pair: &str) -> Option<&str> {
    let (name, value) = pair.split_once('=')?;
    name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
}

/// An address, perhaps with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|address: SocketAddr| address.ip())).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Proxies::new(&networks).client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let claim = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client("10.1.2.3", &claim), "192.0.2.1");
        assert_eq!(client("::ffff:10.1.2.3", &claim), "192.0.2.1");
        assert_eq!(client("2001:db8::1", &claim), "192.0.2.1");
        assert_eq!(client("192.0.2.9", &claim), "192.0.2.9", "anybody can send the header");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_counts() {
        for (header, said) in [
            ("1.1.1.1, 192.0.2.1, 10.0.0.7", "192.0.2.1"),
            ("192.0.2.1,10.0.0.7 , 10.0.0.8", "192.0.2.1"),
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("[2001:db9::1]:4711", "2001:db9::1"),
            ("2001:db9::1", "2001:db9::1"),
            ("1.1.1.1, unknown, 10.0.0.7", "10.0.0.7"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", header)]), said, "{header}");
        }
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.1, 10.0.0.7")];
        assert_eq!(client("10.0.0.1", &lines), "192.0.2.1", "several lines are one list");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        for (header, said) in [
            ("for=192.0.2.1;proto=https;by=10.0.0.1", "192.0.2.1"),
            ("for=1.1.1.1, proto=https;For=\"[2001:db9::1]:80\"", "2001:db9::1"),
            ("for=192.0.2.1, for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("forwarded", header)]), said, "{header}");
        }
    }
}

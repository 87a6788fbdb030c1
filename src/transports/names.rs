//! The names under which the server may be called: its hosts, and the origins of its own pages. They follow from the
//! address that it listens on, from whether it speaks TLS there, and from its public URL.
//!
//! Names are compared whole, so nothing has to be parsed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Position, Url};

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) hosts: Vec<String>,
    pub(crate) origins: Vec<String>,
}

impl Names {
    /// Loopback ones with the listener's own port or none, its own address where it has one, and the public URL's.
    pub(crate) fn of(address: SocketAddr, has_tls: bool, public: Option<&Url>) -> Self {
        let (scheme, port) = (scheme(has_tls), address.port());
        let mut with_port: Vec<String> = LOOPBACK.iter().map(|name| format!("{name}:{port}")).collect();
        if !address.ip().is_unspecified() {
            with_port.push(address.to_string());
        }
        let mut origins: Vec<String> = with_port.iter().map(|host| format!("{scheme}://{host}")).collect();
        let mut hosts = with_port;
        hosts.extend(LOOPBACK.map(String::from));
        // Browsers leave out the port that the scheme implies.
        if port == implied_port(has_tls) {
            origins.extend(LOOPBACK.iter().map(|name| format!("{scheme}://{name}")));
            hosts.push(bare(address.ip()));
            origins.push(format!("{scheme}://{}", bare(address.ip())));
        }
        if let Some(public) = public {
            let host = &public[Position::BeforeHost..Position::AfterPort];
            hosts.push(host.to_owned());
            if public.port().is_none() {
                let port = public.port_or_known_default().unwrap_or_default();
                hosts.push(format!("{host}:{port}"));
            }
            origins.push(base(public));
        }
        Self { hosts, origins }
    }

    /// The origins with their ports spelled out: rmcp takes one without for any port.
    pub(crate) fn origins_with_ports(&self) -> Vec<String> {
        let with_port = |origin: &String| match origin.parse::<Url>() {
            Ok(url) if url.port().is_none() => {
                format!("{origin}:{}", url.port_or_known_default().unwrap_or_default())
            }
            _ => origin.clone(),
        };
        self.origins.iter().map(with_port).collect()
    }
}

/// Where clients and people find the server: at its public URL, else at its own address as this machine can open it.
/// Without a slash at the end.
#[must_use]
pub fn origin(mut address: SocketAddr, has_tls: bool, public: Option<&Url>) -> String {
    if let Some(public) = public {
        return base(public);
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{}://{address}", scheme(has_tls))
}

fn base(public: &Url) -> String {
    public[..Position::AfterPort].to_owned()
}

fn scheme(has_tls: bool) -> &'static str {
    if has_tls { "https" } else { "http" }
}

fn implied_port(has_tls: bool) -> u16 {
    if has_tls { 443 } else { 80 }
}

/// An address as it stands in a URL.
fn bare(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(address: &str, has_tls: bool, public: Option<&str>) -> Names {
        let public = public.map(|url| url.parse().unwrap());
        Names::of(address.parse().unwrap(), has_tls, public.as_ref())
    }

    fn has_host(address: &str, host: &str) -> bool {
        names(address, false, None).hosts.iter().any(|known| known == host)
    }

    #[test]
    fn an_address_of_its_own_is_one_more_name() {
        assert!(has_host("192.0.2.7:8080", "192.0.2.7:8080") && has_host("192.0.2.7:8080", "127.0.0.1:8080"));
        assert!(has_host("[2001:db8::7]:8080", "[2001:db8::7]:8080"));
        assert!(
            !has_host("192.0.2.7:8080", "192.0.2.7:8081") && !has_host("192.0.2.7:8080", "192.0.2.8:8080")
        );
        assert!(!has_host("0.0.0.0:8080", "0.0.0.0:8080") && has_host("0.0.0.0:8080", "127.0.0.1:8080"));
        assert!(has_host("192.0.2.7:80", "192.0.2.7") && !has_host("192.0.2.7:8080", "192.0.2.7"));
    }

    #[test]
    fn the_scheme_of_an_origin_is_the_one_that_is_spoken() {
        for (has_tls, good, bad) in [(true, "https", "http"), (false, "http", "https")] {
            let origins = names("192.0.2.7:8080", has_tls, None).origins;
            for name in ["192.0.2.7:8080", "localhost:8080"] {
                assert!(origins.contains(&format!("{good}://{name}")), "{origins:?}");
                assert!(!origins.contains(&format!("{bad}://{name}")), "{origins:?}");
            }
        }
    }

    #[test]
    fn a_public_url_is_one_more_name() {
        let public = names("127.0.0.1:8080", false, Some("https://mcp.example.com/"));
        for host in ["mcp.example.com", "mcp.example.com:443"] {
            assert!(public.hosts.iter().any(|known| known == host), "{host}");
        }
        assert!(public.origins.contains(&"https://mcp.example.com".to_owned()));
        assert!(!public.origins.contains(&"http://mcp.example.com".to_owned()));
        assert!(public.origins_with_ports().contains(&"https://mcp.example.com:443".to_owned()));
        let with_port = names("127.0.0.1:8080", false, Some("https://mcp.example.com:8443"));
        assert!(with_port.hosts.contains(&"mcp.example.com:8443".to_owned()));
        assert!(!with_port.hosts.contains(&"mcp.example.com".to_owned()));
    }

    #[test]
    fn a_link_names_an_address_that_can_be_opened() {
        let public: Url = "https://mcp.example.com:8443/".parse().unwrap();
        for (listened, has_tls, public, said) in [
            ("127.0.0.1:4000", false, None, "http://127.0.0.1:4000"),
            ("0.0.0.0:4000", true, None, "https://127.0.0.1:4000"),
            ("[::]:4000", false, None, "http://[::1]:4000"),
            ("192.0.2.7:4000", false, None, "http://192.0.2.7:4000"),
            ("192.0.2.7:4000", false, Some(&public), "https://mcp.example.com:8443"),
        ] {
            assert_eq!(origin(listened.parse().unwrap(), has_tls, public), said);
        }
    }
}

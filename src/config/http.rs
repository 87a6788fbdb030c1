//! How the HTTP server is found and reached: its public URL, the proxies before it, its certificate.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use url::Url;

use super::{Problems, ServeFlags};
use crate::domain;

/// The settings of the HTTP server, its address aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where clients and people find it, where that is not its own address. An origin: no path.
    pub public_url: Option<Url>,
    /// The proxies whose word on their client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Its certificate; none: it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, its own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Reads the flags.
pub(super) fn read(flags: &ServeFlags, on_stdio: bool, problems: &mut Problems) -> HttpSettings {
    if on_stdio {
        for (flag, is_set) in [
            ("--public-url", flags.public_url.is_some()),
            ("--trusted-proxy", !flags.trusted_proxy.is_empty()),
            ("--tls-cert", flags.tls_cert.is_some()),
            ("--tls-key", flags.tls_key.is_some()),
        ] {
            if is_set {
                problems.add(format!("{flag} needs --transport http"));
            }
        }
        return HttpSettings::default();
    }
    HttpSettings {
        public_url: flags.public_url.as_deref().and_then(|url| public_url(url, problems)),
        trusted_proxies: flags.trusted_proxy.iter().filter_map(|text| network(text, problems)).collect(),
        tls: tls(flags, problems),
    }
}

/// Paths are refused, since the pages stand at the root of their host: a proxy that takes a prefix away would break
/// their links and cookies.
fn public_url(text: &str, problems: &mut Problems) -> Option<Url> {
    let url = text.parse::<Url>().ok().filter(|url| {
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        url.has_host() && is_bare && is_anonymous
    });
    let Some(url) = url else {
        problems.add(
            "--public-url must be a scheme and a host, perhaps with a port, and nothing more, such as https://mcp.example.com",
        );
        return None;
    };
    if url.scheme() == "https" || (url.scheme() == "http" && domain::is_loopback(&url)) {
        return Some(url);
    }
    problems.add("--public-url must be https, or http on loopback");
    None
}

fn network(text: &str, problems: &mut Problems) -> Option<IpNet> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
    if network.is_none() {
        problems.add(
            "--trusted-proxy must be an address or a network, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32",
        );
    }
    network
}

fn tls(flags: &ServeFlags, problems: &mut Problems) -> Option<TlsFiles> {
    match (&flags.tls_cert, &flags.tls_key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.clone(), key: key.clone() })
        }
        (Some(_), None) => {
            problems.add("--tls-cert needs --tls-key, the file with its private key");
            None
        }
        (None, Some(_)) => {
            problems.add("--tls-key needs --tls-cert, the file with its certificate chain");
            None
        }
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(flags: &ServeFlags, on_stdio: bool) -> Result<HttpSettings, String> {
        let mut problems = Problems::default();
        let settings = read(flags, on_stdio, &mut problems);
        problems.or(Some(settings)).map_err(|problems| problems.to_string())
    }

    fn flags(public_url: &str, trusted_proxy: &[&str]) -> ServeFlags {
        ServeFlags {
            public_url: Some(public_url.to_owned()),
            trusted_proxy: trusted_proxy.iter().map(|&text| text.to_owned()).collect(),
            ..ServeFlags::default()
        }
    }

    #[test]
    fn good_flags_become_settings() {
        let settings =
            of(&flags("https://mcp.example.com", &["10.0.0.0/8", "::1", "192.0.2.7"]), false).unwrap();
        assert_eq!(settings.public_url.unwrap().as_str(), "https://mcp.example.com/");
        let shown: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);
        assert!(of(&flags("http://localhost:8080/", &[]), false).is_ok());
    }

    #[test]
    fn a_public_url_is_an_origin_that_tokens_may_travel_to() {
        for bad in [
            "mcp.example.com",
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/?a",
            "https://mcp.example.com/#a",
            "https://user@mcp.example.com",
            "https://user:canary@mcp.example.com",
            "http://mcp.example.com",
            "ftp://mcp.example.com",
            "data:x",
            "",
        ] {
            let problem = of(&flags(bad, &[]), false).unwrap_err();
            assert!(problem.starts_with("--public-url must be "), "{bad}: {problem}");
            assert!(!problem.contains("canary"), "{problem}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let wrong = ServeFlags { tls_cert: Some("cert.pem".into()), ..flags("x", &["10.0.0.0/33", "proxy"]) };
        insta::assert_snapshot!(of(&wrong, false).unwrap_err(), @r"
        --public-url must be a scheme and a host, perhaps with a port, and nothing more, such as https://mcp.example.com
        --trusted-proxy must be an address or a network, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32
        --trusted-proxy must be an address or a network, such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32
        --tls-cert needs --tls-key, the file with its private key
        ");
        let other = ServeFlags { tls_key: Some("key.pem".into()), ..ServeFlags::default() };
        insta::assert_snapshot!(of(&other, false).unwrap_err(), @"--tls-key needs --tls-cert, the file with its certificate chain");
    }

    #[test]
    fn on_stdio_there_is_nothing_to_set() {
        let set = ServeFlags {
            tls_cert: Some("cert.pem".into()),
            tls_key: Some("key.pem".into()),
            ..flags("https://mcp.example.com", &["::1"])
        };
        insta::assert_snapshot!(of(&set, true).unwrap_err(), @r"
        --public-url needs --transport http
        --trusted-proxy needs --transport http
        --tls-cert needs --transport http
        --tls-key needs --transport http
        ");
    }
}

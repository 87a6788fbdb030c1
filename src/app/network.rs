//! Turns the settings of the HTTP server into what the transports take.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::config::{HttpSettings, Limits, seconds};
use crate::secret::is_readable_by_others;
use crate::transports::{self, HttpConfig, HttpLimits, Tls};

/// Files and sockets that the process has open beside its clients' connections.
const FILES_BESIDE: u64 = 500;

/// Reads the certificate, where there is to be one.
///
/// # Errors
/// What is wrong, in a line.
pub(super) fn prepare(settings: HttpSettings, limits: &Limits) -> Result<HttpConfig, String> {
    let HttpSettings { public_url, trusted_proxies, tls } = settings;
    let tls = match tls {
        None => None,
        Some(files) => {
            warn_of_readable(&files.key);
            let tls = Tls::load(files.certificate, files.key);
            Some(Arc::new(tls.map_err(|error| format!("--tls-cert, --tls-key: {error}"))?))
        }
    };
    Ok(HttpConfig { limits: http_limits(limits), tls, public_url, trusted_proxies, ..HttpConfig::default() })
}

/// Lets the process have as many connections open as it may take; the system gives fewer than it could at first.
pub(super) fn raise_file_limit(config: &HttpConfig) {
    let wanted = config.limits.connections as u64 + FILES_BESIDE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(files) if files < wanted => tracing::warn!(
            files,
            "the system lets this process open fewer files than it may take connections: raise its limit (ulimit -n, LimitNOFILE), or lower --limit connections"
        ),
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "the limit of open files stays as it is"),
    }
}

/// Where people and clients find the server.
pub(super) fn origin(config: &HttpConfig, address: SocketAddr) -> String {
    transports::origin(address, config.tls.is_some(), config.public_url.as_ref())
}

/// Where the paths of the server begin, without a slash at the end: a proxy may put them below one of its own.
pub(super) fn address(config: &HttpConfig, address: SocketAddr) -> String {
    match &config.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => origin(config, address),
    }
}

fn warn_of_readable(key: &Path) {
    if is_readable_by_others(key) {
        tracing::warn!(path = %key.display(), "others than its owner may read the TLS key: chmod 600 it");
    }
}

fn http_limits(limits: &Limits) -> HttpLimits {
    let count = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    HttpLimits {
        body_bytes: count(limits.request_bytes),
        bodies_bytes: count(limits.bodies_bytes),
        bodies_bytes_per_principal: count(limits.bodies_bytes_per_principal),
        body_wait: seconds(limits.body_seconds),
        head_wait: seconds(limits.header_seconds),
        sessions: count(limits.sessions),
        sessions_per_principal: count(limits.sessions_per_principal),
        session_idle: seconds(limits.session_idle_seconds),
        session_life: seconds(limits.session_life_seconds),
        streams: count(limits.streams),
        streams_per_principal: count(limits.streams_per_principal),
        connections: count(limits.connections),
        connections_per_address: count(limits.connections_per_address),
        grace: seconds(limits.shutdown_seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two places know each default: the flags', and the transports' own for who sets none.
    #[test]
    fn the_defaults_of_the_limits_are_those_of_the_transports() {
        assert_eq!(format!("{:?}", http_limits(&Limits::default())), format!("{:?}", HttpLimits::default()));
    }
}

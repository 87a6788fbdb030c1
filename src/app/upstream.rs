//! Makes the upstream ready: the simulator is started here, behind the same HTTP client as the real thing.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::config::{self, Remote, Signing, Upstream, variables};
use crate::domain::Environment;
use crate::fintecture::{Application, Client, ClientConfig, Credentials, Signer};
use crate::sealing::{Sealer, SealerError};
use crate::secret::Secret;
use crate::simulator::{self, Simulator, SimulatorConfig};

/// What stands on standard error when a simulator is used.
const SIMULATOR_NOTICE: &str = "SIMULATOR: every customer, account and verification is made up";

/// An upstream whose settings have been found good.
pub(super) enum Prepared {
    /// To be started in this process.
    Simulator { timeout: Duration },
    /// Sandbox or production.
    Remote { environment: Environment, client: Box<Client> },
}

impl Prepared {
    /// Which upstream it is.
    pub(super) fn environment(&self) -> Environment {
        match self {
            Self::Simulator { .. } => Environment::Simulator,
            Self::Remote { environment, .. } => *environment,
        }
    }
}

/// Seals what clients keep for this server. Every process with the same upstream and secret can open it; the embedded
/// simulator ends with its process, and so does what it has to do with.
pub(super) fn sealer(upstream: &Upstream) -> Result<Sealer, SealerError> {
    let Upstream::Remote(remote) = upstream else { return Sealer::random() };
    let secret = match (&remote.signing, &remote.credentials) {
        (Some(signing), _) => &signing.key,
        (None, config::Credentials::Token(secret) | config::Credentials::Application { secret, .. }) => {
            secret
        }
    };
    Sealer::from_secret(SecretSlice::from(bond(upstream, Some(&secret.get()))).expose_secret())
}

/// What tells one upstream from another, with what is shown to it where that is to tell them apart, too.
pub(super) fn bond(upstream: &Upstream, secret: Option<&SecretString>) -> Vec<u8> {
    // An id of the sandbox may be another customer's in production, whatever secret the two share.
    let (environment, base_url) = match upstream {
        Upstream::Simulator { .. } => (Environment::Simulator, ""),
        Upstream::Remote(remote) => (remote.environment, remote.base_url.as_str()),
    };
    let parts = [Some(environment.as_str()), Some(base_url), secret.map(ExposeSecret::expose_secret)];
    let parts = parts.map(|part| part.map(str::as_bytes));
    let parts = || parts.iter().flatten();
    let mut bound = Vec::with_capacity(parts().map(|part| size_of::<u64>() + part.len()).sum());
    for part in parts() {
        bound.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bound.extend_from_slice(part);
    }
    bound
}

/// Checks what only the client can check: keys, certificates, addresses.
///
/// # Errors
/// What is wrong, a line each.
pub(super) fn prepare(upstream: Upstream) -> Result<Prepared, String> {
    let remote = match upstream {
        Upstream::Simulator { timeout, unused_credential } => {
            if unused_credential {
                tracing::warn!("a credential is set, and not used: the environment is the simulator");
            }
            return Ok(Prepared::Simulator { timeout });
        }
        Upstream::Remote(remote) => *remote,
    };
    warn_of_open_files(&remote);
    if remote.is_key_unfilled {
        tracing::warn!("a private key is set to nothing: requests are not signed");
    }
    let credentials = match remote.credentials {
        config::Credentials::Token(token) => Credentials::Token(token),
        config::Credentials::Application { id, secret, token_url, scope } => {
            Credentials::Application(Application { id, secret, token_url, scope })
        }
    };
    let signer = remote.signing.as_ref().map(signer).transpose();
    let wrong_key = signer.as_ref().err().cloned();
    let client = Client::new(ClientConfig {
        base_url: remote.base_url,
        credentials,
        signer: signer.ok().flatten(),
        timeout: remote.timeout,
        requests_per_second: remote.requests_per_second,
        ca_file: remote.ca_file,
    });
    let wrong_client = client.as_ref().err().map(ToString::to_string);
    let wrong: Vec<String> = wrong_key.into_iter().chain(wrong_client).collect();
    match client {
        Ok(client) if wrong.is_empty() => {
            Ok(Prepared::Remote { environment: remote.environment, client: Box::new(client) })
        }
        _ => Err(wrong.join("\n")),
    }
}

/// The environment, its client, and the simulator where this process runs one.
pub(super) async fn ready(prepared: Prepared) -> anyhow::Result<(Environment, Client, Option<Simulator>)> {
    let timeout = match prepared {
        Prepared::Simulator { timeout } => timeout,
        Prepared::Remote { environment, client } => return Ok((environment, *client, None)),
    };
    if tracing::enabled!(tracing::Level::WARN) {
        tracing::warn!("{SIMULATOR_NOTICE}");
    } else {
        // Whatever the log leaves out, nobody may take play for the real thing.
        super::say(&mut std::io::stderr(), SIMULATOR_NOTICE);
    }
    let token = uuid::Uuid::new_v4().to_string();
    let listener = super::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let config =
        SimulatorConfig { token: Some(SecretString::from(token.as_str())), ..SimulatorConfig::default() };
    let simulator = simulator::start(listener, config)?;
    let client = Client::new(ClientConfig {
        base_url: simulator.base_url().parse().context("the simulator's address")?,
        credentials: Credentials::Token(Secret::fixed(&token)),
        signer: None,
        timeout,
        requests_per_second: None,
        ca_file: None,
    })?;
    Ok((Environment::Simulator, client, Some(simulator)))
}

fn signer(signing: &Signing) -> Result<Signer, String> {
    Signer::new(signing.key.clone(), &signing.app_id)
        .map_err(|error| format!("{}: the key {error}", variables::PRIVATE_KEY.variable.name))
}

fn warn_of_open_files(remote: &Remote) {
    let secret = match &remote.credentials {
        config::Credentials::Token(secret) | config::Credentials::Application { secret, .. } => secret,
    };
    let keys = remote.signing.iter().map(|signing| &signing.key);
    for path in keys.chain([secret]).filter_map(Secret::readable_by_others) {
        tracing::warn!(path = %path.display(), "others than its owner may read this secret: chmod 600 it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(environment: Environment, base_url: &str, secret: &str) -> Upstream {
        Upstream::Remote(Box::new(Remote {
            environment,
            base_url: base_url.parse().unwrap(),
            credentials: config::Credentials::Token(Secret::fixed(secret)),
            signing: None,
            is_key_unfilled: false,
            timeout: Duration::from_secs(1),
            requests_per_second: None,
            ca_file: None,
        }))
    }

    #[test]
    fn what_was_sealed_for_one_upstream_is_not_opened_for_another_with_the_same_secret() {
        let (sandbox, url) = (Environment::Sandbox, "https://api.example.com/a");
        let sealed = sealer(&remote(sandbox, url, "token")).unwrap().seal("task", &[], b"payload").unwrap();
        let opens = |upstream| sealer(&upstream).unwrap().open("task", &[], &sealed).is_some();
        assert!(opens(remote(sandbox, url, "token")));
        for other in [
            remote(Environment::Production, url, "token"),
            remote(sandbox, "https://api.example.com/b", "token"),
            remote(sandbox, "https://api.example.com/", "atoken"),
            remote(sandbox, url, "rotated"),
            Upstream::Simulator { timeout: Duration::from_secs(1), unused_credential: false },
        ] {
            assert!(!opens(other));
        }
    }
}

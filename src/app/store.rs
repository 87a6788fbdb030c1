//! Builds the store, and what depends on whether replicas share it.

use anyhow::{Context, Error};
use secrecy::{ExposeSecret, SecretSlice};

use super::upstream;
use crate::config::{StoreSettings, Upstream};
use crate::domain::is_loopback;
use crate::roots;
use crate::sealing::{Sealer, SealerError};
use crate::secret::Secret;
use crate::store::{SharedStore, Store};

/// The store, and what seals what clients keep for this server.
pub(super) struct Kept {
    pub(super) store: Store,
    pub(super) seals: Seals,
}

/// What seals what leaves the server and comes back.
pub(super) struct Seals {
    /// Seals ids of tasks.
    pub(super) tasks: Sealer,
    /// Seals questions that leave with an answer.
    pub(super) questions: Sealer,
    /// Seals sign-ins that are under way.
    pub(super) pages: Sealer,
}

/// Builds them. With a shared store every replica opens what another one sealed, and sees what was used up.
pub(super) fn build(settings: &StoreSettings, of: &Upstream) -> anyhow::Result<Kept> {
    let StoreSettings::Redis { url, key, ca_file } = settings else {
        let seals =
            Seals { tasks: upstream::sealer(of)?, questions: Sealer::random()?, pages: Sealer::random()? };
        return Ok(Kept { store: Store::memory(), seals });
    };
    warn(url, key);
    let bound_to = upstream::bond(of, None);
    let sealer = || -> Result<Sealer, SealerError> {
        let secret = [&bound_to, key.get().expose_secret().as_bytes()].concat();
        Sealer::from_secret(SecretSlice::from(secret).expose_secret())
    };
    let seals = Seals { tasks: sealer()?, questions: sealer()?, pages: sealer()? };
    let roots = ca_file.as_deref().map(roots::read).transpose();
    let roots = roots.map_err(Error::msg).context("the file of FINTECTURE_CA_FILE")?;
    let key = key.get().expose_secret().into();
    let store = Store::shared(SharedStore { url: url.clone(), key, bound_to, roots })?;
    Ok(Kept { store, seals })
}

/// Looks whether it is there, so that an operator hears at once where it is not. Serving begins meanwhile.
pub(super) fn look(store: &Store) {
    let store = store.clone();
    tokio::spawn(async move { store.is_usable().await });
}

fn warn(url: &Secret, key: &Secret) {
    for path in [url, key].into_iter().filter_map(Secret::readable_by_others) {
        tracing::warn!(path = %path.display(), "others than its owner may read this secret: chmod 600 it");
    }
    let is_plain = url.get().expose_secret().parse::<url::Url>().is_ok_and(|url| {
        // Of other schemes than http and https the host is a name, even where it looks like an address.
        let as_http = format!("http://{}", url.host_str().unwrap_or_default()).parse();
        url.scheme() == "redis" && !as_http.is_ok_and(|url| is_loopback(&url))
    });
    if is_plain {
        tracing::warn!(
            "the store is reached without TLS: what is in it is sealed, but its password is not. Use rediss://"
        );
    }
}

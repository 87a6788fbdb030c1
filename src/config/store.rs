//! Where approvals, repeat records, sessions and counts are kept: in this process, or where replicas share them.

use std::path::PathBuf;

use secrecy::ExposeSecret;
use url::Url;

use super::credentials::secret;
use super::variables::{CA_FILE, STORE_URL, Variables};
use super::{Problems, ServeFlags};
use crate::secret::Secret;

/// The shortest store key, in characters: less is guessed.
const MIN_KEY: usize = 32;

/// Where things are kept.
#[derive(Debug, Default)]
pub enum StoreSettings {
    /// In this process.
    #[default]
    Memory,
    /// In a Redis server.
    Redis {
        /// Its address.
        url: Secret,
        /// What everything in it is sealed with.
        key: Secret,
        /// Root certificates beside the system's.
        ca_file: Option<PathBuf>,
    },
}

/// Reads them.
pub(super) fn read(
    flags: &ServeFlags,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<StoreSettings> {
    let before = problems.len();
    let name = STORE_URL.variable.name;
    let variable = secret(STORE_URL, variables, problems);
    let flag = flags.store.as_deref().map(str::trim);
    if let Some(variable) = &variable
        && let Err(reason) = address(variable.get().expose_secret())
    {
        problems.add(format!("{name} {reason}"));
    }
    match flag {
        None | Some("memory") => {}
        Some(text) => match address(text) {
            Err(reason) => problems.add(format!("--store {reason}")),
            Ok(url) if url.password().is_some() || !url.username().is_empty() => problems.add(format!(
                "--store must hold no user and no password, since others can read a flag: give the whole address in {name}"
            )),
            Ok(_) => {}
        },
    }
    let url = match (flag, variable) {
        (None, variable) => variable,
        (Some("memory"), None) => None,
        (Some("memory"), Some(_)) => {
            problems.add(format!("--store is memory, and {name} is set, too: unset one"));
            None
        }
        (Some(text), None) => Some(Secret::fixed(text)),
        (Some(text), Some(variable)) => {
            if variable.get().expose_secret() != text {
                problems.add(format!("--store and {name} differ: unset one"));
            }
            Some(variable)
        }
    };
    let Some(url) = url else {
        if flags.store_key.is_some() && problems.len() == before {
            problems.add("--store-key needs a store that replicas share: --store redis://...");
        }
        return Some(StoreSettings::Memory);
    };
    let key = key(flags.store_key.as_ref(), problems)?;
    Some(StoreSettings::Redis { url, key, ca_file: variables.get(CA_FILE).map(PathBuf::from) })
}

fn key(file: Option<&PathBuf>, problems: &mut Problems) -> Option<Secret> {
    let Some(file) = file else {
        problems.add(
            "a shared store needs --store-key FILE, the same on every replica: openssl rand -base64 32 makes one",
        );
        return None;
    };
    match Secret::from_file(file) {
        Ok(key) if key.get().expose_secret().len() < MIN_KEY => {
            problems.add(format!(
                "--store-key: the file holds less than {MIN_KEY} characters: openssl rand -base64 32 makes a key"
            ));
            None
        }
        Ok(key) => Some(key),
        Err(error) => {
            problems.add(format!("--store-key: the file {error}"));
            None
        }
    }
}

/// The address in a text. The reason quotes nothing of it: it may hold a password.
fn address(text: &str) -> Result<Url, &'static str> {
    let Ok(url) = Url::parse(text) else {
        return Err("must be memory, or an address such as redis://127.0.0.1:6379/0");
    };
    if !["redis", "rediss"].contains(&url.scheme()) {
        return Err("must be memory, or an address that begins with redis:// or rediss:// (TLS)");
    }
    let database = url.path().trim_matches('/');
    let is_number = database.is_empty() || database.parse::<u16>().is_ok();
    if url.host_str().is_none_or(str::is_empty)
        || !is_number
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(
            "must be redis://[user[:password]@]host[:port][/number], without query or fragment; rediss:// for TLS",
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn of(store: Option<&str>, key: Option<&str>, variable: Option<&str>) -> Result<StoreSettings, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, key.unwrap_or_default()).unwrap();
        let flags = ServeFlags {
            store: store.map(str::to_owned),
            store_key: key.map(|_| file),
            ..ServeFlags::default()
        };
        let get = |name: &str| variable.filter(|_| name == "FINTECTURE_STORE_URL").map(str::to_owned);
        let mut problems = Problems::default();
        let settings = read(&flags, &Variables::new(&get), &mut problems);
        problems.or(settings).map_err(|problems| problems.to_string())
    }

    #[test]
    fn without_a_word_things_are_kept_in_memory() {
        for store in [None, Some("memory")] {
            assert!(matches!(of(store, None, None), Ok(StoreSettings::Memory)));
        }
    }

    #[test]
    fn a_shared_store_is_named_by_flag_or_variable() {
        let plain = "redis://127.0.0.1:6379/2";
        let secret = "rediss://user:canary@redis.example:6380";
        for (flag, variable, url) in
            [(Some(plain), None, plain), (Some(plain), Some(plain), plain), (None, Some(secret), secret)]
        {
            let Ok(StoreSettings::Redis { url: read, key, .. }) = of(flag, Some(KEY), variable) else {
                panic!("a shared store")
            };
            assert_eq!((read.get().expose_secret(), key.get().expose_secret()), (url, KEY));
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_no_password_with_it() {
        let plain = Some("redis://127.0.0.1:6379");
        let said = [
            of(Some("redis://:canary@127.0.0.1"), Some(KEY), None),
            of(Some("http://canary"), Some(KEY), None),
            of(None, Some(KEY), Some("redis://:canary@host/x")),
            of(None, Some(KEY), Some("rediss://:canary@host#insecure")),
            of(plain, None, None),
            of(plain, Some("short"), None),
            of(plain, Some(KEY), Some("redis://:canary@127.0.0.1")),
            of(Some("memory"), Some(KEY), Some("redis://:canary@127.0.0.1")),
            of(None, Some(KEY), None),
        ]
        .map(|settings| settings.unwrap_err())
        .join("\n");
        assert!(!said.contains("canary"), "{said}");
        insta::assert_snapshot!(said, @r"
        --store must hold no user and no password, since others can read a flag: give the whole address in FINTECTURE_STORE_URL
        --store must be memory, or an address that begins with redis:// or rediss:// (TLS)
        FINTECTURE_STORE_URL must be redis://[user[:password]@]host[:port][/number], without query or fragment; rediss:// for TLS
        FINTECTURE_STORE_URL must be redis://[user[:password]@]host[:port][/number], without query or fragment; rediss:// for TLS
        a shared store needs --store-key FILE, the same on every replica: openssl rand -base64 32 makes one
        --store-key: the file holds less than 32 characters: openssl rand -base64 32 makes a key
        --store and FINTECTURE_STORE_URL differ: unset one
        --store is memory, and FINTECTURE_STORE_URL is set, too: unset one
        --store-key needs a store that replicas share: --store redis://...
        ");
    }
}

//! Which upstream, and what to show it. A lost secret must never turn into made-up customers.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Problems;
use super::credentials::{self, Credentials, Signing};
use super::variables::{
    BASE_URL, CA_FILE, ENVIRONMENT, REQUESTS_PER_SECOND, TIMEOUT_SECONDS, Variable, Variables,
};
use crate::domain::{Environment, is_loopback};
use crate::secret::Secret;

const SANDBOX_URL: &str = "https://api-sandbox.fintecture.com";
const PRODUCTION_URL: &str = "https://api.fintecture.com";

/// Longest time for one attempt where none is set, in seconds.
const DEFAULT_TIMEOUT_SECONDS: u64 = 10;
/// What a timeout may be set to, in seconds; all attempts of a call together have 45.
const TIMEOUT_RANGE: std::ops::RangeInclusive<u64> = 1..=45;
/// Requests a second where nothing is set.
const DEFAULT_REQUESTS_PER_SECOND: u32 = 50;

/// The upstream to use.
#[derive(Debug)]
pub enum Upstream {
    /// The simulator inside this process.
    Simulator {
        /// Longest time for one attempt.
        timeout: Duration,
        /// Whether a credential is set, which is not used then.
        unused_credential: bool,
    },
    /// Fintecture, or what `FINTECTURE_BASE_URL` puts in its place.
    Remote(Box<Remote>),
}

/// A sandbox or production upstream.
#[derive(Debug)]
pub struct Remote {
    /// Sandbox or production.
    pub environment: Environment,
    /// Where it is.
    pub base_url: Url,
    /// What it is asked with.
    pub credentials: Credentials,
    /// What requests are signed with.
    pub signing: Option<Signing>,
    /// Whether the key to sign with is set to nothing, so that requests are not signed.
    pub is_key_unfilled: bool,
    /// Longest time for one attempt.
    pub timeout: Duration,
    /// Requests a second; `None`: no limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// Root certificates beside the system's.
    pub ca_file: Option<PathBuf>,
}

impl Upstream {
    /// Reads the upstream's settings. `flag` is `--environment`; `serious` says why the simulator must be named, where
    /// it must. In the place of what is wrong stands something harmless: nothing of this is used once there is a problem,
    /// and what only files show can be looked at beside it.
    pub(super) fn read(
        flag: Option<&str>,
        serious: Option<&str>,
        variables: &Variables<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        super::variables::refuse_blank(variables, problems);
        let timeout = timeout(variables, problems);
        let base_url = variables.get(BASE_URL).map(|_| address(BASE_URL, variables, problems));
        let rate = rate(variables, problems);
        let environment = environment(flag, serious, variables, problems)?;
        let default_url = match environment {
            Environment::Simulator => {
                if base_url.is_some() {
                    problems.add(format!(
                        "{} is for sandbox and production: unset it, or name one of them",
                        BASE_URL.name
                    ));
                }
                let unused_credential = credentials::is_given(variables);
                return Some(Self::Simulator { timeout, unused_credential });
            }
            Environment::Sandbox => SANDBOX_URL,
            Environment::Production => PRODUCTION_URL,
        };
        let base_url = base_url.flatten().or_else(|| Url::parse(default_url).ok())?;
        let (credentials, signing) = credentials::read(environment.as_str(), &base_url, variables, problems);
        if credentials.is_none() && problems.is_empty() {
            return None;
        }
        let default_rate =
            || if is_loopback(&base_url) { None } else { NonZeroU32::new(DEFAULT_REQUESTS_PER_SECOND) };
        Some(Self::Remote(Box::new(Remote {
            environment,
            requests_per_second: rate.or_else(default_rate),
            base_url,
            credentials: credentials.unwrap_or_else(|| Credentials::Token(Secret::fixed(""))),
            is_key_unfilled: signing.is_none() && credentials::is_key_set(variables),
            signing,
            timeout,
            ca_file: variables.get(CA_FILE).map(PathBuf::from),
        })))
    }
}

fn environment(
    flag: Option<&str>,
    serious: Option<&str>,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<Environment> {
    let variable = variables.get(ENVIRONMENT);
    let (name, given) = match (flag, &variable) {
        (Some(flag), _) => ("--environment", flag),
        (None, Some(variable)) => (ENVIRONMENT.name, variable.as_str()),
        (None, None) => return implied(serious, variables, problems),
    };
    match given.parse() {
        Ok(environment) => Some(environment),
        Err(reason) => {
            problems.add(format!("{name} {reason}"));
            None
        }
    }
}

fn implied(serious: Option<&str>, variables: &Variables<'_>, problems: &mut Problems) -> Option<Environment> {
    let named = "set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production";
    if let Some(name) = credentials::set(variables).first() {
        let how = variables.unfilled(name).unwrap_or("no environment");
        problems.add(format!("{name} is set, but {how}: {named}"));
    } else if variables.get(BASE_URL).is_some() {
        problems.add(format!("{} is set, but no environment: {named}", BASE_URL.name));
    } else if let Some(serious) = serious {
        problems.add(format!("{serious} the environment must be named: {named}"));
    } else {
        return Some(Environment::Simulator);
    }
    None
}

fn timeout(variables: &Variables<'_>, problems: &mut Problems) -> Duration {
    let text = variables.get(TIMEOUT_SECONDS);
    let seconds = match text.as_deref().map(|text| text.trim().parse::<u64>()) {
        None => DEFAULT_TIMEOUT_SECONDS,
        Some(Ok(seconds)) if TIMEOUT_RANGE.contains(&seconds) => seconds,
        Some(_) => {
            problems.add(format!("{} must be a whole number of seconds from 1 to 45", TIMEOUT_SECONDS.name));
            DEFAULT_TIMEOUT_SECONDS
        }
    };
    Duration::from_secs(seconds)
}

fn rate(variables: &Variables<'_>, problems: &mut Problems) -> Option<NonZeroU32> {
    let text = variables.get(REQUESTS_PER_SECOND)?;
    let rate = text.trim().parse().ok();
    if rate.is_none() {
        problems.add(format!("{} must be a whole number from 1", REQUESTS_PER_SECOND.name));
    }
    rate
}

/// The address in a variable, where it is one that a credential may go to.
pub(super) fn address(variable: Variable, variables: &Variables<'_>, problems: &mut Problems) -> Option<Url> {
    let text = variables.get(variable)?;
    match safe_address(&text) {
        Ok(url) => Some(url),
        Err(reason) => {
            problems.add(format!("{} {reason}", variable.name));
            None
        }
    }
}

/// An address that a credential may go to, or why it is none.
pub(super) fn safe_address(text: &str) -> Result<Url, &'static str> {
    let Ok(url) = Url::parse(text.trim()) else {
        return Err("must be an address such as https://api.fintecture.com");
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) {
        return Err("must be https, or http on loopback");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err("must be a host and perhaps a path, without user, password, query or fragment");
    }
    Ok(url)
}

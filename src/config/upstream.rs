//! Which upstream, and what to show it. A lost secret must never turn into made-up customers.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use super::Problems;
use super::variables::{BASE_URL, CUSTOMER_TOKEN, ENVIRONMENT, TIMEOUT_SECONDS, Variables};
use crate::domain::Environment;

const SANDBOX_URL: &str = "https://api-sandbox.fintecture.com";
const PRODUCTION_URL: &str = "https://api.fintecture.com";

/// Longest time for one attempt where none is set, in seconds.
const DEFAULT_TIMEOUT_SECONDS: u64 = 10;
/// What a timeout may be set to, in seconds; all attempts of a call together have 45.
const TIMEOUT_RANGE: std::ops::RangeInclusive<u64> = 1..=45;

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
    Remote {
        /// Sandbox or production.
        environment: Environment,
        /// Where it is.
        base_url: Url,
        /// The bearer token.
        token: SecretString,
        /// Longest time for one attempt.
        timeout: Duration,
    },
}

impl Upstream {
    /// Reads the upstream's settings. `flag` is `--environment`; `may_imply` where the simulator needs no naming.
    pub(super) fn read(
        flag: Option<&str>,
        may_imply: bool,
        variables: &Variables<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let timeout = timeout(variables, problems);
        let base_url = base_url(variables, problems);
        let environment = environment(flag, may_imply, variables, problems)?;
        let token = variables.get(CUSTOMER_TOKEN);
        let base_url = match environment {
            Environment::Simulator => {
                if variables.get(BASE_URL).is_some() {
                    problems.add(format!(
                        "{} is for sandbox and production: unset it, or name one of them",
                        BASE_URL.name
                    ));
                }
                return Some(Self::Simulator { timeout: timeout?, unused_credential: token.is_some() });
            }
            Environment::Sandbox => base_url.or_else(|| Url::parse(SANDBOX_URL).ok()),
            Environment::Production => base_url.or_else(|| Url::parse(PRODUCTION_URL).ok()),
        };
        let Some(token) = token else {
            problems.add(format!("{environment} needs {}", CUSTOMER_TOKEN.name));
            return None;
        };
        // A trailing line break comes from `echo` and would be refused by every HTTP stack.
        let token = SecretString::from(token.trim());
        Some(Self::Remote { environment, base_url: base_url?, token, timeout: timeout? })
    }
}

fn environment(
    flag: Option<&str>,
    may_imply: bool,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<Environment> {
    let variable = variables.get(ENVIRONMENT);
    let (name, given) = match (flag, &variable) {
        (Some(flag), _) => ("--environment", flag),
        (None, Some(variable)) => (ENVIRONMENT.name, variable.as_str()),
        (None, None) => return implied(may_imply, variables, problems),
    };
    match given.parse() {
        Ok(environment) => Some(environment),
        Err(reason) => {
            problems.add(format!("{name} {reason}"));
            None
        }
    }
}

fn implied(may_imply: bool, variables: &Variables<'_>, problems: &mut Problems) -> Option<Environment> {
    let named = "set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production";
    if variables.get(CUSTOMER_TOKEN).is_some() {
        problems.add(format!("{} is set, but no environment: {named}", CUSTOMER_TOKEN.name));
    } else if variables.is_blank(CUSTOMER_TOKEN) {
        problems.add(format!("{} is set, but empty: {named}", CUSTOMER_TOKEN.name));
    } else if variables.get(BASE_URL).is_some() {
        problems.add(format!("{} is set, but no environment: {named}", BASE_URL.name));
    } else if !may_imply {
        problems.add(format!("over HTTP the environment must be named: {named}"));
    } else {
        return Some(Environment::Simulator);
    }
    None
}

fn timeout(variables: &Variables<'_>, problems: &mut Problems) -> Option<Duration> {
    let Some(text) = variables.get(TIMEOUT_SECONDS) else {
        return Some(Duration::from_secs(DEFAULT_TIMEOUT_SECONDS));
    };
    match text.trim().parse::<u64>() {
        Ok(seconds) if TIMEOUT_RANGE.contains(&seconds) => Some(Duration::from_secs(seconds)),
        _ => {
            problems.add(format!("{} must be a whole number of seconds from 1 to 45", TIMEOUT_SECONDS.name));
            None
        }
    }
}

fn base_url(variables: &Variables<'_>, problems: &mut Problems) -> Option<Url> {
    let text = variables.get(BASE_URL)?;
    let mut refuse = |reason: &str| {
        problems.add(format!("{} {reason}", BASE_URL.name));
        None
    };
    let Ok(url) = Url::parse(text.trim()) else {
        return refuse("must be an address such as https://api.fintecture.com");
    };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
        return refuse("must be https, or http on loopback");
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return refuse("must be a host and perhaps a path, without user, password, query or fragment");
    }
    Some(url)
}

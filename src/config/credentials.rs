//! What the upstream is asked with: secrets from variables or from files, never both and never from flags.

use secrecy::ExposeSecret;
use url::Url;

use super::Problems;
use super::variables::{
    APP_ID, APP_SECRET, CUSTOMER_TOKEN, PRIVATE_KEY, SCOPE, SecretVariable, TOKEN_URL, Variables,
};
use crate::secret::Secret;

/// The scope that tokens are asked for where none is set.
const DEFAULT_SCOPE: &str = "PIS";
/// Where tokens are given out, below the host of the API.
const TOKEN_PATH: &str = "/oauth/accesstoken";

/// What the upstream is asked with.
#[derive(Debug)]
pub enum Credentials {
    /// A static bearer token.
    Token(Secret),
    /// An application in whose name tokens are fetched.
    Application {
        /// Its id.
        id: String,
        /// Its secret.
        secret: Secret,
        /// Where tokens are given out.
        token_url: Url,
        /// The scope to ask for.
        scope: String,
    },
}

/// A key to sign requests with.
#[derive(Debug)]
pub struct Signing {
    /// The private key, PEM.
    pub key: Secret,
    /// Names the key to the upstream.
    pub app_id: String,
}

/// The names of the credential variables that are set, to something or to nothing.
pub(super) fn set(variables: &Variables<'_>) -> Vec<String> {
    let secrets = [CUSTOMER_TOKEN, APP_SECRET, PRIVATE_KEY]
        .into_iter()
        .flat_map(|secret| [secret.variable.name.to_owned(), secret.file_name()]);
    secrets.chain([APP_ID.name.to_owned()]).filter(|name| variables.is_set(name)).collect()
}

/// Whether one of them is set to something.
pub(super) fn is_given(variables: &Variables<'_>) -> bool {
    set(variables).iter().any(|name| variables.named(name).is_some())
}

/// Whether the key to sign with is set, to something or to nothing.
pub(super) fn is_key_set(variables: &Variables<'_>) -> bool {
    variables.is_set(PRIVATE_KEY.variable.name) || variables.is_set(&PRIVATE_KEY.file_name())
}

/// What to add to "this needs that": which of them are set to nothing, since one may have been lost on the way.
fn unfilled(variables: &Variables<'_>) -> String {
    let unfilled = set(variables).into_iter().filter_map(|name| {
        let how = variables.unfilled(&name)?;
        Some(format!("; {name} is set, but {how}"))
    });
    unfilled.collect()
}

/// Reads credentials and signing key of sandbox or production.
pub(super) fn read(
    environment: &str,
    base_url: &Url,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> (Option<Credentials>, Option<Signing>) {
    let before = problems.len();
    let token = filled_secret(CUSTOMER_TOKEN, variables, problems);
    let app_secret = filled_secret(APP_SECRET, variables, problems);
    let key = filled_secret(PRIVATE_KEY, variables, problems);
    let unfilled = unfilled(variables);
    let app_id = variables.get(APP_ID).map(|id| id.trim().to_owned());
    if app_id.as_ref().is_some_and(|id| !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')) {
        problems.add(format!("{} holds characters that no application id has", APP_ID.name));
    }
    let token_url = token_url(base_url, variables, problems);

    let signing = match (key, &app_id) {
        (Some(key), Some(app_id)) => Some(Signing { key, app_id: app_id.clone() }),
        (Some(_), None) => {
            problems.add(format!(
                "{} needs {}, which names the key to the upstream{unfilled}",
                PRIVATE_KEY.variable.name, APP_ID.name
            ));
            None
        }
        (None, _) => None,
    };
    if app_id.is_some() && app_secret.is_none() && signing.is_none() && problems.len() == before {
        problems.add(format!(
            "{} needs {} (or, beside a token, a private key){unfilled}",
            APP_ID.name, APP_SECRET.variable.name
        ));
    }
    let credentials = match (token, app_secret, app_id) {
        (Some(_), Some(_), _) => {
            problems.add(format!(
                "{} and {} are both set: unset one",
                CUSTOMER_TOKEN.variable.name, APP_SECRET.variable.name
            ));
            None
        }
        (Some(token), None, _) if !is_bearer(&token) => {
            problems
                .add(format!("{} holds characters that no bearer token has", CUSTOMER_TOKEN.variable.name));
            None
        }
        (Some(token), None, _) => Some(Credentials::Token(token)),
        (None, Some(secret), Some(id)) => {
            let scope = variables
                .get(SCOPE)
                .map_or_else(|| DEFAULT_SCOPE.to_owned(), |scope| scope.trim().to_owned());
            token_url.map(|token_url| Credentials::Application { id, secret, token_url, scope })
        }
        (None, Some(_), None) => {
            problems.add(format!("{} needs {}{unfilled}", APP_SECRET.variable.name, APP_ID.name));
            None
        }
        (None, None, _) => {
            if problems.len() == before {
                problems.add(format!(
                    "{environment} needs {}, or {} and {}{unfilled}",
                    CUSTOMER_TOKEN.variable.name, APP_ID.name, APP_SECRET.variable.name
                ));
            }
            None
        }
    };
    (credentials, signing)
}

fn is_bearer(token: &Secret) -> bool {
    token.get().expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
}

/// A secret from its variable or its file. One that is set to nothing is a problem: without it less would be asked of
/// callers, or something else would be used, and nobody would know.
pub(super) fn secret(
    which: SecretVariable,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<Secret> {
    for name in [which.variable.name, &which.file_name()] {
        if let Some(how) = variables.unfilled(name) {
            problems.add(format!("{name} is set, but {how}: unset it, or give it its value"));
        }
    }
    filled_secret(which, variables, problems)
}

/// The same for the upstream's, of which clients with a form for settings pass all, the ones that nobody filled in too:
/// set to nothing it counts as not set. Where one is missed then, that is said.
fn filled_secret(
    which: SecretVariable,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<Secret> {
    let file_name = which.file_name();
    let text = variables.get(which.variable);
    let file = variables.named(&file_name);
    match (text, file) {
        (Some(_), Some(_)) => {
            problems.add(format!("{} and {file_name} are both set: unset one", which.variable.name));
            None
        }
        (Some(text), None) => Some(Secret::fixed(&text)),
        (None, Some(path)) => match Secret::from_file(path) {
            Ok(secret) => Some(secret),
            Err(error) => {
                problems.add(format!("{file_name}: the file {error}"));
                None
            }
        },
        (None, None) => None,
    }
}

fn token_url(base_url: &Url, variables: &Variables<'_>, problems: &mut Problems) -> Option<Url> {
    if variables.get(TOKEN_URL).is_some() {
        return super::upstream::address(TOKEN_URL, variables, problems);
    }
    let mut url = base_url.clone();
    let prefix = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{prefix}{TOKEN_PATH}"));
    Some(url)
}

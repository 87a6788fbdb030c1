//! What stays of the entry that is there: neither the environment nor a protection goes because nobody named it again.

use super::secret_file::PLACEHOLDER;
use crate::cli::{self, Flag};
use crate::config::variables::{self, SECRETS};
use crate::config::{Problems, variables::unfilled};
use crate::setup::Existing;

/// What the entry says.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) environment: Option<String>,
    /// The flags of its server, the environment's left out.
    pub(super) flags: Vec<Flag>,
    variables: Vec<(String, String)>,
}

/// What becomes of its variables.
#[derive(Default)]
pub(super) struct Sorted {
    /// Those that stay and may be shown.
    pub(super) shown: Vec<(String, String)>,
    /// All of this program's that stay, with values as the server will find them.
    pub(super) set: Vec<(String, String)>,
    /// Those that go.
    pub(super) dropped: Vec<String>,
}

/// Reads an entry. The problems quote nothing of it: it may hold a secret.
pub(super) fn read(existing: Option<&Existing>, problems: &mut Problems) -> Kept {
    let Some(existing) = existing else { return Kept::default() };
    let Some(mut flags) = cli::serve_flags(&existing.arguments) else {
        problems.add("the entry that is there has arguments that are no flags of serve, which would be lost: change it by hand, or take it out of the file first");
        return Kept::default();
    };
    let flag = flags.iter().find(|flag| flag.name == "environment").and_then(|flag| flag.values.first());
    let variable = |name| existing.variables.iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let environment = flag.or_else(|| variable(variables::ENVIRONMENT.name)).cloned();
    // A client that starts it speaks to it over stdio, said or not.
    flags.retain(|flag| !["environment", "transport"].contains(&flag.name.as_str()));
    Kept { environment, flags, variables: existing.variables.clone() }
}

impl Kept {
    /// The environment: as it is said, else as it is there, else the simulator. Where that would be a guess, a
    /// problem.
    pub(super) fn environment(&self, said: Option<&str>, problems: &mut Problems) -> String {
        let (simulator, name) = ("simulator", variables::ENVIRONMENT.name);
        let of_shell =
            std::env::var(name).ok().filter(|value| unfilled(value).is_none() && value != simulator);
        match (said, self.environment.as_deref()) {
            (Some(said), _) => return said.to_owned(),
            (None, Some(there)) if unfilled(there).is_none() => return there.to_owned(),
            (None, Some(_)) => {
                problems.add("the entry that is there leaves the environment open: say --environment");
            }
            (None, None) if self.variables.iter().any(|(name, _)| is_credential(name)) => {
                problems
                    .add("the entry that is there has a credential and no environment: say --environment");
            }
            (None, None) if of_shell.is_some() => problems.add(format!(
                "{name} is set here, and a client would not see it: say --environment, be it simulator"
            )),
            (None, None) => {}
        }
        simulator.to_owned()
    }

    /// Sorts its variables. `is_anew`: whether one is what this program would write again by itself; `home`: what
    /// stands for the home folder in the client's file, and where that is.
    pub(super) fn sort(
        self,
        environment: &str,
        given: &[(String, String)],
        is_anew: impl Fn(&str) -> bool,
        home: Option<(&str, &str)>,
    ) -> Sorted {
        let is_moved = self.environment.is_some_and(|there| there != environment);
        let is_given = |name: &str| given.iter().any(|(other, _)| other == name);
        let has_credential = given.iter().any(|(name, _)| is_credential(name));
        let mut sorted = Sorted::default();
        for (name, value) in self.variables {
            if is_given(&name) || is_anew(&value) {
                continue;
            }
            let is_reference = value.contains("${");
            let is_clear_token = name == variables::CUSTOMER_TOKEN.variable.name && !is_reference;
            let goes = name == variables::ENVIRONMENT.name
                || is_given(&format!("{name}_FILE"))
                || is_clear_token
                || is_moved && is_of_environment(&name)
                || has_credential && is_credential(&name);
            if goes {
                sorted.dropped.push(name);
                continue;
            }
            let is_secret = variables::holds_secret(&name);
            let is_file = SECRETS.iter().any(|secret| secret.file_name() == name);
            if !(is_file || variables::ALL.iter().any(|known| known.name == name)) {
                continue;
            }
            let is_ours = name.starts_with(variables::PREFIX);
            if is_ours && (!is_secret || unfilled(&value).is_some()) {
                sorted.shown.push((name.clone(), value.clone()));
            }
            let found = home.map_or(value.clone(), |(word, folder)| value.replace(word, folder));
            if !found.contains("${") {
                sorted.set.push((name, found));
            } else if is_secret || is_file {
                let secret = name.strip_suffix("_FILE").unwrap_or(&name);
                sorted.set.push((secret.to_owned(), PLACEHOLDER.to_owned()));
            }
        }
        sorted
    }
}

/// Whether it is what the server shows the upstream, itself or the file with it.
pub(super) fn is_credential(name: &str) -> bool {
    let secrets = [variables::CUSTOMER_TOKEN, variables::APP_SECRET];
    secrets.iter().any(|secret| secret.variable.name == name || secret.file_name() == name)
}

/// Whether it belongs to one environment: production's must not come to the sandbox, nor the other way.
fn is_of_environment(name: &str) -> bool {
    let settings = [variables::BASE_URL, variables::TOKEN_URL, variables::APP_ID, variables::SCOPE];
    let key = variables::PRIVATE_KEY;
    is_credential(name)
        || settings.iter().any(|setting| setting.name == name)
        || key.variable.name == name
        || key.file_name() == name
}

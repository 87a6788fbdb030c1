//! Every environment variable, in one place: the code reads them by these names, `--help` and the README show them.

use super::Problems;

/// One environment variable.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, with its unit and default.
    pub help: &'static str,
}

/// Which upstream.
pub const ENVIRONMENT: Variable = Variable {
    name: "FINTECTURE_ENVIRONMENT",
    help: "simulator, sandbox or production. May be left out on stdio without a credential: then the simulator",
};
/// Another host than that of the environment.
pub const BASE_URL: Variable = Variable {
    name: "FINTECTURE_BASE_URL",
    help: "replaces the host of sandbox and production, such as https://proxy.example; https only, except on loopback",
};
/// The static bearer token.
pub const CUSTOMER_TOKEN: Variable = Variable {
    name: "FINTECTURE_CUSTOMER_TOKEN",
    help: "bearer token for the Customers API; needed for sandbox and production. Goes to that host alone",
};
/// Timeout of one attempt.
pub const TIMEOUT_SECONDS: Variable = Variable {
    name: "FINTECTURE_TIMEOUT_SECONDS",
    help: "longest time for one request to the upstream, in whole seconds from 1 to 45; default 10",
};
/// The log filter, read by the logging library.
pub const RUST_LOG: Variable = Variable {
    name: "RUST_LOG",
    help: "which log lines go to stderr: error, warn, info, debug or trace; default info",
};

/// All of them, in the order of help texts.
pub const ALL: [Variable; 5] = [ENVIRONMENT, BASE_URL, CUSTOMER_TOKEN, TIMEOUT_SECONDS, RUST_LOG];

/// What every variable of this program but `RUST_LOG` begins with.
const PREFIX: &str = "FINTECTURE_";

/// How alike two names must be for a "did you mean", from 0 to 1.
const CLOSE: f64 = 0.9;

/// Where variables are read from: the process's own, or a test's.
pub struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Variables<'a> {
    /// Reads through a function.
    pub fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(read)
    }

    /// The value, where it is set and not blank.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<String> {
        (self.0)(variable.name).filter(|value| !value.trim().is_empty())
    }

    /// Whether it is set, but to nothing: what a secret looks like that was lost on the way.
    #[must_use]
    pub fn is_blank(&self, variable: Variable) -> bool {
        (self.0)(variable.name).is_some_and(|value| value.trim().is_empty())
    }
}

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Variables(..)")
    }
}

/// Refuses variables that look like ours and are not: a mistyped name would be a setting silently lost.
pub fn refuse_unknown(names: impl Iterator<Item = String>, problems: &mut Problems) {
    let mut unknown: Vec<String> =
        names.filter(|name| name.starts_with(PREFIX) && ALL.iter().all(|known| known.name != name)).collect();
    unknown.sort();
    for name in unknown {
        let near = ALL
            .iter()
            .map(|known| (strsim::jaro_winkler(bare(&name), bare(known.name)), known.name))
            .max_by(|(left, _), (right, _)| left.total_cmp(right))
            .filter(|(likeness, _)| *likeness >= CLOSE);
        match near {
            Some((_, near)) => {
                problems.add(format!("{name} is not a variable of fintecture-mcp; did you mean {near}?"));
            }
            None => problems.add(format!("{name} is not a variable of fintecture-mcp: unset it")),
        }
    }
}

/// A name without the prefix that all share, which would make every two of them look alike.
fn bare(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// The table for `--help`.
#[must_use]
pub(crate) fn help() -> String {
    let rows = ALL.iter().map(|variable| format!("  {:<28} {}", variable.name, variable.help));
    format!("Environment variables:\n{}", rows.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_same_table_as_help() {
        let readme = include_str!("../../README.md");
        let rows: Vec<String> =
            ALL.iter().map(|variable| format!("| `{}` | {} |", variable.name, variable.help)).collect();
        let table = rows.join("\n");
        assert!(readme.contains(&table), "the README's table of variables should be:\n{table}");
        assert_eq!(
            readme.matches("\n| `FINTECTURE_").count(),
            ALL.len() - 1,
            "a variable that does not exist"
        );
    }
}

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
pub const CUSTOMER_TOKEN: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_CUSTOMER_TOKEN",
        help: "bearer token for the Customers API; goes to that host alone. Sandbox and production need it, or an application",
    },
};
/// The application.
pub const APP_ID: Variable = Variable {
    name: "FINTECTURE_APP_ID",
    help: "id of an application at Fintecture, in whose name tokens are fetched; also names the private key",
};
/// The application's secret.
pub const APP_SECRET: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_APP_SECRET",
        help: "secret of that application; goes to the token URL alone",
    },
};
/// Where tokens are given out.
pub const TOKEN_URL: Variable = Variable {
    name: "FINTECTURE_TOKEN_URL",
    help: "where tokens are fetched; default /oauth/accesstoken on the API's host",
};
/// What tokens are asked for.
pub const SCOPE: Variable = Variable { name: "FINTECTURE_SCOPE", help: "scope of those tokens; default PIS" };
/// The key to sign with.
pub const PRIVATE_KEY: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_PRIVATE_KEY",
        help: "RSA private key, PEM (PKCS#8 or PKCS#1, without passphrase); every request is signed with it",
    },
};
/// The one token of those who call.
pub const MCP_TOKEN: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_MCP_TOKEN",
        help: "bearer token that every caller over HTTP must show; long and random, such as `openssl rand -hex 32` makes",
    },
};
/// This server's secret at the authorization server.
pub const OAUTH_CLIENT_SECRET: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_OAUTH_CLIENT_SECRET",
        help: "secret that goes with --oauth-client-id, where that client has one; goes to the authorization server alone",
    },
};
/// What a person types on an approval page.
pub const APPROVAL_CODE: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_APPROVAL_CODE",
        help: "what a person types on an approval page: 12 characters at least, or the argon2id hash of them",
    },
};
/// Where replicas share what they keep.
pub const STORE_URL: SecretVariable = SecretVariable {
    variable: Variable {
        name: "FINTECTURE_STORE_URL",
        help: "address of the store that replicas share, such as rediss://user:password@redis.example:6380; in place of --store",
    },
};
/// Timeout of one attempt.
pub const TIMEOUT_SECONDS: Variable = Variable {
    name: "FINTECTURE_TIMEOUT_SECONDS",
    help: "longest time for one request to the upstream, in whole seconds from 1 to 45; default 10",
};
/// Rate towards the upstream.
pub const REQUESTS_PER_SECOND: Variable = Variable {
    name: "FINTECTURE_REQUESTS_PER_SECOND",
    help: "requests a second to the upstream at most, further ones wait; default 50, and no limit on loopback",
};
/// Root certificates beside the system's.
pub const CA_FILE: Variable = Variable {
    name: "FINTECTURE_CA_FILE",
    help: "PEM file with root certificates to trust beside those of the system, such as a proxy's",
};
/// The log filter, read by the logging library.
pub const RUST_LOG: Variable = Variable {
    name: "RUST_LOG",
    help: "which log lines go to stderr: error, warn, info, debug or trace; default info",
};

/// Where traces go.
pub const OTEL_ENDPOINT: Variable = Variable {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    help: "collector that traces are sent to over HTTP, such as http://127.0.0.1:4318, with /v1/traces behind it; unset: no traces",
};
/// The same as a whole address.
pub const OTEL_TRACES_ENDPOINT: Variable = Variable {
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    help: "the same as a whole address, such as https://collector.example/v1/traces",
};
/// What the collector wants to be shown.
pub const OTEL_HEADERS: Variable = Variable {
    name: "OTEL_EXPORTER_OTLP_HEADERS",
    help: "headers for the collector, such as api-key=..., where it asks for a secret",
};
/// How traces are sent.
pub const OTEL_PROTOCOL: Variable =
    Variable { name: "OTEL_EXPORTER_OTLP_PROTOCOL", help: "http/protobuf, the default; there is no other" };
/// Time for a batch.
pub const OTEL_TIMEOUT: Variable = Variable {
    name: "OTEL_EXPORTER_OTLP_TIMEOUT",
    help: "time for one batch of spans, in milliseconds; default 10000",
};
/// The service's name.
pub const OTEL_SERVICE_NAME: Variable = Variable {
    name: "OTEL_SERVICE_NAME",
    help: "what this server is called in traces; default fintecture-mcp",
};
/// More about the service.
pub const OTEL_RESOURCE_ATTRIBUTES: Variable = Variable {
    name: "OTEL_RESOURCE_ATTRIBUTES",
    help: "more about this server for traces, such as service.namespace=payments,host.name=a",
};
/// Which traces are sent.
pub const OTEL_TRACES_SAMPLER: Variable = Variable {
    name: "OTEL_TRACES_SAMPLER",
    help: "which traces are sent; default parentbased_always_on: all that the caller did not leave out",
};
/// How many of them.
pub const OTEL_TRACES_SAMPLER_ARG: Variable = Variable {
    name: "OTEL_TRACES_SAMPLER_ARG",
    help: "the share of them for traceidratio and its like, from 0 to 1",
};
/// Whether traces are sent by OTLP.
pub const OTEL_TRACES_EXPORTER: Variable =
    Variable { name: "OTEL_TRACES_EXPORTER", help: "otlp, the default, or none: no traces" };
/// Whether there are traces at all.
pub const OTEL_SDK_DISABLED: Variable =
    Variable { name: "OTEL_SDK_DISABLED", help: "true: no traces, whatever else is set" };

/// Every variable but the files of secrets, in the order of help texts.
pub const ALL: [Variable; 27] = [
    ENVIRONMENT,
    BASE_URL,
    CUSTOMER_TOKEN.variable,
    APP_ID,
    APP_SECRET.variable,
    TOKEN_URL,
    SCOPE,
    PRIVATE_KEY.variable,
    MCP_TOKEN.variable,
    OAUTH_CLIENT_SECRET.variable,
    APPROVAL_CODE.variable,
    STORE_URL.variable,
    TIMEOUT_SECONDS,
    REQUESTS_PER_SECOND,
    CA_FILE,
    RUST_LOG,
    OTEL_ENDPOINT,
    OTEL_TRACES_ENDPOINT,
    OTEL_HEADERS,
    OTEL_PROTOCOL,
    OTEL_TIMEOUT,
    OTEL_SERVICE_NAME,
    OTEL_RESOURCE_ATTRIBUTES,
    OTEL_TRACES_SAMPLER,
    OTEL_TRACES_SAMPLER_ARG,
    OTEL_TRACES_EXPORTER,
    OTEL_SDK_DISABLED,
];

/// The secrets, each of which may stand in a file instead.
pub const SECRETS: [SecretVariable; 7] =
    [CUSTOMER_TOKEN, APP_SECRET, PRIVATE_KEY, MCP_TOKEN, OAUTH_CLIENT_SECRET, APPROVAL_CODE, STORE_URL];

/// Variables of libraries that may hold a secret; there is no file for them.
const LIBRARY_SECRETS: [Variable; 1] = [OTEL_HEADERS];

/// Whether a variable of this name may hold a secret itself, not the name of a file with it.
#[must_use]
pub fn holds_secret(name: &str) -> bool {
    secret_names().any(|secret| secret == name)
}

/// Whether a text names a variable that may hold a secret.
#[must_use]
pub fn names_secret(text: &str) -> bool {
    let is_itself = |name: &str| text.split(name).skip(1).any(|behind| !behind.starts_with("_FILE"));
    secret_names().any(is_itself)
}

fn secret_names() -> impl Iterator<Item = &'static str> {
    SECRETS
        .iter()
        .map(|secret| secret.variable.name)
        .chain(LIBRARY_SECRETS.iter().map(|variable| variable.name))
}

/// A variable that holds a secret. The same name with `_FILE` names a file that holds it.
#[derive(Debug, Clone, Copy)]
pub struct SecretVariable {
    /// The variable itself.
    pub variable: Variable,
}

impl SecretVariable {
    /// The variable that names a file instead.
    #[must_use]
    pub fn file_name(self) -> String {
        format!("{}_FILE", self.variable.name)
    }
}

/// What every variable of this program begins with; the others are those of libraries.
pub(crate) const PREFIX: &str = "FINTECTURE_";

/// How alike two names must be for a "did you mean", from 0 to 1.
const CLOSE: f64 = 0.9;

/// Where variables are read from: the process's own, or a test's.
pub struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl<'a> Variables<'a> {
    /// Reads through a function.
    pub fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(read)
    }

    /// The value, where it is set and filled.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<String> {
        self.named(variable.name)
    }

    /// The same for a variable by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| unfilled(value).is_none())
    }

    /// Whether it is set, to something or to nothing.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        (self.0)(name).is_some()
    }

    /// What is there instead of a value, where it is set to nothing: what an option looks like that nobody filled in,
    /// and a secret that was lost on the way.
    #[must_use]
    pub fn unfilled(&self, name: &str) -> Option<&'static str> {
        (self.0)(name).as_deref().and_then(unfilled)
    }
}

/// What this is, where it is no value: nothing, or the placeholder that a client puts a value into and did not. (Claude
/// Desktop passes `${user_config.token}` as it stands where the person left the field out.)
pub(crate) fn unfilled(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let is_placeholder = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match is_placeholder {
        _ if text.is_empty() => Some("empty"),
        Some(inside) if !inside.contains(['{', '}']) => Some("a placeholder that nothing was put into"),
        _ => None,
    }
}

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Variables(..)")
    }
}

/// Refuses variables that look like ours and are not: a mistyped name would be a setting silently lost.
pub fn refuse_unknown(names: impl Iterator<Item = String>, problems: &mut Problems) {
    let known: Vec<String> = ALL
        .iter()
        .map(|known| known.name.to_owned())
        .chain(SECRETS.iter().map(|secret| secret.file_name()))
        .collect();
    let mut unknown: Vec<String> =
        names.filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect();
    unknown.sort();
    for name in unknown {
        let near = known
            .iter()
            .map(|known| (strsim::jaro_winkler(bare(&name), bare(known)), known))
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

/// Refuses variables of ours that are not Unicode: taken for unset, a credential would be lost without a word.
pub fn refuse_unreadable(problems: &mut Problems) {
    for (name, value) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with(PREFIX) && (name.to_str().is_none() || value.to_str().is_none()) {
            problems.add(format!("{shown} is not valid UTF-8"));
        }
    }
}

/// Refuses variables that are set to nothing, where nothing would mean another host or another world.
pub fn refuse_blank(variables: &Variables<'_>, problems: &mut Problems) {
    for variable in [ENVIRONMENT, BASE_URL, TOKEN_URL] {
        if let Some(how) = variables.unfilled(variable.name) {
            problems.add(format!("{} is set, but {how}: unset it, or give it its value", variable.name));
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
    let rows = ALL.iter().map(|variable| format!("  {}\n          {}", variable.name, variable.help));
    let files = SECRETS.map(SecretVariable::file_name).join(", ");
    format!(
        "Environment variables:\n{}\n  {files}\n          files that hold these secrets instead; read again on SIGHUP",
        rows.collect::<Vec<_>>().join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_filled_in_is_no_value() {
        for (text, is) in [
            ("", Some("empty")),
            (" \n", Some("empty")),
            ("${user_config.token}", Some("a placeholder that nothing was put into")),
            (" ${input:token} ", Some("a placeholder that nothing was put into")),
            ("${a}${b}", None),
            ("a${user_config.token}", None),
            ("$token", None),
        ] {
            assert_eq!(unfilled(text), is, "{text}");
            let get = |_: &str| Some(text.to_owned());
            let variables = Variables::new(&get);
            assert_eq!(variables.get(SCOPE), is.is_none().then(|| text.to_owned()));
            assert!(variables.is_set("FINTECTURE_SCOPE"));
        }
    }

    #[test]
    fn what_may_hold_a_secret_is_known_by_its_name() {
        for (text, is) in [
            ("OTEL_EXPORTER_OTLP_HEADERS", true),
            ("FINTECTURE_CUSTOMER_TOKEN", true),
            ("FINTECTURE_CUSTOMER_TOKEN_FILE", false),
            ("FINTECTURE_APP_ID", false),
        ] {
            assert_eq!((holds_secret(text), names_secret(text)), (is, is), "{text}");
        }
        assert!(names_secret(
            r#""args": ["-e", "FINTECTURE_APP_SECRET=a"], "FINTECTURE_APP_SECRET_FILE": "/a""#
        ));
    }

    #[test]
    fn the_readme_shows_the_same_table_as_help() {
        let readme = include_str!("../../README.md");
        let rows: Vec<String> =
            ALL.iter().map(|variable| format!("| `{}` | {} |", variable.name, variable.help)).collect();
        let table = rows.join("\n");
        assert!(readme.contains(&table), "the README's table of variables should be:\n{table}");
        assert_eq!(
            readme.matches("\n| `FINTECTURE_").count(),
            ALL.iter().filter(|variable| variable.name.starts_with(PREFIX)).count(),
            "a variable that does not exist"
        );
    }
}

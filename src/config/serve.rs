//! Settings of `serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::Url;

use super::variables::{STORE_URL, Variables, unfilled};
use super::{
    AccessSettings, ApprovalSettings, AuditSettings, Draft, HttpSettings, Limits, Problems, StoreSettings,
    Upstream, access, approvals, audit, http, listen, store, traces,
};
use crate::domain::Environment;

/// Where the HTTP transports listen where nothing is said.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// The flags as they were typed.
#[derive(Debug, Default, Clone)]
#[expect(missing_docs, reason = "each is the flag of its name, documented in --help")]
pub struct ServeFlags {
    pub transport: Option<String>,
    pub listen: Option<String>,
    pub environment: Option<String>,
    pub capabilities: Option<PathBuf>,
    pub read_only: bool,
    pub stop_writes: Option<PathBuf>,
    pub personal_data: Option<String>,
    pub confirm_writes: Option<String>,
    pub approvals_listen: Option<String>,
    pub auth_tokens: Option<PathBuf>,
    pub oauth_issuer: Option<String>,
    pub oauth_audience: Option<String>,
    pub oauth_client_id: Option<String>,
    pub public_url: Option<String>,
    pub trusted_proxy: Vec<String>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub audit_log: Option<PathBuf>,
    pub audit_key: Option<PathBuf>,
    pub approvers: Option<String>,
    pub store: Option<String>,
    pub store_key: Option<PathBuf>,
    pub limit: Vec<String>,
    pub log_format: Option<String>,
}

/// How clients reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP and legacy SSE on this address.
    Http(SocketAddr),
}

/// What an agent receives of IBANs, e-mails and phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    /// As the upstream sends them.
    Full,
    /// Recognisable, and no more.
    Masked,
}

impl PersonalData {
    /// What holds where nothing is said.
    #[must_use]
    pub fn default_of(environment: Environment) -> Self {
        match environment {
            Environment::Simulator | Environment::Sandbox => Self::Full,
            Environment::Production => Self::Masked,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything that `serve` needs to know.
#[derive(Debug)]
pub struct Serve {
    /// How clients reach the server.
    pub transport: Transport,
    /// The upstream behind it.
    pub upstream: Upstream,
    /// A folder of capability files instead of the built-in ones.
    pub capabilities: Option<PathBuf>,
    /// Whether writes are refused.
    pub read_only: bool,
    /// While this file exists, writes are refused.
    pub stop_writes: Option<PathBuf>,
    /// What an agent receives of personal data; `None`: the default of the environment.
    pub personal_data: Option<PersonalData>,
    /// Which writes need a person's yes, and how it is given.
    pub approvals: ApprovalSettings,
    /// Who is let in.
    pub access: AccessSettings,
    /// Where calls are put on record; `None`: nowhere.
    pub audit: Option<AuditSettings>,
    /// Where what outlives a call is kept.
    pub store: StoreSettings,
    /// How the HTTP server is found and reached.
    pub http: HttpSettings,
    /// What the server takes at most.
    pub limits: Limits,
    /// Where traces go; `None`: nowhere.
    pub traces: Option<Url>,
    /// How log lines look.
    pub log_format: LogFormat,
}

impl Serve {
    /// Reads flags and variables.
    ///
    /// # Errors
    /// Every problem, a line each.
    pub fn read(
        flags: ServeFlags,
        variables: &Variables<'_>,
        mut problems: Problems,
    ) -> Result<Self, Box<Draft>> {
        refuse_placeholders(&flags, &mut problems);
        let transport = transport(&flags, access::is_wanted(&flags, variables), &mut problems);
        let log_format = log_format(flags.log_format.as_deref(), &mut problems);
        let personal_data = personal_data(flags.personal_data.as_deref(), &mut problems);
        let on_stdio = !matches!(flags.transport.as_deref(), Some("http"));
        let serious = serious(&flags, on_stdio, variables);
        let upstream = Upstream::read(flags.environment.as_deref(), serious, variables, &mut problems);
        let audit = audit::read(&flags, on_stdio, upstream.as_ref(), &mut problems);
        let approvals = approvals::read(&flags, on_stdio, variables, &mut problems);
        let access = access::read(&flags, transport, variables, &mut problems);
        let http = http::read(&flags, on_stdio, &mut problems);
        let limits = Limits::read(&flags.limit, &mut problems);
        let traces = traces::read(variables, &mut problems);
        let store = store::read(&flags, variables, &mut problems);
        match (transport, log_format, upstream, access, store) {
            (Some(transport), Some(log_format), Some(upstream), Some(access), Some(store))
                if problems.is_empty() =>
            {
                Ok(Self {
                    transport,
                    upstream,
                    capabilities: flags.capabilities,
                    read_only: flags.read_only,
                    stop_writes: flags.stop_writes,
                    personal_data,
                    approvals,
                    access,
                    audit,
                    store,
                    http,
                    limits,
                    traces,
                    log_format,
                })
            }
            (_, _, upstream, access, _) => {
                Err(Box::new(Draft { problems, upstream, approvals, access, http, limits }))
            }
        }
    }
}

/// Refuses a path that a client did not fill in: a switch would stand where nobody finds it.
fn refuse_placeholders(flags: &ServeFlags, problems: &mut Problems) {
    let paths = [
        ("--capabilities", &flags.capabilities),
        ("--stop-writes", &flags.stop_writes),
        ("--auth-tokens", &flags.auth_tokens),
        ("--tls-cert", &flags.tls_cert),
        ("--tls-key", &flags.tls_key),
        ("--audit-log", &flags.audit_log),
        ("--audit-key", &flags.audit_key),
        ("--store-key", &flags.store_key),
    ];
    for (flag, path) in paths {
        if let Some(how) = path.as_deref().and_then(Path::to_str).and_then(unfilled) {
            problems.add(format!("{flag} is {how}: leave it out, or name a file"));
        }
    }
}

/// Why this server is no trial on one's own machine, where the simulator must then be named.
fn serious(flags: &ServeFlags, on_stdio: bool, variables: &Variables<'_>) -> Option<&'static str> {
    if !on_stdio {
        Some("over HTTP")
    } else if flags.audit_log.is_some() {
        Some("with --audit-log")
    } else if flags.store.is_some() {
        Some("with --store")
    } else if variables.get(STORE_URL.variable).is_some() || variables.named(&STORE_URL.file_name()).is_some()
    {
        Some("with FINTECTURE_STORE_URL")
    } else if flags.oauth_issuer.is_some() {
        Some("with --oauth-issuer")
    } else {
        None
    }
}

fn transport(flags: &ServeFlags, is_authenticated: bool, problems: &mut Problems) -> Option<Transport> {
    let given = flags.listen.as_deref();
    match flags.transport.as_deref() {
        None | Some("stdio") => {
            if given.is_some() {
                problems.add("--listen needs --transport http");
            }
            Some(Transport::Stdio)
        }
        Some("http") => {
            let text = given.unwrap_or(DEFAULT_LISTEN);
            listen::server_address(text, is_authenticated, problems).map(Transport::Http)
        }
        Some(_) => {
            problems.add("--transport must be stdio or http");
            None
        }
    }
}

fn personal_data(flag: Option<&str>, problems: &mut Problems) -> Option<PersonalData> {
    match flag? {
        "full" => Some(PersonalData::Full),
        "masked" => Some(PersonalData::Masked),
        _ => {
            problems.add("--personal-data must be full or masked");
            None
        }
    }
}

/// Reads `--log-format`.
pub(crate) fn log_format(flag: Option<&str>, problems: &mut Problems) -> Option<LogFormat> {
    match flag {
        None | Some("text") => Some(LogFormat::Text),
        Some("json") => Some(LogFormat::Json),
        Some(_) => {
            problems.add("--log-format must be text or json");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;

    fn read(flags: ServeFlags, variables: &[(&str, &str)]) -> Result<Serve, String> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Serve::read(flags, &Variables::new(&get), Problems::default())
            .map_err(|draft| draft.problems.to_string())
    }

    fn http() -> ServeFlags {
        ServeFlags { transport: Some("http".to_owned()), ..ServeFlags::default() }
    }

    #[test]
    fn the_simulator_is_implied_on_bare_stdio_alone() {
        let serve = read(ServeFlags::default(), &[]).unwrap();
        assert!(matches!(serve.upstream, Upstream::Simulator { unused_credential: false, .. }));
        insta::assert_snapshot!(read(http(), &[]).unwrap_err(), @"over HTTP the environment must be named: set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production");
        insta::assert_snapshot!(read(ServeFlags::default(), &[("FINTECTURE_CUSTOMER_TOKEN", "canary")]).unwrap_err(), @"FINTECTURE_CUSTOMER_TOKEN is set, but no environment: set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production");
        insta::assert_snapshot!(read(ServeFlags::default(), &[("FINTECTURE_CUSTOMER_TOKEN", " ")]).unwrap_err(), @"FINTECTURE_CUSTOMER_TOKEN is set, but empty: set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production");
        insta::assert_snapshot!(read(ServeFlags::default(), &[("FINTECTURE_BASE_URL", "https://x.example")]).unwrap_err(), @"FINTECTURE_BASE_URL is set, but no environment: set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production");
    }

    #[test]
    fn a_credential_beside_the_named_simulator_is_noted() {
        let serve =
            read(http(), &[("FINTECTURE_ENVIRONMENT", "simulator"), ("FINTECTURE_CUSTOMER_TOKEN", "t")])
                .unwrap();
        assert!(matches!(serve.upstream, Upstream::Simulator { unused_credential: true, .. }));
    }

    #[test]
    fn sandbox_and_production_need_a_credential_and_know_their_hosts() {
        let http = || ServeFlags { audit_log: Some("audit.log".into()), ..http() };
        for (name, host) in [("sandbox", "api-sandbox.fintecture.com"), ("production", "api.fintecture.com")]
        {
            let problem = read(http(), &[("FINTECTURE_ENVIRONMENT", name)]).unwrap_err();
            assert_eq!(
                problem,
                format!(
                    "{name} needs FINTECTURE_CUSTOMER_TOKEN, or FINTECTURE_APP_ID and FINTECTURE_APP_SECRET"
                )
            );
            let serve =
                read(http(), &[("FINTECTURE_ENVIRONMENT", name), ("FINTECTURE_CUSTOMER_TOKEN", "t\n")])
                    .unwrap();
            let Upstream::Remote(remote) = serve.upstream else { panic!("a remote upstream") };
            assert_eq!(remote.base_url.host_str(), Some(host));
        }
    }

    /// A client with a form for settings passes every variable, those that nobody filled in as nothing or as their
    /// placeholders.
    #[test]
    fn what_was_left_out_of_a_form_counts_as_not_set() {
        const FORM: [&str; 4] = [
            "FINTECTURE_CUSTOMER_TOKEN",
            "FINTECTURE_APP_ID",
            "FINTECTURE_APP_SECRET",
            "FINTECTURE_PRIVATE_KEY_FILE",
        ];
        let filled = |environment, values: [&str; 4], nothing| {
            let values = values.map(|value| if value.is_empty() { nothing } else { value });
            let variables: Vec<_> = FORM.into_iter().zip(values).collect();
            let flags = ServeFlags {
                confirm_writes: Some(nothing.to_owned()),
                environment: Some(String::from(environment)),
                ..ServeFlags::default()
            };
            read(flags, &variables)
        };
        for nothing in ["", "${user_config.x}"] {
            let serve = filled("simulator", [""; 4], nothing).unwrap();
            assert!(matches!(serve.upstream, Upstream::Simulator { unused_credential: false, .. }));
            assert_eq!(serve.approvals.confirm, None);
            for (values, is_token) in [(["t", "", "", ""], true), (["", "id", "s", ""], false)] {
                let serve = filled("sandbox", values, nothing).unwrap();
                let Upstream::Remote(remote) = serve.upstream else { panic!("a remote upstream") };
                assert_eq!(matches!(remote.credentials, Credentials::Token(_)), is_token);
                assert!(remote.signing.is_none() && remote.is_key_unfilled);
            }
        }
        insta::assert_snapshot!(filled("sandbox", [""; 4], "").unwrap_err(), @"sandbox needs FINTECTURE_CUSTOMER_TOKEN, or FINTECTURE_APP_ID and FINTECTURE_APP_SECRET; FINTECTURE_CUSTOMER_TOKEN is set, but empty; FINTECTURE_APP_SECRET is set, but empty; FINTECTURE_PRIVATE_KEY_FILE is set, but empty; FINTECTURE_APP_ID is set, but empty");
        insta::assert_snapshot!(filled("production", ["", "id", "", ""], "${user_config.x}").unwrap_err(), @"FINTECTURE_APP_ID needs FINTECTURE_APP_SECRET (or, beside a token, a private key); FINTECTURE_CUSTOMER_TOKEN is set, but a placeholder that nothing was put into; FINTECTURE_APP_SECRET is set, but a placeholder that nothing was put into; FINTECTURE_PRIVATE_KEY_FILE is set, but a placeholder that nothing was put into");
    }

    #[test]
    fn a_file_that_a_form_left_open_is_refused() {
        let flags = ServeFlags {
            stop_writes: Some("${user_config.stop}".into()),
            audit_log: Some("".into()),
            ..ServeFlags::default()
        };
        let variables = [("FINTECTURE_ENVIRONMENT", "simulator")];
        insta::assert_snapshot!(read(flags, &variables).unwrap_err(), @r"
        --stop-writes is a placeholder that nothing was put into: leave it out, or name a file
        --audit-log is empty: leave it out, or name a file
        ");
    }

    #[test]
    fn a_flag_goes_before_its_variable() {
        let flags = ServeFlags { environment: Some("simulator".to_owned()), ..http() };
        let serve = read(flags, &[("FINTECTURE_ENVIRONMENT", "production")]).unwrap();
        assert!(matches!(serve.upstream, Upstream::Simulator { .. }));
    }

    #[test]
    fn every_problem_is_reported_at_once_and_no_secret_with_it() {
        let flags = ServeFlags {
            transport: Some("http".to_owned()),
            listen: Some("0.0.0.0:8080".to_owned()),
            log_format: Some("xml".to_owned()),
            ..ServeFlags::default()
        };
        let variables = [
            ("FINTECTURE_ENVIRONMENT", "prod"),
            ("FINTECTURE_BASE_URL", "http://canary:canary@api.example"),
            ("FINTECTURE_CUSTOMER_TOKEN", "canary"),
            ("FINTECTURE_TIMEOUT_SECONDS", "soon"),
        ];
        insta::assert_snapshot!(read(flags, &variables).unwrap_err(), @r"
        --listen beyond loopback needs callers to be authenticated: set FINTECTURE_MCP_TOKEN, --auth-tokens, or --oauth-issuer and --oauth-audience
        --log-format must be text or json
        FINTECTURE_TIMEOUT_SECONDS must be a whole number of seconds from 1 to 45
        FINTECTURE_BASE_URL must be https, or http on loopback
        FINTECTURE_ENVIRONMENT must be simulator, sandbox or production
        ");
    }

    #[test]
    fn a_mistyped_variable_is_named() {
        let mut problems = Problems::default();
        let names = ["FINTECTURE_CUSTOMER_TOKN", "FINTECTURE_NONSENSE", "PATH", "FINTECTURE_ENVIRONMENT"];
        super::super::variables::refuse_unknown(names.into_iter().map(str::to_owned), &mut problems);
        insta::assert_snapshot!(problems.to_string(), @r"
        FINTECTURE_CUSTOMER_TOKN is not a variable of fintecture-mcp; did you mean FINTECTURE_CUSTOMER_TOKEN?
        FINTECTURE_NONSENSE is not a variable of fintecture-mcp: unset it
        ");
    }
}

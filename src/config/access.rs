//! Settings of who is let in over HTTP: one way of authentication, or none on loopback.

use std::path::PathBuf;

use secrecy::ExposeSecret as _;
use url::Url;

use super::credentials::secret;
use super::serve::Transport;
use super::upstream::safe_address;
use super::variables::{CA_FILE, MCP_TOKEN, OAUTH_CLIENT_SECRET, SecretVariable, Variables};
use super::{Problems, ServeFlags};
use crate::domain::is_loopback;
use crate::secret::Secret;

/// Fewest characters of the one token of a server that others than this machine can reach.
const FAR_TOKEN_CHARS: usize = 12;
/// Below so many characters a token can be guessed.
const SHORT_TOKEN_CHARS: usize = 20;

/// Who is let in, and what an operator is to be warned of.
#[derive(Debug)]
pub struct AccessSettings {
    /// How callers are authenticated.
    pub inbound: Inbound,
    /// Who may approve a write.
    pub approvers: Approvers,
    /// `FINTECTURE_MCP_TOKEN` is set on stdio, where nobody is asked for it.
    pub is_unused: bool,
    /// `FINTECTURE_MCP_TOKEN` is short enough to be guessed.
    pub is_short: bool,
    /// Tokens travel over a network, and nothing is known of TLS.
    pub is_in_clear: bool,
}

/// How callers are authenticated.
#[derive(Debug)]
pub enum Inbound {
    /// Not at all.
    Open,
    /// By one token.
    Token(Secret),
    /// By the tokens of this file.
    Tokens(PathBuf),
    /// By access tokens of an authorization server.
    OAuth(OAuthSettings),
}

/// Which authorization server, and what its tokens must be for.
#[derive(Debug)]
pub struct OAuthSettings {
    /// The authorization server, as it was written: issuers are compared letter by letter, and a `Url` adds a slash.
    pub issuer: String,
    /// The audience that its tokens must name.
    pub audience: String,
    /// This server's client id there.
    pub client_id: Option<String>,
    /// The secret that goes with it.
    pub client_secret: Option<Secret>,
    /// Root certificates to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// Who may approve a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approvers {
    /// Whoever holds `approvals:write`.
    Any,
    /// Of these, never the principal that calls.
    Other,
}

/// Whether authentication was asked for, rightly or not.
pub(super) fn is_wanted(flags: &ServeFlags, variables: &Variables<'_>) -> bool {
    flags.auth_tokens.is_some() || flags.oauth_issuer.is_some() || is_set(MCP_TOKEN, variables)
}

/// Whether others than this machine find the server, whatever it listens on: a proxy stands before it.
fn is_found_from_afar(flags: &ServeFlags) -> bool {
    let is_public = |text: &String| Url::parse(text.trim()).is_ok_and(|url| !is_loopback(&url));
    flags.public_url.as_ref().is_some_and(is_public) || !flags.trusted_proxy.is_empty()
}

fn is_set(secret: SecretVariable, variables: &Variables<'_>) -> bool {
    variables.is_set(secret.variable.name) || variables.is_set(&secret.file_name())
}

/// Reads them. `transport` is `None` where it is wrong itself.
pub(super) fn read(
    flags: &ServeFlags,
    transport: Option<Transport>,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<AccessSettings> {
    let token = token(variables, problems);
    if !matches!(flags.transport.as_deref(), Some("http")) {
        refuse_on_stdio(flags, problems);
        let client_secret = is_set(OAUTH_CLIENT_SECRET, variables);
        if client_secret && flags.oauth_client_id.is_none() {
            problems.add(format!("{} needs --oauth-client-id", OAUTH_CLIENT_SECRET.variable.name));
        }
        return Some(AccessSettings {
            inbound: Inbound::Open,
            approvers: Approvers::Any,
            is_unused: token.is_some(),
            is_short: false,
            is_in_clear: false,
        });
    }
    let is_short =
        token.as_ref().is_some_and(|token| token.get().expose_secret().chars().count() < SHORT_TOKEN_CHARS);
    let before = problems.len();
    refuse_two(flags, is_set(MCP_TOKEN, variables), problems);
    let oauth = oauth(flags, variables, problems);
    let approvers = approvers(flags, variables, problems)?;
    let inbound = match (token, &flags.auth_tokens, oauth) {
        _ if problems.len() > before => return None,
        (Some(token), ..) => Inbound::Token(token),
        (None, Some(path), _) => Inbound::Tokens(path.clone()),
        (None, None, Some(oauth)) => Inbound::OAuth(oauth),
        (None, None, None) => Inbound::Open,
    };
    let is_far = matches!(transport, Some(Transport::Http(address)) if !address.ip().is_loopback());
    let is_found_from_afar = is_found_from_afar(flags);
    if matches!(inbound, Inbound::Open) && is_found_from_afar {
        problems.add("--public-url beyond this machine, and --trusted-proxy, need callers to be authenticated: set FINTECTURE_MCP_TOKEN, --auth-tokens, or --oauth-issuer and --oauth-audience");
        return None;
    }
    if let Inbound::Token(token) = &inbound
        && (is_far || is_found_from_afar)
        && token.get().expose_secret().chars().count() < FAR_TOKEN_CHARS
    {
        problems.add(format!("{} can be guessed: beyond this machine it must have {FAR_TOKEN_CHARS} characters at least, such as `openssl rand -hex 32` makes", MCP_TOKEN.variable.name));
        return None;
    }
    let is_behind_tls = flags.tls_cert.is_some()
        || flags.public_url.as_deref().is_some_and(|url| url.trim().starts_with("https://"));
    Some(AccessSettings {
        inbound,
        approvers,
        is_unused: false,
        is_short,
        is_in_clear: is_far && !is_behind_tls,
    })
}

fn refuse_on_stdio(flags: &ServeFlags, problems: &mut Problems) {
    for (flag, is_given) in [
        ("--auth-tokens", flags.auth_tokens.is_some()),
        ("--oauth-issuer", flags.oauth_issuer.is_some()),
        ("--oauth-audience", flags.oauth_audience.is_some()),
        ("--oauth-client-id", flags.oauth_client_id.is_some()),
        ("--approvers", flags.approvers.is_some()),
    ] {
        if is_given {
            problems.add(format!("{flag} needs --transport http"));
        }
    }
}

fn refuse_two(flags: &ServeFlags, has_token: bool, problems: &mut Problems) {
    let ways = [
        (MCP_TOKEN.variable.name, has_token),
        ("--auth-tokens", flags.auth_tokens.is_some()),
        ("--oauth-issuer", flags.oauth_issuer.is_some()),
    ];
    let set: Vec<&str> = ways.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
    if set.len() > 1 {
        problems.add(format!("callers are authenticated in one way: leave one of {}", set.join(" and ")));
    }
}

fn token(variables: &Variables<'_>, problems: &mut Problems) -> Option<Secret> {
    let token = secret(MCP_TOKEN, variables, problems)?;
    if !token.get().expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        problems.add(format!("{} holds characters that no bearer token has", MCP_TOKEN.variable.name));
        return None;
    }
    Some(token)
}

fn oauth(flags: &ServeFlags, variables: &Variables<'_>, problems: &mut Problems) -> Option<OAuthSettings> {
    let client_secret = secret(OAUTH_CLIENT_SECRET, variables, problems);
    if is_set(OAUTH_CLIENT_SECRET, variables) && flags.oauth_client_id.is_none() {
        problems.add(format!("{} needs --oauth-client-id", OAUTH_CLIENT_SECRET.variable.name));
    }
    let id = flags.oauth_client_id.as_deref().map(str::trim);
    if id.is_some_and(|id| id.is_empty() || id.chars().any(char::is_control)) {
        problems.add("--oauth-client-id must be the id that the authorization server gave this server");
    }
    let (issuer, audience) = match (&flags.oauth_issuer, &flags.oauth_audience) {
        (Some(issuer), Some(audience)) => (issuer.trim(), audience.trim()),
        (Some(_), None) => {
            problems.add("--oauth-issuer needs --oauth-audience: what tokens must be for, such as https://mcp.example.com/mcp");
            return None;
        }
        (None, Some(_)) => {
            problems.add("--oauth-audience needs --oauth-issuer");
            return None;
        }
        (None, None) => {
            if id.is_some() {
                problems.add("--oauth-client-id needs --oauth-issuer");
            }
            return None;
        }
    };
    if Url::parse(audience).is_err() || audience.chars().any(char::is_whitespace) || audience.contains('#') {
        problems.add("--oauth-audience must be a URI without fragment, such as https://mcp.example.com/mcp");
    }
    match safe_address(issuer) {
        Ok(_) => Some(OAuthSettings {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            client_id: id.map(str::to_owned),
            client_secret,
            ca_file: variables.get(CA_FILE).map(PathBuf::from),
        }),
        Err(reason) => {
            problems.add(format!("--oauth-issuer {reason}"));
            None
        }
    }
}

fn approvers(flags: &ServeFlags, variables: &Variables<'_>, problems: &mut Problems) -> Option<Approvers> {
    let approvers = match flags.approvers.as_deref() {
        None => return Some(Approvers::Any),
        Some("any") => Approvers::Any,
        Some("other") => Approvers::Other,
        Some(_) => {
            problems.add("--approvers must be any or other");
            return None;
        }
    };
    if is_set(MCP_TOKEN, variables) && approvers == Approvers::Other {
        problems.add(format!(
            "--approvers other needs to tell people apart: give each a token of --auth-tokens, or use --oauth-issuer, instead of {}",
            MCP_TOKEN.variable.name
        ));
    } else if !is_wanted(flags, variables) {
        problems.add("--approvers needs callers to be authenticated: set --auth-tokens, or --oauth-issuer and --oauth-audience");
    }
    Some(approvers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: (&str, &str) = ("FINTECTURE_MCP_TOKEN", "canary-mcp-token-aaaaaa");

    fn of(flags: &ServeFlags, variables: &[(&str, &str)]) -> Result<AccessSettings, String> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let address = flags.listen.as_deref().unwrap_or("127.0.0.1:1").parse().unwrap();
        let mut problems = Problems::default();
        let settings = read(flags, Some(Transport::Http(address)), &Variables::new(&get), &mut problems);
        let refused = problems.or(settings).map_err(|problems| problems.to_string());
        if let Err(said) = &refused {
            assert!(!said.contains("canary"), "{said}");
        }
        refused
    }

    fn http() -> ServeFlags {
        ServeFlags { transport: Some("http".to_owned()), ..ServeFlags::default() }
    }

    fn oauth() -> ServeFlags {
        ServeFlags {
            oauth_issuer: Some("https://id.example".to_owned()),
            oauth_audience: Some("https://mcp.example/mcp".to_owned()),
            ..http()
        }
    }

    #[test]
    fn each_way_is_read() {
        assert!(matches!(of(&http(), &[]).unwrap().inbound, Inbound::Open));
        let one = of(&http(), &[TOKEN]).unwrap();
        assert!(matches!(one.inbound, Inbound::Token(_)) && !one.is_short && !one.is_in_clear);
        assert!(of(&http(), &[("FINTECTURE_MCP_TOKEN", "short")]).unwrap().is_short);
        let file = ServeFlags { auth_tokens: Some("tokens".into()), ..http() };
        assert!(matches!(of(&file, &[]).unwrap().inbound, Inbound::Tokens(_)));
        let flags = ServeFlags { oauth_client_id: Some("fmcp".to_owned()), ..oauth() };
        let Inbound::OAuth(read) =
            of(&flags, &[("FINTECTURE_OAUTH_CLIENT_SECRET", "canary")]).unwrap().inbound
        else {
            panic!("OAuth")
        };
        assert_eq!(read.issuer, "https://id.example");
        assert!(read.client_secret.is_some());
    }

    #[test]
    fn what_does_not_go_together_is_told_at_once() {
        let flags = ServeFlags {
            auth_tokens: Some("tokens".into()),
            oauth_issuer: Some("http://canary:canary@id.example".to_owned()),
            oauth_audience: Some("not a URI".to_owned()),
            approvers: Some("other".to_owned()),
            ..http()
        };
        insta::assert_snapshot!(of(&flags, &[TOKEN, ("FINTECTURE_OAUTH_CLIENT_SECRET", "canary")]).unwrap_err(), @r"
        callers are authenticated in one way: leave one of FINTECTURE_MCP_TOKEN and --auth-tokens and --oauth-issuer
        FINTECTURE_OAUTH_CLIENT_SECRET needs --oauth-client-id
        --oauth-audience must be a URI without fragment, such as https://mcp.example.com/mcp
        --oauth-issuer must be https, or http on loopback
        --approvers other needs to tell people apart: give each a token of --auth-tokens, or use --oauth-issuer, instead of FINTECTURE_MCP_TOKEN
        ");
        let without = |flags: ServeFlags| of(&flags, &[]).unwrap_err();
        insta::assert_snapshot!(without(ServeFlags { oauth_audience: None, ..oauth() }), @"--oauth-issuer needs --oauth-audience: what tokens must be for, such as https://mcp.example.com/mcp");
        insta::assert_snapshot!(without(ServeFlags { oauth_issuer: None, ..oauth() }), @"--oauth-audience needs --oauth-issuer");
        insta::assert_snapshot!(without(ServeFlags { oauth_client_id: Some("x".to_owned()), ..http() }), @"--oauth-client-id needs --oauth-issuer");
        insta::assert_snapshot!(without(ServeFlags { approvers: Some("any".to_owned()), ..http() }), @"--approvers needs callers to be authenticated: set --auth-tokens, or --oauth-issuer and --oauth-audience");
        insta::assert_snapshot!(without(ServeFlags { approvers: Some("me".to_owned()), ..oauth() }), @"--approvers must be any or other");
        for bad in ["canary with spaces", "canary\u{7}", "canary-\u{e9}"] {
            let refused = of(&http(), &[("FINTECTURE_MCP_TOKEN", bad)]).unwrap_err();
            assert_eq!(refused, "FINTECTURE_MCP_TOKEN holds characters that no bearer token has");
        }
        let lost = of(&http(), &[("FINTECTURE_MCP_TOKEN", " ")]).unwrap_err();
        assert_eq!(lost, "FINTECTURE_MCP_TOKEN is set, but empty: unset it, or give it its value");
    }

    #[test]
    fn stdio_has_its_person_and_asks_for_no_token() {
        let flags = ServeFlags { transport: None, ..oauth() };
        insta::assert_snapshot!(of(&flags, &[]).unwrap_err(), @r"
        --oauth-issuer needs --transport http
        --oauth-audience needs --transport http
        ");
        let settings = of(&ServeFlags::default(), &[TOKEN]).unwrap();
        assert!(settings.is_unused && matches!(settings.inbound, Inbound::Open));
    }

    #[test]
    fn tokens_in_clear_over_a_network_are_noticed() {
        let far = || ServeFlags { listen: Some("0.0.0.0:80".to_owned()), ..http() };
        assert!(of(&far(), &[TOKEN]).unwrap().is_in_clear);
        let cert = ServeFlags { tls_cert: Some("cert".into()), ..far() };
        assert!(!of(&cert, &[TOKEN]).unwrap().is_in_clear);
        let proxy = ServeFlags { public_url: Some("https://mcp.example".to_owned()), ..far() };
        assert!(!of(&proxy, &[TOKEN]).unwrap().is_in_clear);
    }

    #[test]
    fn what_others_find_needs_to_know_its_callers() {
        let public = |url: &str| ServeFlags { public_url: Some(url.to_owned()), ..http() };
        let proxied = ServeFlags { trusted_proxy: vec!["10.0.0.1".to_owned()], ..http() };
        for flags in [public("https://mcp.example.com"), proxied] {
            let refused = of(&flags, &[]).unwrap_err();
            assert!(
                refused.starts_with("--public-url beyond this machine, and --trusted-proxy, need"),
                "{refused}"
            );
            assert!(of(&flags, &[TOKEN]).is_ok());
            let refused = of(&flags, &[("FINTECTURE_MCP_TOKEN", "canary")]).unwrap_err();
            assert!(refused.starts_with("FINTECTURE_MCP_TOKEN can be guessed"), "{refused}");
        }
        assert!(of(&public("http://127.0.0.1:8080"), &[]).is_ok());
    }
}

//! `fintecture-mcp check`: goes the way of a call step by step, and says of each step whether it works.
//!
//! What it prints is fit for a ticket: no secret, no personal data, and none of the upstream's words.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::lookup_host;
use url::Host;

use super::parts::Parts;
use super::{Failed, in_runtime, load, print, upstream};
use crate::cli::CheckArgs;
use crate::config::{Draft, LogFormat, Problems, Serve, ServeFlags, Upstream, variables};
use crate::domain::PageSize;
use crate::fintecture::{
    CallContext, CustomerFilter, Failure, FailureKind, Fintecture, Listing, NoConnection, TokenSource,
};
use crate::telemetry;

/// Longest time for a look-up of a name.
const DNS_TIMEOUT: Duration = Duration::from_secs(5);
/// Any of these sends requests through a proxy, which then looks the name up.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The steps behind the configuration, in the order in which each needs those before it.
const STEPS: [&str; 5] = ["DNS", "connection", "token", "signature", "read"];

/// How a step went.
enum Verdict {
    Ok(String),
    Fail(String),
    Skip(String),
}

fn ok(text: impl Into<String>) -> Verdict {
    Verdict::Ok(text.into())
}

fn fail(text: impl Display) -> Verdict {
    Verdict::Fail(text.to_string())
}

fn skip(text: impl Into<String>) -> Verdict {
    Verdict::Skip(text.into())
}

/// Prints a line for a step. False where it failed.
fn tell(step: &str, verdict: &Verdict) -> bool {
    let (word, text) = match verdict {
        Verdict::Ok(text) => ("ok", text),
        Verdict::Fail(text) => ("FAIL", text),
        Verdict::Skip(text) => ("skip", text),
    };
    print(&format!("{word:<4}  {step:<16}  {text}"));
    word != "FAIL"
}

/// Checks everything.
///
/// # Errors
/// Exit 2 where configuration or capability files are wrong, 1 where anything else is; all of it has been told.
pub(super) fn run(args: CheckArgs, mut problems: Problems) -> Result<(), Failed> {
    // The way to the upstream is checked; the store needs a key, which only `serve` is given.
    let is_stores = |name: &str| name.starts_with(variables::STORE_URL.variable.name);
    let read = |name: &str| if is_stores(name) { None } else { std::env::var(name).ok() };
    variables::refuse_unknown(
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
        &mut problems,
    );
    telemetry::start(LogFormat::Text);
    let folder = args.capabilities.clone();
    let flags = ServeFlags {
        environment: args.environment,
        capabilities: args.capabilities,
        ..ServeFlags::default()
    };
    let settings = Serve::read(flags, &variables::Variables::new(&read), problems);
    let draft = settings.map_or_else(|draft| *draft, Draft::from);
    let named = draft.upstream.as_ref().map(name);
    let is_key_lost = matches!(&draft.upstream, Some(Upstream::Remote(remote)) if remote.is_key_unfilled);
    let (parts, problems) = Parts::of(draft);
    let prepared = problems.or(named.zip(parts.upstream)).map_err(|problems| problems.to_string());
    let capabilities = load(folder.as_deref());
    let named = prepared.as_ref().map(|(named, _)| named.clone());
    tell_all("configuration", named);
    let files = folder.map_or_else(|| "the built-in files".to_owned(), |dir| dir.display().to_string());
    tell_all("capability files", capabilities.as_ref().map(|_| files));
    let (Ok((_, prepared)), Ok(capabilities)) = (prepared, capabilities) else {
        skip_all(&STEPS, "the settings must be right first");
        return Err(Failed::Told(2));
    };
    let works = in_runtime(async {
        let (_, client, simulator) = upstream::ready(prepared).await?;
        let works = steps(&Fintecture::new(client, Arc::clone(&capabilities)), is_key_lost).await;
        if let Some(simulator) = simulator {
            simulator.shutdown().await?;
        }
        Ok(works)
    })?;
    if works { Ok(()) } else { Err(Failed::Told(1)) }
}

/// A line where it is right, a line a problem where it is not.
fn tell_all(step: &str, outcome: Result<String, &String>) {
    match outcome {
        Ok(text) => {
            tell(step, &Verdict::Ok(text));
        }
        Err(lines) => {
            for line in lines.lines() {
                tell(step, &fail(line));
            }
        }
    }
}

fn skip_all(steps: &[&str], reason: &str) {
    for step in steps {
        tell(step, &skip(reason));
    }
}

fn name(upstream: &Upstream) -> String {
    match upstream {
        Upstream::Simulator { .. } => "simulator, in this process: everything in it is made up".to_owned(),
        Upstream::Remote(remote) => {
            format!("{}, {}", remote.environment, remote.base_url.as_str().trim_end_matches('/'))
        }
    }
}

/// The steps over the network. False where one failed.
async fn steps(fintecture: &Fintecture, is_key_lost: bool) -> bool {
    let client = fintecture.client();
    if !tell("DNS", &dns(client.base_url()).await) {
        skip_all(&STEPS[1..], "the upstream's name is not known");
        return false;
    }
    let connection = match client.probe_connection().await {
        Ok(connection) if connection.has_tls => ok(format!("TCP and TLS, {}", connection.version)),
        Ok(connection) => ok(format!("TCP, on this machine without TLS, {}", connection.version)),
        Err(error @ NoConnection::Tls(_)) => fail(format!(
            "{error}: check FINTECTURE_BASE_URL, and FINTECTURE_CA_FILE where the certificate is one of your own"
        )),
        Err(error) => fail(format!("{error}: check FINTECTURE_BASE_URL, proxy and firewall")),
    };
    if !tell("connection", &connection) {
        skip_all(&STEPS[2..], "there is no connection");
        return false;
    }
    let source = match client.probe_token().await {
        Ok(source) => source,
        Err(failure) => {
            tell("token", &fail(failure.reason));
            skip_all(&STEPS[3..], "there is no token");
            return false;
        }
    };
    let context = CallContext::new(None);
    let filter = CustomerFilter { page_size: PageSize::try_from(1).ok(), ..CustomerFilter::default() };
    let read = fintecture.on_behalf_of(&context).list_customers(&filter).await;
    let verdicts = judge(source, client.signs(), &read, context.seen().status);
    let verdicts = match verdicts {
        [token, _, read] if is_key_lost => {
            [token, fail("a private key is set to nothing: requests are not signed"), read]
        }
        verdicts => verdicts,
    };
    for (step, verdict) in ["token", "signature", "read"].into_iter().zip(&verdicts) {
        tell(step, verdict);
    }
    !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Fail(_)))
}

async fn dns(url: &url::Url) -> Verdict {
    let Some(Host::Domain(name)) = url.host() else {
        return skip("the address is a number: there is nothing to look up");
    };
    let proxy =
        PROXY_VARIABLES.into_iter().find(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()));
    if let Some(proxy) = proxy.filter(|_| url.scheme() == "https") {
        return skip(format!("{proxy} is set: the proxy looks the name up"));
    }
    let port = url.port_or_known_default().unwrap_or_default();
    match tokio::time::timeout(DNS_TIMEOUT, lookup_host((name, port))).await {
        Ok(Ok(addresses)) => match addresses.count() {
            0 => fail(format!("{name} has no address")),
            1 => ok(format!("{name} has 1 address")),
            count => ok(format!("{name} has {count} addresses")),
        },
        Ok(Err(error)) => fail(format!("{name} cannot be looked up: {error}")),
        Err(_) => fail(format!("no answer about {name} in {} s", DNS_TIMEOUT.as_secs())),
    }
}

/// What one read says about token, signature and itself.
fn judge(
    source: TokenSource,
    signs: bool,
    read: &Result<Listing, Failure>,
    status: Option<u16>,
) -> [Verdict; 3] {
    let token = || match source {
        TokenSource::Set => ok("it is set, and accepted"),
        TokenSource::Fetched => ok("the token endpoint gave one"),
    };
    let no_key = || skip("no private key is set");
    let failure = match read {
        Ok(listing) => {
            let signature = if signs { ok("accepted") } else { no_key() };
            let (status, count) = (status.unwrap_or_default(), listing.records.len());
            let came = format!("listAllCustomers: status {status}, {count} on a page of 1");
            return [token(), signature, ok(came)];
        }
        Err(failure) => failure,
    };
    let reason = &failure.reason;
    if signs && is_about_the_signature(failure) {
        let check = "check FINTECTURE_PRIVATE_KEY, FINTECTURE_APP_ID and the clock of this machine";
        return [token(), fail(format!("{reason}: {check}")), skip("the signature was refused")];
    }
    let unknown = |what| if signs { skip(what) } else { no_key() };
    match (failure.kind, source) {
        (FailureKind::Unauthorized, TokenSource::Set) => {
            let key = if signs { ", and FINTECTURE_PRIVATE_KEY" } else { "" };
            let token = fail(format!("{reason}: check FINTECTURE_CUSTOMER_TOKEN and the environment{key}"));
            [token, unknown("the token was refused"), skip("the token was refused")]
        }
        (kind, source) => {
            let check = match kind {
                FailureKind::Unauthorized if signs => {
                    ": the token was just given out, so check the environment and FINTECTURE_PRIVATE_KEY"
                }
                FailureKind::Unauthorized => ": the token was just given out, so check the environment",
                FailureKind::Forbidden => ": the credential lacks the right to list customers",
                FailureKind::NotFound => ": check FINTECTURE_BASE_URL and the capability files",
                _ => "",
            };
            let token = match source {
                TokenSource::Set => skip("it is set; only a read shows whether it is accepted"),
                TokenSource::Fetched => token(),
            };
            [token, unknown("only a read shows whether it is accepted"), fail(format!("{reason}{check}"))]
        }
    }
}

/// A 401 has several causes, and only the upstream's words tell them apart.
fn is_about_the_signature(failure: &Failure) -> bool {
    let said = failure.detail.as_deref().unwrap_or_default().to_lowercase();
    let words = ["signature", "digest", "keyid", "date header", "x-request-id"];
    failure.kind == FailureKind::Unauthorized && words.iter().any(|word| said.contains(word))
}

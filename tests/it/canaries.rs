//! A distinctive value in every secret and every personal field: found in no log whatever goes wrong, in no line of
//! standard output but results, and no secret in those either.

use fintecture_mcp::config::{Problems, Serve, ServeFlags, variables::Variables};
use nix::sys::signal::Signal;
use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use crate::support::canaries::{ISSUED, PERSONAL, calls, is_clean, secrets};
use crate::support::faults::{Fault, Faulty, answer, nobody};
use crate::support::keys::KEYS;
use crate::support::pipe::Pipe;
use crate::support::setup::{APP_ID, APP_SECRET, Setup, TOKEN};
use crate::support::upstream::Upstream;

/// Says everything that it was told, as a careless proxy does.
fn echo(request: &Request) -> String {
    let headers: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    format!(
        "{} {} {} {}",
        request.url,
        String::from_utf8_lossy(&request.body),
        headers.join(" "),
        PERSONAL.join(" ")
    )
}

fn refusing(status: u16) -> impl Fn(&Request) -> ResponseTemplate {
    move |request: &Request| {
        let said = echo(request);
        // Short texts come whole; a long one is cut, and a secret may lie across the cut.
        let secret = request.headers["authorization"].to_str().unwrap().to_owned();
        let across = format!("{}{secret}", "x".repeat(500 - secret.len() / 2));
        let errors = json!([{"detail": secret}, {"detail": said}, {"title": across}]);
        let across = json!([{"title": across}]);
        let errors = if request.method.as_str() == "GET" { errors } else { across };
        ResponseTemplate::new(status).set_body_json(json!({"errors": errors}))
    }
}

fn good(_: &Request) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"id": "cus_1", "data": [], "note": PERSONAL}))
}

fn token(_: &Request) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"access_token": ISSUED, "expires_in": 3600}))
}

/// Makes every call at once on a server with these settings, and looks at all that it says.
async fn look(setup: Setup, format: &str) {
    let setup = setup.variable("RUST_LOG", "trace").flag("--log-format").flag(format);
    let mut pipe: Pipe = setup.pipe();
    pipe.initialize("2025-11-25").await;
    pipe.process.signal(Signal::SIGHUP);
    let calls = calls();
    for (tool, arguments) in &calls {
        pipe.send("tools/call", json!({"name": tool, "arguments": arguments})).await;
    }
    let mut results = 0;
    pipe.close();
    while let Some(message) = pipe.read().await {
        let line = message.to_string();
        for secret in secrets() {
            assert!(!line.contains(secret), "{secret} in a message: {line}");
        }
        if message.get("result").is_some() {
            results += 1;
        } else {
            is_clean(&line);
        }
    }
    assert_eq!(results, calls.len(), "every call has its result");
    let (status, log) = pipe.process.ended().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(log.matches("tool call").count(), calls.len(), "there is something to look at: {log}");
    is_clean(&log);
}

/// Both kinds of credentials, both with a key, one in variables and one in files; one for each log format.
async fn look_at_both(base_url: &str, token_url: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (secret, key) = (file("secret", APP_SECRET), file("key", &KEYS.pkcs1));
    let fixed = Setup::against(base_url)
        .impatient()
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8);
    let application = Setup::without_credential(base_url)
        .impatient()
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_APP_SECRET_FILE", &secret)
        .variable("FINTECTURE_PRIVATE_KEY_FILE", &key)
        .variable("FINTECTURE_TOKEN_URL", token_url);
    tokio::join!(look(fixed, "text"), look(application, "json"));
}

async fn before(upstream: &str) {
    let endpoint = Upstream::answering(token).await;
    look_at_both(upstream, &format!("{}/oauth/accesstoken", endpoint.base_url())).await;
}

#[tokio::test]
async fn where_all_goes_well() {
    before(&Upstream::answering(good).await.base_url()).await;
}

#[tokio::test]
async fn where_the_upstream_refuses_and_repeats_what_it_was_told() {
    for status in [401, 422, 503] {
        before(&Upstream::answering(refusing(status)).await.base_url()).await;
    }
}

#[tokio::test]
async fn where_the_answers_are_strange() {
    let plain =
        |status| move |request: &Request| ResponseTemplate::new(status).set_body_string(echo(request));
    before(&Upstream::answering(plain(200)).await.base_url()).await;
    before(&Upstream::answering(plain(400)).await.base_url()).await;
    let redirect = |request: &Request| {
        let target = format!("http://127.0.0.1:9/{}", request.url.query().unwrap_or("canary-crm-1"));
        ResponseTemplate::new(302)
            .insert_header("location", target)
            .insert_header("retry-after", "Canaryfirst")
    };
    before(&Upstream::answering(redirect).await.base_url()).await;
}

#[tokio::test]
async fn where_the_network_fails() {
    let personal = PERSONAL.join(" ");
    let half = format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{{\"id\":\"{personal}");
    for fault in [
        Fault::Reset,
        Fault::Hang,
        Fault::Bytes(half.clone().into_bytes()),
        Fault::BytesThenReset(half.into_bytes()),
        Fault::Bytes(format!("HTTP/1.1 200 {personal}\r\n{personal}\r\n\r\n").into_bytes()),
        Fault::Bytes(answer("200 OK", personal.as_bytes())),
    ] {
        before(&Faulty::with(fault).await.base_url()).await;
    }
    let (_port, base_url) = nobody();
    before(&base_url).await;
}

#[tokio::test]
async fn where_no_token_is_given_out() {
    let upstream = Upstream::answering(good).await;
    let strange = |request: &Request| ResponseTemplate::new(200).set_body_string(echo(request));
    let unusable = |_: &Request| {
        ResponseTemplate::new(200).set_body_json(json!({"access_token": format!("{ISSUED}\n{APP_SECRET}")}))
    };
    for endpoint in [
        Upstream::answering(refusing(401)).await,
        Upstream::answering(refusing(500)).await,
        Upstream::answering(strange).await,
        Upstream::answering(unusable).await,
    ] {
        look_at_both(&upstream.base_url(), &endpoint.base_url()).await;
    }
    let broken = Faulty::with(Fault::Reset).await;
    look_at_both(&upstream.base_url(), &broken.base_url()).await;
}

/// The same over HTTP, where requests have addresses and headers of their own.
#[tokio::test]
async fn over_http() {
    let upstream = Upstream::answering(refusing(422)).await;
    let setup = Setup::against(&upstream.base_url())
        .variable("RUST_LOG", "trace,hyper=trace,reqwest=trace,rmcp=trace")
        .variable("FINTECTURE_APP_ID", APP_ID)
        .variable("FINTECTURE_PRIVATE_KEY", &KEYS.pkcs8);
    let server = setup.http().await;
    for agent in [server.agent().await, server.agent_over_legacy_sse().await] {
        for (tool, arguments) in calls() {
            let body = agent.call(tool, arguments).await.body.to_string();
            assert!(secrets().iter().all(|secret| !body.contains(secret)), "{body}");
        }
    }
    server.process.signal(Signal::SIGTERM);
    let (_, log) = server.process.ended().await;
    assert_eq!(log.matches("tool call").count(), 2 * calls().len());
    is_clean(&log);
}

#[test]
fn settings_show_no_secret_to_debug() {
    let read = |token: bool| {
        let get = move |name: &str| {
            let value = match name {
                "FINTECTURE_ENVIRONMENT" => "sandbox",
                "FINTECTURE_CUSTOMER_TOKEN" if token => TOKEN,
                "FINTECTURE_APP_SECRET" if !token => APP_SECRET,
                "FINTECTURE_APP_ID" => APP_ID,
                "FINTECTURE_PRIVATE_KEY" => &KEYS.pkcs8,
                _ => return None,
            };
            Some(value.to_owned())
        };
        let serve = Serve::read(ServeFlags::default(), &Variables::new(&get), Problems::default()).unwrap();
        format!("{serve:?} {serve:#?}")
    };
    for shown in [read(true), read(false)] {
        assert!(shown.contains("Sandbox"), "there is something to look at: {shown}");
        is_clean(&shown);
    }
}

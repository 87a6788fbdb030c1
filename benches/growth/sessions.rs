//! Sessions of Streamable HTTP: ended, abandoned, and idle beside those of a bare rmcp server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hyper::http::{Request, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::stand::process::Part;
use super::stand::server::Start;
use super::step::{Grown, Series, each, resident, sizes};
use super::wire::{Client, Until, load, post};

/// The last revision with sessions.
const REVISION: &str = "2025-11-25";
/// Sessions that are opened at once.
const IN_FLIGHT: usize = 16;
/// Sessions that a server lets one principal have open, by default; without authentication all are one.
const OPEN: u64 = 500;
/// Idle sessions whose memory is compared.
const IDLE: u64 = 400;
/// After so long an abandoned session ends.
const ENDS_AFTER: Duration = Duration::from_secs(2);
/// How long the server may take to notice that.
const PATIENCE: Duration = Duration::from_mins(1);

/// The line of the metrics that says how many are open.
const OPEN_SESSIONS: &str = "fintecture_mcp_sessions{kind=\"sessions\"}";

/// Memory of a session in which nothing happens, in bytes.
#[derive(Serialize)]
pub(crate) struct Idle {
    pub(crate) ours: u64,
    pub(crate) bare: u64,
}

/// Sessions that are opened, used once and ended.
pub(crate) async fn ended(start: &Start, most: u64) -> anyhow::Result<Series> {
    let (server, mut series) = (Grown::start(start)?, Series::new("sessions ended", "µs a session"));
    let mut before = 0;
    for size in sizes(most) {
        let cpu = server.cpu()?;
        load(
            server.0.address,
            IN_FLIGHT,
            Until::Numbers(before, size),
            async |mut client: Client, number| {
                let session = open(&mut client).await?;
                use_once(&mut client, &session, number).await?;
                end(&mut client, &session).await?;
                Ok(client)
            },
        )
        .await?;
        ensure!(open_now(server.0.address).await? == 0, "sessions are open that were ended");
        series.add(size, server.resident()?, each(server.cpu()? - cpu, size - before));
        server.0.log.empty()?;
        before = size;
    }
    Ok(series)
}

/// Sessions that nobody ends: as many at once as may be open, again and again.
pub(crate) async fn abandoned(start: &Start, most: u64) -> anyhow::Result<Series> {
    let mut start = start.clone();
    let ends_after = format!("session-idle-seconds={}", ENDS_AFTER.as_secs());
    start.arguments.extend(["--limit".to_owned(), ends_after]);
    let (server, mut series) = (Grown::start(&start)?, Series::new("sessions abandoned", "µs a session"));
    let (mut before, wave) = (0, OPEN.min(most));
    while before < most {
        let size = most.min(before + wave);
        let cpu = server.cpu()?;
        load(server.0.address, IN_FLIGHT, Until::Numbers(before, size), async |mut client: Client, _| {
            open(&mut client).await?;
            Ok(client)
        })
        .await?;
        let began = Instant::now();
        while open_now(server.0.address).await? > 0 {
            ensure!(began.elapsed() < ENDS_AFTER + PATIENCE, "abandoned sessions do not end");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        series.add(size, server.resident()?, each(server.cpu()? - cpu, size - before));
        server.0.log.empty()?;
        before = size;
    }
    Ok(series)
}

/// Memory of idle sessions, of this server and of a bare one.
pub(crate) async fn idle(start: &Start, most: u64) -> anyhow::Result<Idle> {
    let count = IDLE.min(most);
    let server = Grown::start(start)?;
    let ours = held(server.0.address, count, || server.resident()).await?;
    drop(server);
    let bare = Part::start_self("the bare server", &[super::BARE])?;
    let bare = held(bare.address, count, || resident(&bare.process)).await?;
    println!(
        "  an idle session holds {:.1} kB, one of a bare rmcp server {:.1} kB: {:.2} times",
        kilobytes(ours),
        kilobytes(bare),
        kilobytes(ours) / kilobytes(bare)
    );
    Ok(Idle { ours, bare })
}

#[expect(clippy::cast_precision_loss, reason = "a session's memory fits")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1e3
}

async fn held(
    address: SocketAddr,
    count: u64,
    resident: impl Fn() -> anyhow::Result<u64>,
) -> anyhow::Result<u64> {
    let opens = async |mut client: Client, _| {
        open(&mut client).await?;
        Ok(client)
    };
    // What the first ones need is not theirs: code, threads, tables.
    load(address, IN_FLIGHT, Until::Numbers(0, count / 10), opens).await?;
    let before = resident()?;
    load(address, IN_FLIGHT, Until::Numbers(0, count), opens).await?;
    Ok(resident()?.saturating_sub(before) / count)
}

/// Opens a session as clients do. Returns its id.
async fn open(client: &mut Client) -> anyhow::Result<String> {
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}});
    let answer = client.send(post(), body(&hello)).await?;
    ensure!(answer.status == StatusCode::OK, "no session: {} {}", answer.status, answer.text()?);
    let id = answer.headers.get("mcp-session-id").context("no id of a session")?.to_str()?.to_owned();
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = client.send(within(&id), body(&ready)).await?;
    ensure!(answer.status == StatusCode::ACCEPTED, "not initialized: {}", answer.status);
    Ok(id)
}

async fn use_once(client: &mut Client, id: &str, number: u64) -> anyhow::Result<()> {
    let customer = format!("cus_{number}");
    let call = json!({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {
        "name": "manage_customers", "arguments": {"action": "get", "customer_id": customer}}});
    let answer = client.send(within(id), body(&call)).await?;
    let text = answer.text()?;
    ensure!(text.contains(&format!("\"customer\":{{\"id\":\"{customer}\"")), "a wrong answer: {text}");
    Ok(())
}

async fn end(client: &mut Client, id: &str) -> anyhow::Result<()> {
    let request =
        Request::delete("/mcp").header("mcp-session-id", id).header("mcp-protocol-version", REVISION);
    let answer = client.send(request, Bytes::new()).await?;
    ensure!(answer.status.is_success(), "a session does not end: {} {}", answer.status, answer.text()?);
    Ok(())
}

fn within(id: &str) -> hyper::http::request::Builder {
    post().header("mcp-session-id", id).header("mcp-protocol-version", REVISION)
}

fn body(message: &Value) -> Bytes {
    message.to_string().into()
}

/// Sessions that are open, as the server's metrics have it.
async fn open_now(address: SocketAddr) -> anyhow::Result<u64> {
    let mut client = Client::connect(address).await?;
    let answer = client.send(Request::get("/metrics"), Bytes::new()).await?;
    let line = answer.text()?.lines().find_map(|line| line.strip_prefix(OPEN_SESSIONS));
    Ok(line.context("the metrics say nothing of sessions")?.trim().parse()?)
}

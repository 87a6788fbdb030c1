//! What grows with the number of calls, sessions, customers, repeat records and waits: the server's memory, and its CPU
//! time for each of them, at each power of ten.
//!
//! `cargo bench --bench growth`, with options after `--` (`-- --help`). With the sizes as they are it takes some
//! minutes; `-- --calls 10000 --sessions 100 --customers 1000 --records 1000 --waits 10` ends sooner.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what a bench is for")]

#[path = "../stand/bare.rs"]
#[expect(dead_code, reason = "the other benches use more of it")]
mod bare;
mod calls;
mod plot;
mod sessions;
#[path = "../stand/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stand;
mod step;
mod upstream;
mod waits;
#[allow(dead_code, reason = "the bench of features uses more of it")]
mod wire;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;
use tokio::net::TcpListener;

use stand::server::Start;
use step::Series;
use upstream::Upstream;

/// The word that makes this binary the bare server.
const BARE: &str = "bare";

/// What grows.
#[derive(Parser)]
struct Options {
    /// Calls; 0 leaves them out, as with every other size
    #[arg(long, default_value_t = 1_000_000)]
    calls: u64,
    /// Sessions: ended ones, and as many abandoned ones
    #[arg(long, default_value_t = 10_000)]
    sessions: u64,
    /// Customers behind `list`
    #[arg(long, default_value_t = 100_000)]
    customers: u64,
    /// Writes, and so records; a server keeps 100000
    #[arg(long, default_value_t = 100_000)]
    records: u64,
    /// Waits at once; a server has room for 1024
    #[arg(long, default_value_t = 1_000)]
    waits: u64,
    /// Wait the ten minutes until the records are forgotten, too
    #[arg(long)]
    until_forgotten: bool,
    /// Where to write the figures
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where to draw them
    #[arg(long)]
    svg: Option<PathBuf>,
    /// The server; without it, the one that is shipped, which is built first
    #[arg(long)]
    server: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(BARE) {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        stand::process::announce(listener.local_addr()?)?;
        return Ok(bare::serve_http(listener).await?);
    }
    let options = Options::parse();
    let server = stand::server::shipped(options.server.clone())?;
    let upstream = Upstream::start().await?;
    let start = Start::new(&server, &upstream.url());
    println!("| what | how many | resident MB | CPU |\n|---|---|---|---|");
    let mut all: Vec<Series> = Vec::new();
    if options.calls > 0 {
        all.push(calls::calls(&start, options.calls).await?);
    }
    let mut idle = None;
    if options.sessions > 0 {
        all.push(sessions::ended(&start, options.sessions).await?);
        all.push(sessions::abandoned(&start, options.sessions).await?);
        idle = Some(sessions::idle(&start, options.sessions).await?);
    }
    if options.customers > 0 {
        all.push(calls::customers(&start, &upstream, options.customers).await?);
    }
    if options.records > 0 {
        all.push(calls::records(&start, options.records, options.until_forgotten).await?);
    }
    if options.waits > 0 {
        all.push(waits::waits(&start, &upstream, options.waits).await?);
    }
    if let Some(path) = &options.json {
        let figures = json!({
            "date": jiff::Timestamp::now().to_string(),
            "version": env!("CARGO_PKG_VERSION"),
            "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            "cores": std::thread::available_parallelism().map_or(1, usize::from),
            "growth": all,
            "bytes_of_an_idle_session": idle,
        });
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    if let Some(path) = &options.svg {
        plot::draw(&all, path).with_context(|| format!("{} cannot be drawn", path.display()))?;
    }
    Ok(())
}

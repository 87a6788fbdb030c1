//! What each feature costs: the server's CPU time a call with it, as a share of the same server's without it.
//!
//! `cargo bench --bench features`, with options after `--` (`-- --help`).
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what a bench is for")]

mod beside;
mod feature;
#[path = "../stand/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stand;
#[path = "../growth/upstream.rs"]
#[expect(dead_code, reason = "the bench of growth uses more of it")]
mod upstream;
#[path = "../growth/wire.rs"]
#[expect(dead_code, reason = "the bench of growth uses more of it")]
mod wire;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;

use beside::{Issuer, Redis};
use feature::{Feature, PLAIN, Place};
use stand::figures::Spread;
use stand::server::HttpServer;
use upstream::Upstream;
use wire::{Call, Until, load};

/// What each feature costs.
#[derive(Parser)]
struct Options {
    /// Rounds; each feature has its turn in each of them
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load for each feature in a round
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Calls in flight
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Only features whose name holds this text, and those that they are compared with; may be given several times
    #[arg(long)]
    only: Vec<String>,
    /// Where to write the figures
    #[arg(long)]
    json: Option<PathBuf>,
    /// The server; without it, the one that is shipped, which is built first
    #[arg(long)]
    server: Option<PathBuf>,
    /// What cargo adds
    #[arg(long, hide = true)]
    bench: bool,
}

/// A server under measurement.
struct Measured {
    feature: Feature,
    server: HttpServer,
    /// CPU seconds a call, round by round.
    rounds: Vec<f64>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let program = stand::server::shipped(options.server.clone())?;
    let folder = tempfile::tempdir()?;
    let (upstream, issuer) = (Upstream::start().await?, Issuer::start().await?);
    let redis = Redis::start(folder.path())
        .inspect_err(|error| println!("no Redis store is measured: {error:#}"))
        .ok();
    let place = Place {
        program,
        upstream: upstream.url(),
        folder: folder.path(),
        issuer: &issuer,
        redis: redis.as_ref(),
    };
    let mut measured = Vec::new();
    for feature in chosen(place.features().await?, &options.only) {
        match feature.start.http(feature.name) {
            Ok(server) => measured.push(Measured { feature, server, rounds: Vec::new() }),
            Err(error) => println!("{} is not measured: {error:#}", feature.name),
        }
    }
    for each in &measured {
        // The first calls open connections and fetch tokens and keys.
        each.cost(options.in_flight, Duration::from_millis(300)).await?;
    }
    for round in 0..options.rounds {
        let count = measured.len();
        for turn in 0..count {
            let at = (round + turn) % count;
            let each = measured.get_mut(at).context("a turn has somebody")?;
            let cost = each.cost(options.in_flight, Duration::from_secs_f64(options.seconds)).await?;
            each.rounds.push(cost);
            each.server.log.empty()?;
        }
    }
    report(&measured, &options)
}

/// The features that were asked for, with those that they stand beside.
fn chosen(mut features: Vec<Feature>, only: &[String]) -> Vec<Feature> {
    if !only.is_empty() {
        let asked = |name: &str| only.iter().any(|text| name.contains(text.as_str()));
        let needed: Vec<&str> =
            features.iter().filter(|feature| asked(feature.name)).map(|feature| feature.beside).collect();
        features.retain(|feature| {
            feature.name.starts_with(PLAIN) || asked(feature.name) || needed.contains(&feature.name)
        });
    }
    features
}

impl Measured {
    /// CPU seconds a call, under load for so long.
    async fn cost(&self, in_flight: usize, time: Duration) -> anyhow::Result<f64> {
        let name = self.feature.name;
        let before = self.server.process.usage()?;
        let token = self.feature.token.clone();
        let calls = load(
            self.server.address,
            in_flight,
            Until::Time(Instant::now() + time),
            move |mut client, number| {
                let token = token.clone();
                async move {
                    client.call(&Call::get(number), token.as_deref()).await?;
                    Ok(client)
                }
            },
        );
        let calls = calls.await.with_context(|| format!("with {name}"))?;
        let used = self.server.process.usage()?.since(&before);
        #[expect(clippy::cast_precision_loss, reason = "calls of some seconds fit")]
        Ok((used.user + used.system).as_secs_f64() / calls.max(1) as f64)
    }
}

fn report(measured: &[Measured], options: &Options) -> anyhow::Result<()> {
    println!(
        "CPU a call (manage_customers get, 2026-07-28, {} in flight, {} rounds of {} s), as a share of the call without the feature in the same round: median [least-most]\n",
        options.in_flight, options.rounds, options.seconds
    );
    println!("| feature | beside | CPU a call | microseconds a call |\n|---|---|---|---|");
    let mut rows = Vec::new();
    for each in measured {
        let Feature { name, beside, .. } = each.feature;
        let base = measured
            .iter()
            .find(|other| other.feature.name == beside)
            .with_context(|| format!("{beside} could not be measured"))?;
        let shares = each.rounds.iter().zip(&base.rounds).map(|(own, base)| own / base);
        let (share, micros) = (Spread::of(shares), each.rounds.iter().map(|cost| cost * 1e6));
        let median = Spread::of(micros.clone()).median;
        println!("| {name} | {beside} | {share} | {median:.0} |");
        rows.push(json!({"feature": name, "beside": beside, "share": share,
            "microseconds": micros.collect::<Vec<_>>()}));
    }
    if let Some(path) = &options.json {
        let figures = json!({"in_flight": options.in_flight, "rounds": options.rounds, "seconds": options.seconds,
            "features": rows});
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    Ok(())
}

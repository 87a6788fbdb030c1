//! What a call costs: the shipped server on each wire, beside a bare passthrough in the same run. `benches/README.md`
//! says how to run it and what the columns mean.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench talks to whoever runs it")]

#[path = "../stand/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stand;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use stand::cases::{Case, Streams, interleave};
use stand::clients::Wire;
use stand::figures::{Round, Spread};
use stand::server::Start;
use stand::upstream::Upstream;

/// What a call costs, on each wire.
#[derive(Parser)]
struct Options {
    /// Calls at once.
    #[arg(long, default_value_t = 64)]
    in_flight: usize,
    /// Rounds; each measures every server once.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load a server and round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long the upstream holds each answer back, in milliseconds.
    #[arg(long, default_value_t = 0)]
    delay: u64,
    /// The server to measure.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_fintecture-mcp"))]
    server: PathBuf,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    if let Some(code) = stand::play() {
        return code;
    }
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    let upstream = Upstream::start(options.delay)?;
    let start = Start::new(&options.server, &upstream.url());
    stand::load::runtime()?.block_on(async {
        let cases = [
            Case::passthrough("passthrough", &upstream)?,
            Case::straight("straight to the upstream", &upstream),
            Case::server(Wire::Stateless, start.http("2026-07-28")?),
            Case::server(Wire::Rest, start.http("REST")?),
            Case::server(Wire::Session, start.http("2025-11-25 session")?),
            Case::passthrough("passthrough again", &upstream)?,
            Case::server(Wire::LegacySse, start.http("legacy SSE")?),
            Case::stdio("stdio, pipes", &start, Streams::Pipes).await?,
            Case::stdio("stdio, sockets", &start, Streams::Sockets).await?,
        ];
        let time = Duration::from_secs_f64(options.seconds);
        let rounds = interleave(&cases, options.in_flight, options.rounds, time).await?;
        let Some(limit) = rounds.first() else { return Ok(()) };
        for (case, rounds) in cases.iter().zip(&rounds) {
            let of = |figure: fn(&Round) -> f64| Spread::of(rounds.iter().map(figure)).median;
            println!(
                "{:26} {:>8.0}/s {:24} {:>6.1} us {:24} p50 {:>6.0} us p99 {:>6.0} us {:>6.1} MB",
                case.name,
                of(|round| round.rate),
                Spread::of_ratios(rounds, limit, |round| round.rate).to_string(),
                of(Round::cpu_us),
                Spread::of_ratios(rounds, limit, Round::cpu_us).to_string(),
                of(|round| round.p50_us),
                of(|round| round.p99_us),
                of(|round| round.resident_mb),
            );
        }
        Ok(())
    })
}

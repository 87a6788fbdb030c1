//! What a call costs: the shipped server on each wire, beside a bare passthrough in the same run. `benches/README.md`
//! says how to run it and what the columns mean.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench talks to whoever runs it")]

mod chart;
mod floors;
mod machine;
mod measure;
mod options;
mod readme;
mod report;
#[path = "../stand/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
mod stand;
mod table;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use machine::Machine;
use options::Options;
use report::Report;

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
    let report = match &options.from {
        Some(file) => read(file)?,
        None => measured(options)?,
    };
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| file.display().to_string())?;
    }
    if let Some(file) = &options.svg {
        chart::draw(file, &report)?;
    }
    if let Some(file) = &options.readme {
        readme::rewrite(file, &report, options.svg.as_deref())?;
    }
    Ok(())
}

fn read(file: &std::path::Path) -> anyhow::Result<Report> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let report: Report = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    report.runs.iter().for_each(|run| println!("{}", table::of(&report, run)));
    Ok(report)
}

/// Measures, and shows each table as soon as it is there.
fn measured(options: &Options) -> anyhow::Result<Report> {
    let server = stand::server::shipped(options.server.clone())?;
    let machine = Machine::here(&server)?;
    let mut report = Report { machine, seconds: options.seconds, rounds: options.rounds, runs: Vec::new() };
    let runtime = stand::load::runtime()?;
    for setting in options.settings() {
        let run = runtime.block_on(measure::run(options, &server, setting))?;
        println!("{}", table::of(&report, &run));
        report.runs.push(run);
    }
    Ok(report)
}

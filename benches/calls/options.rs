//! What can be chosen.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What a call costs: the shipped server on each wire, beside a bare passthrough in the same run.
#[derive(Debug, Parser)]
pub(crate) struct Options {
    /// What to measure beside the passthrough; without it, everything.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) wires: Vec<Subject>,
    /// Calls at once; each number is a table of its own. Without it, 16 and 64.
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) in_flight: Vec<u16>,
    /// How long the upstream holds each answer back, in milliseconds; each number is a table of its own.
    /// Without it, 0; and 20 at the greatest number of calls at once.
    #[arg(long, value_delimiter = ',')]
    pub(crate) delay: Vec<u64>,
    /// Rounds; in each, every server is measured once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) rounds: u16,
    /// Seconds of load a server and round, after a tenth of that to warm up.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Every wire, 1, 16, 64 and 256 calls at once, and both delays: about a quarter of an hour.
    #[arg(long, conflicts_with_all = ["wires", "in_flight", "delay"])]
    pub(crate) all: bool,
    /// Writes the figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draws the figures at 64 calls at once (stdio: 16) without delay into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Puts the tables between the two marks in this Markdown file.
    #[arg(long, value_name = "FILE")]
    pub(crate) readme: Option<PathBuf>,
    /// Measures nothing: tells of the figures that `--json` wrote to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The server to measure; without it, the one that is shipped, which is built first.
    #[arg(long, value_name = "BINARY")]
    pub(crate) server: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured beside the passthrough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The upstream, asked by the client itself.
    Straight,
    /// nginx as reverse proxy before the upstream, where it is installed.
    Nginx,
    /// The server over Streamable HTTP of 2026-07-28.
    #[value(name = "2026-07-28")]
    Stateless,
    /// The server over sessions of Streamable HTTP of 2025-11-25.
    #[value(name = "session")]
    Session,
    /// The same, with calls that ask for progress: each is a stream, as those are that ask or wait.
    #[value(name = "watched")]
    Watched,
    /// The server over legacy SSE.
    #[value(name = "legacy-sse")]
    LegacySse,
    /// The server over REST.
    Rest,
    /// The server on standard streams that are pipes.
    Pipes,
    /// The server on standard streams that are socket pairs.
    Sockets,
}

impl Subject {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Straight => "straight to the upstream",
            Self::Nginx => "nginx",
            Self::Stateless => "2026-07-28",
            Self::Session => "2025-11-25 session",
            Self::Watched => "2025-11-25 session, watched",
            Self::LegacySse => "legacy SSE",
            Self::Rest => "REST",
            Self::Pipes => "stdio, pipes",
            Self::Sockets => "stdio, sockets",
        }
    }

    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|subject| subject.name() == name)
    }
}

/// What one table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    /// How long the upstream holds each answer back, in milliseconds.
    pub(crate) delay: u64,
    /// Calls at once.
    pub(crate) in_flight: u16,
}

impl Options {
    /// What is measured beside the passthrough.
    pub(crate) fn subjects(&self) -> Vec<Subject> {
        if self.wires.is_empty() { Subject::value_variants().to_vec() } else { self.wires.clone() }
    }

    /// The tables, in their order.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let given =
            |given: &[u16], default: &[u16]| if given.is_empty() { default.to_vec() } else { given.to_vec() };
        let in_flight = given(&self.in_flight, if self.all { &[1, 16, 64, 256] } else { &[16, 64] });
        let with = |delay: u64| in_flight.iter().map(move |&in_flight| Setting { delay, in_flight });
        if self.all {
            return [0, 20].into_iter().flat_map(with).collect();
        }
        if !self.delay.is_empty() {
            return self.delay.iter().copied().flat_map(with).collect();
        }
        let most = in_flight.iter().copied().max().map(|in_flight| Setting { delay: 20, in_flight });
        with(0).chain(most).collect()
    }
}

//! The clients of each wire. A lane makes calls for a time, and holds every answer against its request: the id, the
//! customer, and that it is no error. The first wrong one ends the bench.

mod answers;
mod http;
mod legacy_sse;
mod requests;
mod session;
mod stdio;

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::bail;
use hdrhistogram::Histogram;

pub use http::HttpLane;
pub use legacy_sse::LegacySseLane;
pub use stdio::StdioLane;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// A GET of the upstream's own address.
    Get,
    /// JSON-RPC to the bare passthrough.
    Passthrough,
    /// Streamable HTTP of 2026-07-28, which has no sessions.
    Stateless,
    /// Streamable HTTP of 2025-11-25, a session a lane.
    Session,
    /// The same, with calls whose clients want to hear how far they are: each is a stream, as those are that ask or wait.
    Watched,
    /// HTTP+SSE of 2024-11-05, a session a lane.
    LegacySse,
    /// `POST /v1/tools/{tool}`.
    Rest,
    /// Standard input and output, with one client.
    Stdio,
}

/// What a lane has done.
pub struct Tally {
    /// Time of each call, in microseconds.
    pub latency: Histogram<u64>,
    /// Calls that were answered.
    pub calls: u64,
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { latency: Histogram::new(3)?, calls: 0 })
    }

    /// Counts a call that began then.
    pub fn count(&mut self, begin: Instant) -> anyhow::Result<()> {
        self.latency.record(u64::try_from(begin.elapsed().as_micros())?)?;
        self.calls += 1;
        Ok(())
    }

    /// Counts what another lane did.
    pub fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.latency.add(&other.latency)?;
        self.calls += other.calls;
        Ok(())
    }
}

/// A client.
pub enum Lane {
    /// Requests over HTTP, one after the other.
    Http(Box<HttpLane>),
    /// A session of legacy SSE, with one call after the other.
    LegacySse(Box<LegacySseLane>),
    /// Standard input and output, with several calls at once.
    Stdio(Box<StdioLane>),
}

impl Lane {
    /// Opens the lane with this index over HTTP.
    pub async fn open(wire: Wire, address: SocketAddr, lane: usize) -> anyhow::Result<Self> {
        Ok(match wire {
            Wire::Stdio => bail!("standard input and output have no address"),
            Wire::LegacySse => Self::LegacySse(Box::new(LegacySseLane::open(address, lane).await?)),
            _ => Self::Http(Box::new(HttpLane::open(wire, address, lane).await?)),
        })
    }

    /// Makes calls until then, and awaits the last of them.
    pub async fn run(&mut self, until: Instant, tally: &mut Tally) -> anyhow::Result<()> {
        match self {
            Self::Http(lane) => lane.run(until, tally).await,
            Self::LegacySse(lane) => lane.run(until, tally).await,
            Self::Stdio(lane) => lane.run(until, tally).await,
        }
    }

    /// Ends what the server keeps for it beyond its connection.
    pub async fn close(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Http(lane) => lane.close().await,
            // Its session ends with its event stream.
            Self::LegacySse(_) | Self::Stdio(_) => Ok(()),
        }
    }
}

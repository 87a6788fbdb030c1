//! Cases: servers that are measured beside each other.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context;
use tokio::process::{ChildStdin, ChildStdout};

use super::clients::{Lane, StdioLane, Wire};
use super::figures::Round;
use super::load;
use super::passthrough;
use super::process::{Part, Running, Usage};
use super::server::{HttpServer, Log, Start};
use super::upstream::Upstream;

/// One server, spoken to in one way.
pub struct Case {
    /// Its name in tables.
    pub name: String,
    /// How it is spoken to.
    pub wire: Wire,
    process: Rc<Running>,
    way: Way,
    log: Option<Log>,
}

/// How lanes come to it.
enum Way {
    /// As many as are wanted.
    Address(SocketAddr),
    /// The one that there is, while it is not in use.
    Stdio(RefCell<Option<Box<StdioLane>>>),
}

/// What the standard streams of a server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// Two pipes, as clients in Python hand over.
    Pipes,
    /// Two socket pairs, as clients in Node hand over.
    Sockets,
}

impl Case {
    /// The bare passthrough before this upstream.
    pub fn passthrough(name: &str, upstream: &Upstream) -> anyhow::Result<Self> {
        Ok(Self::part(name, Wire::Passthrough, &passthrough::start(name, &upstream.url())?))
    }

    /// The upstream itself.
    pub fn straight(name: &str, upstream: &Upstream) -> Self {
        Self::part(name, Wire::Get, &upstream.part)
    }

    /// Any process that listens.
    pub fn part(name: &str, wire: Wire, part: &Part) -> Self {
        let (process, way) = (Rc::clone(&part.process), Way::Address(part.address));
        Self { name: name.to_owned(), wire, process, way, log: None }
    }

    /// A server that runs.
    pub fn server(wire: Wire, server: HttpServer) -> Self {
        let HttpServer { process, address, log } = server;
        let (name, way) = (process.name().to_owned(), Way::Address(address));
        Self { name, wire, process: Rc::new(process), way, log: Some(log) }
    }

    /// Starts a server on standard streams of this kind.
    pub async fn stdio(name: &str, start: &Start, streams: Streams) -> anyhow::Result<Self> {
        let (process, log, lane) = match streams {
            Streams::Pipes => {
                let (mut process, log) = start.stdio(name, Stdio::piped(), Stdio::piped())?;
                let child = process.child();
                let (input, output) =
                    child.stdin.take().zip(child.stdout.take()).context("streams are pipes")?;
                let (input, output) = (ChildStdin::from_std(input)?, ChildStdout::from_std(output)?);
                (process, log, StdioLane::open(input, output).await?)
            }
            Streams::Sockets => {
                let ((input, its_input), (output, its_output)) = (UnixStream::pair()?, UnixStream::pair()?);
                let (its_input, its_output) = (OwnedFd::from(its_input), OwnedFd::from(its_output));
                let (process, log) = start.stdio(name, its_input.into(), its_output.into())?;
                (process, log, StdioLane::open(watched(input)?, watched(output)?).await?)
            }
        };
        let way = Way::Stdio(RefCell::new(Some(Box::new(lane))));
        Ok(Self { name: name.to_owned(), wire: Wire::Stdio, process: Rc::new(process), way, log: Some(log) })
    }

    /// Puts it under load once: a tenth of the time to warm up, then the time that counts.
    pub async fn round(&self, in_flight: usize, time: Duration) -> anyhow::Result<Round> {
        let measure = async {
            let lanes = self.open(in_flight).await?;
            let warm = load::run(lanes, time / 10).await?;
            let before = self.process.usage()?;
            let load = load::run(warm.lanes, time).await?;
            let used = self.process.usage()?.since(&before);
            self.close(load.lanes).await?;
            if let Some(log) = &self.log {
                log.empty()?;
            }
            anyhow::Ok(Round::new(&load.tally, load.time, &used))
        };
        measure.await.with_context(|| self.name.clone())
    }

    /// What its process has used so far.
    pub fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }

    async fn open(&self, in_flight: usize) -> anyhow::Result<Vec<Lane>> {
        match &self.way {
            Way::Stdio(lane) => {
                let mut lane = lane.take().context("standard streams are in use")?;
                lane.keep_in_flight(in_flight);
                Ok(vec![Lane::Stdio(lane)])
            }
            Way::Address(address) => {
                let mut lanes = Vec::with_capacity(in_flight);
                for lane in 0..in_flight {
                    lanes.push(Lane::open(self.wire, *address, lane).await?);
                }
                Ok(lanes)
            }
        }
    }

    async fn close(&self, lanes: Vec<Lane>) -> anyhow::Result<()> {
        for mut lane in lanes {
            lane.close().await?;
            if let (Way::Stdio(place), Lane::Stdio(lane)) = (&self.way, lane) {
                place.replace(Some(lane));
            }
        }
        Ok(())
    }
}

/// A socket that the runtime watches.
fn watched(socket: UnixStream) -> anyhow::Result<tokio::net::UnixStream> {
    socket.set_nonblocking(true)?;
    Ok(tokio::net::UnixStream::from_std(socket)?)
}

/// Puts each case under load, one after the other, in rounds; each round begins with another one. Returns the rounds of
/// each case, in its place.
pub async fn interleave(
    cases: &[Case],
    in_flight: usize,
    rounds: usize,
    time: Duration,
) -> anyhow::Result<Vec<Vec<Round>>> {
    let mut figures: Vec<Vec<Round>> = cases.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for round in 0..rounds {
        let order = (0..cases.len()).map(|place| (place + round) % cases.len());
        for place in order {
            if let (Some(case), Some(figures)) = (cases.get(place), figures.get_mut(place)) {
                figures.push(case.round(in_flight, time).await?);
            }
        }
    }
    Ok(figures)
}

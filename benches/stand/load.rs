//! Load: lanes that make calls at the same time, for a time.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use super::clients::{Lane, Tally};

/// How long the last answers may take once no more calls are made: a call whose answer never comes fails the bench.
const PATIENCE: Duration = Duration::from_mins(1);

/// A runtime for the clients. It shares the cores with the servers, so it is kept small.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(super::threads()).enable_all().build()
}

/// What came of a time under load.
pub struct Load {
    /// The lanes, for more of it.
    pub lanes: Vec<Lane>,
    /// What they did, together.
    pub tally: Tally,
    /// From the first request to the last answer.
    pub time: Duration,
}

/// Lets every lane make calls for this time, and awaits the last answer of each. Fails at the first wrong answer.
pub async fn run(lanes: Vec<Lane>, time: Duration) -> anyhow::Result<Load> {
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for mut lane in lanes {
        tasks.spawn(async move {
            let mut tally = Tally::new()?;
            lane.run(begin + time, &mut tally).await?;
            anyhow::Ok((lane, tally))
        });
    }
    let (mut lanes, mut tally) = (Vec::with_capacity(tasks.len()), Tally::new()?);
    while let Some(ended) =
        tokio::time::timeout(time + PATIENCE, tasks.join_next()).await.context("no answer")?
    {
        let (lane, did) = ended??;
        tally.add(&did)?;
        lanes.push(lane);
    }
    Ok(Load { lanes, tally, time: begin.elapsed() })
}

//! Calls that wait for a verdict, more and more at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::stand::server::Start;
use super::step::{Grown, Series, each, megabytes, sizes};
use super::upstream::Upstream;
use super::wire::{Call, Client};

/// Longest time until all of them wait.
const BEGINNING: Duration = Duration::from_secs(3);
/// For so long it is looked at what they cost, in seconds.
const WATCHED: u64 = 10;

/// Waits for verifications of their own, which are all decided in the end.
pub(crate) async fn waits(start: &Start, upstream: &Upstream, most: u64) -> anyhow::Result<Series> {
    let (server, mut series) = (Grown::start(start)?, Series::new("waits", "µs for a second of a wait"));
    let before = server.resident()?;
    for size in sizes(most) {
        upstream.world.is_decided.store(false, Ordering::Relaxed);
        let mut waiting = JoinSet::new();
        for number in 0..size {
            let address = server.0.address;
            waiting.spawn(async move {
                let arguments = json!({"action": "get", "customer_id": "cus_1", "wait_seconds": 45,
                    "verification_id": format!("ver_{size}_{number}")});
                let wants = "\"status\":\"verified\"".to_owned();
                let call = Call::new(number, "verify_identity", &arguments, wants);
                Client::connect(address).await?.call(&call, None).await.map(|_| ())
            });
        }
        sleep(BEGINNING).await;
        let (cpu, asked) = (server.cpu()?, upstream.world.requests.load(Ordering::Relaxed));
        sleep(Duration::from_secs(WATCHED)).await;
        let used = server.cpu()? - cpu;
        let asked = upstream.world.requests.load(Ordering::Relaxed) - asked;
        let (resident, held) = (server.resident()?, waiting.len() as u64);
        upstream.world.is_decided.store(true, Ordering::Relaxed);
        while let Some(wait) = waiting.join_next().await {
            wait??;
        }
        ensure!(held == size, "only {held} of {size} calls waited");
        series.add(size, resident, each(used, size * WATCHED));
        series.note(format!("{size} waits asked the upstream {asked} times in {WATCHED} s"));
    }
    let after = server.resident()?;
    series.note(format!(
        "{:.1} MB resident before the first wait, {:.1} MB after the last",
        megabytes(before),
        megabytes(after)
    ));
    Ok(series)
}

//! Calls, customers behind `list`, and repeat records: one server each, and more and more of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::stand::server::Start;
use super::step::{Grown, Series, each, megabytes, sizes};
use super::upstream::Upstream;
use super::wire::{Call, Client, Until, load};

/// Calls at once.
const IN_FLIGHT: usize = 64;
/// Calls after which the server's log is emptied.
const LOG_CALLS: u64 = 50_000;
/// Entries of a page.
const PAGE: u64 = 100;
/// Pages that are read at least for one figure.
const PAGES: u64 = 1_000;
/// Records that a server keeps at most.
const MOST_RECORDS: u64 = 100_000;
/// As long as a record is kept, and a little more.
const FORGOTTEN: Duration = Duration::from_secs(605);
/// What a server may have resident after a million calls, in bytes.
const GOAL: u64 = 30_000_000;

/// The same call, more and more often.
pub(crate) async fn calls(start: &Start, most: u64) -> anyhow::Result<Series> {
    let (server, mut series) = (Grown::start(start)?, Series::new("calls", "µs a call"));
    let mut before = 0;
    for size in sizes(most) {
        let cpu = server.cpu()?;
        let mut first = before;
        while first < size {
            let last = size.min(first + LOG_CALLS);
            load(
                server.0.address,
                IN_FLIGHT,
                Until::Numbers(first, last),
                async |mut client: Client, number| {
                    client.call(&Call::get(number), None).await?;
                    Ok(client)
                },
            )
            .await?;
            server.0.log.empty()?;
            first = last;
        }
        series.add(size, server.resident()?, each(server.cpu()? - cpu, size - before));
        before = size;
    }
    let resident = server.resident()?;
    if most >= 1_000_000 {
        let is_met = if resident <= GOAL { "met" } else { "NOT met" };
        series.note(format!("at most {:.0} MB: {is_met}", megabytes(GOAL)));
    }
    Ok(series)
}

/// All pages of more and more customers.
pub(crate) async fn customers(start: &Start, upstream: &Upstream, most: u64) -> anyhow::Result<Series> {
    let (server, mut series) = (Grown::start(start)?, Series::new("customers behind list", "µs a page"));
    for size in sizes(most) {
        upstream.world.customers.store(size, Ordering::Relaxed);
        let (pages, seen) = (size.div_ceil(PAGE), Arc::new(AtomicU64::new(0)));
        let rounds = PAGES.div_ceil(pages);
        let cpu = server.cpu()?;
        let count = Arc::clone(&seen);
        let read = load(
            server.0.address,
            IN_FLIGHT,
            Until::Numbers(0, rounds * pages),
            move |mut client, number| {
                let count = Arc::clone(&count);
                async move {
                    let page = number % pages + 1;
                    let arguments = json!({"action": "list", "page": page, "page_size": PAGE});
                    let wants = format!("\"page\":{{\"number\":{page},");
                    let answer =
                        client.call(&Call::new(number, "manage_customers", &arguments, wants), None).await?;
                    count.fetch_add(
                        answer.text()?.matches("{\"id\":\"cus_").count() as u64,
                        Ordering::Relaxed,
                    );
                    Ok(client)
                }
            },
        );
        let read = read.await?;
        let seen = seen.load(Ordering::Relaxed);
        ensure!(seen == rounds * size, "{seen} customers were on the pages of {rounds} times {size}");
        series.add(size, server.resident()?, each(server.cpu()? - cpu, read));
        server.0.log.empty()?;
    }
    Ok(series)
}

/// Writes, each of which leaves a record of its outcome.
pub(crate) async fn records(start: &Start, most: u64, waits: bool) -> anyhow::Result<Series> {
    let (server, mut series) = (Grown::start(start)?, Series::new("repeat records", "µs a write"));
    let most = most.min(MOST_RECORDS);
    let mut before = 0;
    for size in sizes(most) {
        let cpu = server.cpu()?;
        load(
            server.0.address,
            IN_FLIGHT,
            Until::Numbers(before, size),
            async |mut client: Client, number| {
                client.call(&create(number, "\"structuredContent\":{\"action\":\"create\""), None).await?;
                Ok(client)
            },
        )
        .await?;
        series.add(size, server.resident()?, each(server.cpu()? - cpu, size - before));
        server.0.log.empty()?;
        before = size;
    }
    let mut client = Client::connect(server.0.address).await?;
    client.call(&create(0, "\"repeated\":true"), None).await.context("the first write, once more")?;
    series.note("the first write, sent once more, was answered from its record".to_owned());
    if most == MOST_RECORDS {
        client.call(&create(most, "\"kind\":\"rate_limited\""), None).await.context("one write too many")?;
        series.note(format!("beyond {MOST_RECORDS} records a write is refused"));
    }
    if waits {
        tokio::time::sleep(FORGOTTEN).await;
        let mut client = Client::connect(server.0.address).await?;
        client.call(&create(most + 1, "\"structuredContent\":{\"action\":\"create\""), None).await?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        series.note(format!("{:.1} MB resident once they are forgotten", megabytes(server.resident()?)));
    }
    Ok(series)
}

fn create(number: u64, wants: &str) -> Call {
    let arguments = json!({"action": "create", "first_name": "Ada", "last_name": "Byron",
        "email": format!("ada.{number}@example.com")});
    Call::new(number, "manage_customers", &arguments, wants.to_owned())
}

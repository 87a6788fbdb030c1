//! A line of the audit trail: from the call to where it stands in the file, chained to the one before. Where many wait,
//! one write takes them all.

use divan::Bencher;
use divan::counter::ItemsCount;
use fintecture_mcp::audit::{CameTo, Event, Facts, Subject, Targets, Trail};
use futures_util::future::join_all;
use tokio::runtime::Runtime;

/// A read, as it is put on record.
fn read() -> Event {
    Event::Call {
        subject: Subject {
            principal: "local".to_owned(),
            client: Some("bench 1".to_owned()),
            face: "mcp",
            tool: "manage_customers".to_owned(),
            action: Some("get"),
            targets: Targets {
                customer_id: Some("3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned()),
                ..Targets::default()
            },
            arguments: "0123456789abcdef".repeat(4),
        },
        result: CameTo {
            outcome: "success".to_owned(),
            effect: None,
            repeated: false,
            request_id: Some("5ca0d4cf-8a3e-4b4c-9d3f-0e6a53b6f2a1".to_owned()),
            milliseconds: 1,
        },
    }
}

/// Until so many lines are written that were handed over at once.
#[divan::bench(args = [1, 64])]
fn written(bencher: Bencher<'_, '_>, lines: usize) {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts::new("sandbox", std::iter::empty());
    let trail = Trail::open(&folder.path().join("audit.jsonl"), None, facts).unwrap();
    let (runtime, event) = (Runtime::new().unwrap(), read());
    bencher.counter(ItemsCount::new(lines)).bench_local(|| {
        let written = join_all((0..lines).map(|_| trail.record(&event, false)));
        for line in runtime.block_on(written) {
            line.unwrap();
        }
    });
    runtime.block_on(trail.close());
}

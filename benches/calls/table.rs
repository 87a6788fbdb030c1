//! The tables: Markdown that can be read as it is.

use std::fmt::Write as _;

use crate::floors::Floor;
use crate::measure::AGAIN;
use crate::options::Subject;
use crate::report::{Entry, Report, Run};

const HEAD: [&str; 8] =
    ["", "calls/s", "rate", "CPU µs (user + system)", "CPU", "p50 ms", "p99 ms", "memory MB"];

/// A table of this run, with what is said about it.
pub(crate) fn of(report: &Report, run: &Run) -> String {
    let mut text = format!("Upstream {} ms, {} at once", run.delay_ms, run.in_flight);
    let _ = write!(text, ", {} × {} s", report.rounds, report.seconds);
    if let Some(again) = run.entries.iter().find(|entry| entry.name == AGAIN) {
        let noise = if run.is_quiet() { "quiet" } else { "noisy, so that these figures do not count" };
        let (rate, cpu) = (again.rate_ratio, again.cpu_ratio);
        let _ = write!(text, " ({noise}: the passthrough against itself has rate {rate}, CPU {cpu})");
    }
    text.push_str(":\n\n");
    let has_floors = run.entries.iter().any(|entry| Floor::of(run, entry).is_some());
    let mut head: Vec<String> = HEAD.map(str::to_owned).to_vec();
    head.extend(has_floors.then(|| "held to".to_owned()));
    let mut rows = vec![head];
    for entry in &run.entries {
        let mut row = cells(entry);
        row.extend(has_floors.then(|| held(run, entry)));
        rows.push(row);
    }
    text.push_str(&aligned(&rows));
    for missing in &run.missing {
        let _ = write!(text, "\nLeft out, since it did not start: {}: {}\n", missing.name, missing.reason);
    }
    text
}

fn cells(entry: &Entry) -> Vec<String> {
    let (user, system) = (entry.user_us.median, entry.system_us.median);
    let name = match Subject::named(&entry.name) {
        Some(Subject::Straight) => format!("{} (CPU: its own)", entry.name),
        _ => entry.name.clone(),
    };
    vec![
        name,
        format!("{:.0}", entry.rate.median),
        entry.rate_ratio.to_string(),
        format!("{:.1} ({user:.1} + {system:.1})", user + system),
        entry.cpu_ratio.to_string(),
        format!("{:.2}", entry.p50_us.median / 1e3),
        format!("{:.2} ({:.2})", entry.p99_us.median / 1e3, entry.p99_ratio.median),
        format!("{:.1}", entry.resident_mb),
    ]
}

fn held(run: &Run, entry: &Entry) -> String {
    match Floor::of(run, entry) {
        None => String::new(),
        Some(floor) if floor.holds(entry) => format!("{floor}: yes"),
        Some(floor) => format!("{floor}: **no**"),
    }
}

/// A Markdown table whose columns stand below each other; the first row is its head.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (cell, &width) in row.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

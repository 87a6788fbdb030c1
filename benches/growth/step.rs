//! What is written down at each power of ten, and by which numbers it goes.

use anyhow::Context as _;
use procfs::process::Process;
use serde::Serialize;

use super::stand::process::Running;
use super::stand::server::{HttpServer, Start};

/// What something costs as it grows.
#[derive(Serialize)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    /// Of what the CPU time is told.
    pub(crate) unit: &'static str,
    pub(crate) points: Vec<Point>,
    /// What was seen beside the figures.
    pub(crate) notes: Vec<String>,
}

/// The figures at one size.
#[derive(Serialize)]
pub(crate) struct Point {
    pub(crate) size: u64,
    /// Resident memory, in bytes.
    pub(crate) resident: u64,
    /// CPU time of the server for one unit since the size before, in microseconds.
    pub(crate) cpu: f64,
}

impl Series {
    pub(crate) fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name, unit, points: Vec::new(), notes: Vec::new() }
    }

    /// Writes a size down, and says so.
    pub(crate) fn add(&mut self, size: u64, resident: u64, cpu: f64) {
        println!("| {} | {size} | {:.1} | {cpu:.1} {} |", self.name, megabytes(resident), self.unit);
        self.points.push(Point { size, resident, cpu });
    }

    pub(crate) fn note(&mut self, text: String) {
        println!("  {text}");
        self.notes.push(text);
    }
}

/// Bytes as megabytes.
#[expect(clippy::cast_precision_loss, reason = "memory of one process fits")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The powers of ten up to this size, four at most, and the size itself.
pub(crate) fn sizes(most: u64) -> Vec<u64> {
    let powers = (1..).map_while(|power| 10_u64.checked_pow(power)).take_while(|size| *size < most);
    let mut sizes: Vec<u64> = powers.filter(|size| *size >= most / 1000).collect();
    sizes.push(most);
    sizes
}

/// A server whose costs are told.
pub(crate) struct Grown(pub(crate) HttpServer);

impl Grown {
    pub(crate) fn start(start: &Start) -> anyhow::Result<Self> {
        Ok(Self(start.http("the server")?))
    }

    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        resident(&self.0.process)
    }

    /// CPU time so far, in nanoseconds: ticks are too long for a few calls. Its threads stay as long as it does.
    pub(crate) fn cpu(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for task in process(&self.0.process)?.tasks()? {
            sum += task?.schedstat()?.sum_exec_runtime;
        }
        Ok(sum)
    }
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(process: &Running) -> anyhow::Result<u64> {
    Ok(process.usage()?.resident)
}

fn process(running: &Running) -> anyhow::Result<Process> {
    Process::new(running.id()?).with_context(|| format!("{} has ended", running.name()))
}

/// Nanoseconds for each of so many, in microseconds.
#[expect(clippy::cast_precision_loss, reason = "a bench's time and numbers fit")]
pub(crate) fn each(nanoseconds: u64, many: u64) -> f64 {
    nanoseconds as f64 / 1e3 / many.max(1) as f64
}

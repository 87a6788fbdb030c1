//! Metrics, in Prometheus' text. They are recorded in this process and rendered for whoever asks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use crate::measures;

/// Pause between two times that recorded durations are put into their buckets, so that they do not pile up where
/// nobody asks.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What is recorded. Cloning it clones a pointer.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<PrometheusHandle>);

impl Metrics {
    /// Records from now on.
    ///
    /// # Errors
    /// Where somebody records already.
    pub(crate) fn record(environment: &'static str) -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new().set_buckets(&measures::BUCKETS)?.install_recorder()?;
        measures::describe();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        measures::started(env!("CARGO_PKG_VERSION"), environment, now);
        Ok(Self(Arc::new(handle)))
    }

    /// Keeps memory bounded where nobody asks. Never ends.
    pub(crate) async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            self.0.run_upkeep();
        }
    }

    /// Everything that is recorded, with the head of the audit trail where there is one.
    pub(crate) fn render(&self, audit_head: Option<&(u64, String)>) -> String {
        measures::process(resident_bytes(), open_files());
        let mut text = self.0.render();
        if let Some(head) = audit_head {
            text.push_str(&measures::audit_head(head));
        }
        text
    }
}

/// Memory of this process, as Linux tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// Files and sockets that are open, as Linux tells it. The folder that is read for this is one of them.
fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1))
}

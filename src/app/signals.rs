//! What the process does on a signal: end, or read its secrets again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::calls::approvals::Approvals;
use crate::fintecture::Fintecture;
use crate::store::Store;
use crate::telemetry;
use crate::transports::Tls;

/// How long the same signal may still come by another way: from the terminal, and from who started this process.
const ECHO: Duration = Duration::from_millis(300);

/// Cancelled by SIGTERM and SIGINT.
pub(super) fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).context("cannot listen for signals")?;
        let token = token.clone();
        tokio::spawn(async move {
            signals.recv().await;
            tracing::info!("stopping: calls in flight are answered first; a second signal ends at once");
            token.cancel();
            let first = Instant::now();
            while signals.recv().await.is_some() {
                if first.elapsed() > ECHO {
                    let _ = telemetry::flush();
                    std::process::exit(1);
                }
            }
        });
    }
    Ok(token)
}

/// What SIGHUP reads again: secrets, tokens, certificates.
pub(super) struct Reloaded {
    pub(super) fintecture: Arc<Fintecture>,
    pub(super) approvals: Arc<Approvals>,
    pub(super) access: Access,
    pub(super) store: Store,
    pub(super) tls: Option<Arc<Tls>>,
}

impl Reloaded {
    /// Reads it at every SIGHUP from now on.
    pub(super) fn on_hangup(self) -> anyhow::Result<()> {
        let mut hangups = signal(SignalKind::hangup()).context("cannot listen for signals")?;
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                self.fintecture.reload_secrets();
                self.approvals.reload_code();
                self.access.reload();
                self.store.reload();
                if let Some(tls) = &self.tls {
                    tls.reload();
                }
            }
        });
        Ok(())
    }
}

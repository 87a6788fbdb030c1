//! What the process does on a signal: end, or read its secrets again.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::calls::approvals::Approvals;
use crate::fintecture::Fintecture;
use crate::transports::Tls;

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
            signals.recv().await;
            std::process::exit(1);
        });
    }
    Ok(token)
}

/// SIGHUP reads the files of secrets and certificates again.
pub(super) fn reload_on_hangup(
    fintecture: Arc<Fintecture>,
    approvals: Arc<Approvals>,
    tls: Option<Arc<Tls>>,
) -> anyhow::Result<()> {
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            fintecture.reload_secrets();
            approvals.reload_code();
            if let Some(tls) = &tls {
                tls.reload();
            }
        }
    });
    Ok(())
}

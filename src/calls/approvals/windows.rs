//! Windows of the person's browser, opened with a key.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::{ApprovalId, Approvals, Phase};

/// How long the first window of the person's browser has to bring a proof back before one more is opened.
const SECOND_WINDOW_AFTER: Duration = Duration::from_secs(30);

impl Approvals {
    /// Opens the person's browser, and once more when no proof has come back after a while.
    pub(super) fn bring(self: &Arc<Self>, id: &ApprovalId) {
        let Some(mut changed) = self.open_window(id) else { return };
        let (approvals, id) = (Arc::downgrade(self), id.clone());
        let late = sleep(SECOND_WINDOW_AFTER);
        tokio::spawn(async move {
            tokio::pin!(late);
            loop {
                tokio::select! {
                    () = &mut late => break,
                    // The approval is gone where nobody is left to tell of changes.
                    gone = changed.changed() => if gone.is_err() { return },
                }
                if !approvals.upgrade().is_some_and(|approvals| approvals.wants_window(&id)) {
                    return;
                }
            }
            if let Some(approvals) = approvals.upgrade() {
                approvals.open_window(&id);
            }
        });
    }

    /// Whether a window of the person's browser would still help.
    fn wants_window(&self, id: &ApprovalId) -> bool {
        let mut store = self.lock();
        let record = store.get(id, Instant::now());
        record.is_some_and(|record| record.phase == Phase::Waiting && !record.proofs.seen)
    }

    /// Opens the person's browser with a new key; gives what tells of changes.
    fn open_window(&self, id: &ApprovalId) -> Option<watch::Receiver<()>> {
        let (address, changed) = {
            let now = Instant::now();
            let mut store = self.lock();
            let record = store.get(id, now).filter(|record| record.phase == Phase::Waiting)?;
            if record.proofs.seen {
                return None;
            }
            let key = record.proofs.key(now)?;
            (format!("{}?key={key}", record.ticket.url), record.changed.subscribe())
        };
        self.desk.open(&address);
        Some(changed)
    }
}

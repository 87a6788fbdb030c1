//! Windows of the person's browser, opened with a key.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::record::Record;
use super::{ApprovalId, Approvals};

/// How long the first window of the person's browser has to bring a proof back before one more is opened.
const SECOND_WINDOW_AFTER: Duration = Duration::from_secs(30);

impl Approvals {
    /// Opens the person's browser, and once more when no proof has come back after a while.
    pub(super) async fn bring(self: &Arc<Self>, id: &ApprovalId) {
        self.open_window(id).await;
        let (approvals, store, id) = (Arc::downgrade(self), self.store.clone(), id.clone());
        let late = sleep(SECOND_WINDOW_AFTER);
        tokio::spawn(async move {
            tokio::pin!(late);
            loop {
                let changed = store.changed();
                match approvals.upgrade() {
                    Some(approvals) if approvals.wants_window(&id).await => {}
                    _ => return,
                }
                tokio::select! {
                    () = &mut late => break,
                    () = changed => {}
                }
            }
            if let Some(approvals) = approvals.upgrade() {
                approvals.open_window(&id).await;
            }
        });
    }

    /// Whether a window of the person's browser would still help.
    async fn wants_window(&self, id: &ApprovalId) -> bool {
        let record = self.load(id).await.ok().flatten();
        record.is_some_and(|record| record.is_waiting() && !record.proofs.seen)
    }

    /// Opens the person's browser with a new key.
    async fn open_window(&self, id: &ApprovalId) {
        let key = |record: &mut Record, now| {
            let may = record.is_waiting() && !record.proofs.seen;
            let key = may.then(|| record.proofs.key(now)).flatten()?;
            Some(format!("{}?key={key}", record.ticket.url))
        };
        if let Ok(Some(Some(address))) = self.change(id, key).await {
            self.desk.open(&address);
        }
    }
}

//! What an operator watches: every number that the server counts, named in one place.
//!
//! Numbers go to whoever records them in this process (the `metrics` facade); nobody may be there. Labels hold words
//! of this code alone: no id, no name, no address.

use metrics::{counter, gauge};

/// Something was refused since it would exceed a limit of this name.
pub fn limit_hit(limit: &'static str) {
    counter!("fintecture_mcp_limit_hits_total", "limit" => limit).increment(1);
}

/// So many sessions or streams of this kind are open now.
pub fn open_sessions(kind: &'static str, count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "there are never so many")]
    gauge!("fintecture_mcp_sessions", "kind" => kind).set(count as f64);
}

/// The shared store did not do what it was asked to: `gone` or `full`.
pub fn store_failed(reason: &'static str) {
    counter!("fintecture_mcp_store_failures_total", "reason" => reason).increment(1);
}

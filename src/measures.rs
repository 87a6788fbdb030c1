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

/// An access was refused, for this reason.
pub fn access_refused(reason: &'static str) {
    counter!("fintecture_mcp_accesses_refused_total", "reason" => reason).increment(1);
}

/// A file that was to be read again was not taken.
pub fn reload_failed(what: &'static str) {
    counter!("fintecture_mcp_reloads_failed_total", "file" => what).increment(1);
}

/// The authorization server's keys were read, or could not be.
pub fn issuer_read(is_well: bool) {
    let outcome = if is_well { "success" } else { "failure" };
    counter!("fintecture_mcp_issuer_reads_total", "outcome" => outcome).increment(1);
}

/// So many lines of the audit trail could not be written; what they were for was refused.
pub fn audit_lines_lost(lines: usize) {
    counter!("fintecture_mcp_audit_lines_lost_total").increment(lines as u64);
}

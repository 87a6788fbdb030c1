//! Which writes are on record without a known outcome: those somebody has to look into upstream.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::chain::GENESIS;
use super::reading::{self, Unreadable};

/// A write of which nobody knows whether it was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Unresolved {
    /// The number of its `write` line.
    pub seq: u64,
    /// When it was about to be sent, RFC 3339 in UTC.
    pub time: String,
    /// Who called.
    pub principal: String,
    /// Which tool.
    pub tool: String,
    /// Which action of it.
    pub action: String,
    /// Whom it is about: ids by name.
    pub targets: Vec<(String, String)>,
    /// `X-Request-ID` of its last attempt where its outcome is on record as unknown, otherwise of its first one.
    pub request_id: Option<String>,
    /// Whether its outcome is on record, as unknown; otherwise the process ended before it knew, or still waits.
    pub is_told: bool,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Line {
    seq: u64,
    time: String,
    event: String,
    previous: String,
    #[serde(default)]
    principal: String,
    #[serde(default)]
    tool: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    targets: Map<String, Value>,
    write: Option<u64>,
    effect: Option<String>,
    request_id: Option<String>,
}

/// Reads files that follow each other. Returns the writes in their order, and how many lines could not be read.
///
/// # Errors
/// [`Unreadable`] where a file cannot be read.
pub fn unresolved(paths: &[PathBuf]) -> Result<(Vec<Unresolved>, u64), Unreadable> {
    // Numbers begin anew with each chain.
    let (mut chain, mut open, mut broken) = (0_u64, BTreeMap::new(), 0);
    reading::each_line(paths, |read| {
        let Ok(line) = serde_json::from_slice::<Line>(read.bytes) else {
            // A torn last line is nothing that was ever acknowledged.
            broken += u64::from(read.is_ended);
            return Ok::<(), Unreadable>(());
        };
        if line.previous == GENESIS.as_str() {
            chain += 1;
        }
        match (line.event.as_str(), line.write) {
            ("write", _) => {
                open.insert((chain, line.seq), of(line));
            }
            ("outcome", Some(write)) if line.effect.as_deref() == Some("unknown") => {
                if let Some(known) = open.get_mut(&(chain, write)) {
                    known.request_id = line.request_id.or(known.request_id.take());
                    known.is_told = true;
                }
            }
            ("outcome", Some(write)) => {
                open.remove(&(chain, write));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok((open.into_values().collect(), broken))
}

fn of(line: Line) -> Unresolved {
    let targets = line.targets.into_iter();
    Unresolved {
        seq: line.seq,
        time: line.time,
        principal: line.principal,
        tool: line.tool,
        action: line.action,
        targets: targets.filter_map(|(name, id)| Some((name, id.as_str()?.to_owned()))).collect(),
        request_id: line.request_id,
        is_told: false,
    }
}

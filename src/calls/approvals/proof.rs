//! How a browser proves that a person holds it: a key that opened it once, or the code, turned into a proof that
//! serves one approval.
//!
//! Knows nothing of what is approved.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::clock::after;
use super::id::Handed;

/// How long a key in an opened address works.
pub(super) const KEY_LIVES: Duration = Duration::from_mins(2);
/// How often the person's browser is opened for one approval.
pub(super) const MAX_WINDOWS: u8 = 2;
/// Proofs that one approval knows at once. Beyond, the oldest goes.
pub(super) const MAX_PROOFS: usize = 8;

/// What a browser keeps as a cookie. Serves one approval.
pub struct Proof(String);

impl Proof {
    /// The cookie's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// A proof opens a page full of personal data, and approves.
impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// Keys and proofs of one approval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Proofs {
    keys: Vec<(Handed, Timestamp)>,
    held: VecDeque<(Handed, How)>,
    windows: u8,
    /// Whether a proof has come back: a key may be spent by a preview that keeps no cookie.
    pub(super) seen: bool,
}

impl Proofs {
    /// A key for one more window of the person's browser; nothing once it was opened often enough.
    pub(super) fn key(&mut self, now: Timestamp) -> Option<String> {
        if self.windows >= MAX_WINDOWS {
            return None;
        }
        let (key, kept) = Handed::new()?;
        self.windows += 1;
        self.keys.push((kept, after(now, KEY_LIVES)));
        Some(key)
    }

    /// Spends a key.
    pub(super) fn redeem(&mut self, key: &str, now: Timestamp) -> Option<Proof> {
        self.keys.retain(|(_, until)| *until > now);
        let at = self.keys.iter().position(|(kept, _)| kept.is(key))?;
        self.keys.remove(at);
        self.grant(How::Window)
    }

    /// A new proof.
    pub(super) fn grant(&mut self, how: How) -> Option<Proof> {
        let (cookie, proof) = Handed::new()?;
        if self.held.len() >= MAX_PROOFS {
            self.held.pop_front();
        }
        self.held.push_back((proof, how));
        Some(Proof(cookie))
    }

    /// How this proof came about, where it is one.
    pub(super) fn how(&self, cookie: &str) -> Option<How> {
        self.held.iter().find(|(proof, _)| proof.is(cookie)).map(|(_, how)| *how)
    }
}

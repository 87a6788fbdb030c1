//! The chain: what a line looks like on its outside, and the hash that ties it to the one before.
//!
//! A line is `{"seq":N,"time":"...",MEMBERS,"previous":"HASH","hash":"HASH"}`. Its hash is over its own bytes up to
//! `,"hash":`, and these hold the hash of the line before: so the last line is covered, too. With a key it is an
//! HMAC-SHA256, which nobody makes without the key; without one a SHA-256, which anybody can make. Knows nothing of
//! what the members say, nor of files.

use aws_lc_rs::{digest, hmac};

use super::key::AuditKey;

/// What the first line of a chain names as the hash of the one before.
pub(super) const GENESIS: Hash = Hash([b'0'; HEX_LEN]);
/// Characters of a hash.
const HEX_LEN: usize = 64;
/// What stands between the bytes that are hashed and the hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// What stands between the members and the hash of the line before.
const BEFORE_PREVIOUS: &[u8] = b",\"previous\":\"";

/// A hash as it is written: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; HEX_LEN]);

impl Hash {
    /// From its 32 bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let mut hex = [b'0'; HEX_LEN];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(bytes) {
            for (place, half) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *place = if half < 10 { b'0' + half } else { b'a' + half - 10 };
            }
        }
        Self(hex)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let is_hex = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        text.try_into().ok().filter(|_| is_hex).map(Self)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl std::str::FromStr for Hash {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        Self::read(text.trim().to_ascii_lowercase().as_bytes()).ok_or(NoHash)
    }
}

/// A text that is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 64 hexadecimal digits, as the log and the last line of the trail show them")]
pub struct NoHash;

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Makes the hashes of one chain.
#[derive(Clone)]
pub(super) enum Hasher {
    Keyed(Box<hmac::Key>),
    Plain,
}

impl Hasher {
    pub(super) fn new(key: Option<&AuditKey>) -> Self {
        key.map_or(Self::Plain, |key| Self::Keyed(Box::new(key.chain())))
    }

    pub(super) fn hash(&self, body: &[u8]) -> Hash {
        match self {
            Self::Keyed(key) => Hash::of_bytes(hmac::sign(key, body).as_ref()),
            Self::Plain => Hash::of_bytes(digest::digest(&digest::SHA256, body).as_ref()),
        }
    }
}

/// Where a chain stands: its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of that line, from 1 on; 0 where there is none yet.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first line.
    pub(super) const NONE: Self = Self { seq: 0, hash: GENESIS };

    /// The next line, with its line break. `members` are those between `time` and `previous`, without braces.
    pub(super) fn extend(&mut self, hasher: &Hasher, time: jiff::Timestamp, members: &str) -> Vec<u8> {
        let (seq, previous) = (self.seq + 1, self.hash);
        let mut line =
            format!("{{\"seq\":{seq},\"time\":\"{time:.6}\",{members},\"previous\":\"{previous}\"")
                .into_bytes();
        let hash = hasher.hash(&line);
        line.extend_from_slice(BEFORE_HASH);
        line.extend_from_slice(&hash.0);
        line.extend_from_slice(b"\"}\n");
        *self = Self { seq, hash };
        line
    }
}

/// The outside of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) seq: u64,
    pub(super) previous: Hash,
    pub(super) hash: Hash,
    /// What the hash is over.
    body: &'a [u8],
}

impl<'a> Line<'a> {
    /// Takes a line apart, given without its line break. None where it has not the form of a line.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(b"\"}")?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(HEX_LEN)?)?;
        let body = rest.strip_suffix(BEFORE_HASH)?;
        let inner = body.strip_suffix(b"\"")?;
        let (inner, previous) = inner.split_at_checked(inner.len().checked_sub(HEX_LEN)?)?;
        let members = inner.strip_suffix(BEFORE_PREVIOUS)?.strip_prefix(b"{\"seq\":")?;
        let (seq, _) = members.split_at_checked(members.iter().position(|byte| *byte == b',')?)?;
        let seq = std::str::from_utf8(seq).ok()?;
        let number: u64 = seq.parse().ok().filter(|number: &u64| number.to_string() == seq)?;
        Some(Self { seq: number, previous: Hash::read(previous)?, hash: Hash::read(hash)?, body })
    }

    /// Whether its hash is that of its bytes.
    pub(super) fn is_whole(&self, hasher: &Hasher) -> bool {
        hasher.hash(self.body) == self.hash
    }

    pub(super) fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_its_hash_and_that_of_the_line_before() {
        let mut head = Head::NONE;
        let hasher = Hasher::Plain;
        let [first, second] =
            [1, 2].map(|n| head.extend(&hasher, jiff::Timestamp::UNIX_EPOCH, &format!("\"event\":\"{n}\"")));
        let first = first.strip_suffix(b"\n").unwrap();
        let said: serde_json::Value = serde_json::from_slice(first).unwrap();
        assert_eq!(said["time"], "1970-01-01T00:00:00.000000Z");
        let [one, two] = [first, second.strip_suffix(b"\n").unwrap()].map(|line| Line::parse(line).unwrap());
        assert_eq!((one.seq, one.previous, two.seq, two.previous), (1, GENESIS, 2, one.hash));
        assert!(one.is_whole(&hasher) && two.is_whole(&hasher));
        assert_eq!(two.head(), head);
        for at in 0..first.len() {
            let mut changed = first.to_vec();
            changed[at] ^= 1;
            let found = Line::parse(&changed).is_some_and(|line| line.is_whole(&hasher));
            assert!(!found, "a change at {at}");
        }
    }

    #[test]
    fn a_hash_is_read_as_it_is_shown() {
        let hash = Hash::of_bytes(&[0xab; 32]);
        assert_eq!(hash.to_string(), "ab".repeat(32));
        assert_eq!(format!(" {} ", "AB".repeat(32)).parse(), Ok(hash));
        assert_eq!("ab".parse::<Hash>(), Err(NoHash));
        assert_eq!("xy".repeat(32).parse::<Hash>(), Err(NoHash));
    }
}

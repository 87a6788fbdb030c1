//! The kinds of fault.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::SignedDuration;

use crate::simulator::config::InvalidSetting;

/// Longest time that a fault may take, in seconds.
const MAX_SECONDS: i64 = 600;

const DURATION: &str = "a time up to 10 minutes, such as 200ms or 3s";
const STATUS: &str = "an HTTP status from 300 to 599, such as 503";
const RATE: &str = "bytes a second, such as 10B/s";

/// The names of all kinds, for the tests that hold the documentation to them.
#[cfg(test)]
pub(in crate::simulator) const NAMES: [&str; 19] = [
    "latency",
    "status",
    "status-after",
    "rate-limit",
    "rate-limit-date",
    "reset-before",
    "reset-after",
    "late-commit",
    "hang",
    "hang-after",
    "truncate",
    "truncate-chunked",
    "garbage",
    "html",
    "half-json",
    "trickle",
    "expire-token",
    "short-token",
    "empty",
];

/// What goes wrong. "Before" and "after" are seen from the effect of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Waits before anything is done.
    Latency(Duration),
    /// This status, and nothing is done.
    Status(StatusCode),
    /// It is done, and answered with this status.
    StatusAfter(StatusCode),
    /// 429 with `Retry-After` in seconds; nothing is done.
    RateLimit(Duration),
    /// 429 with `Retry-After` as a date; nothing is done.
    RateLimitDate(Duration),
    /// The connection is reset, and nothing is done.
    ResetBefore,
    /// It is done, and the connection is reset.
    ResetAfter,
    /// The connection is reset, and it is done this much later.
    LateCommit(Duration),
    /// Nothing is done, and nothing answered.
    Hang,
    /// It is done, and nothing answered.
    HangAfter,
    /// It is done, and the answer's body is not what it should be.
    Spoilt(Spoilt),
    /// It is done, and the answer's body comes at this many bytes a second.
    Trickle(NonZeroU32),
    /// 401, though the token was good; nothing is done.
    ExpireToken,
    /// The token that is given out opens the API no longer than this.
    ShortToken(Duration),
}

/// How an answer's body is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoilt {
    /// Half of what `Content-Length` says, then the connection ends.
    Truncated,
    /// Half of it in chunks, without the last one, then the connection ends.
    TruncatedChunks,
    /// Whole, but not JSON, and not even text.
    Garbage,
    /// A page of HTML.
    Html,
    /// Whole as HTTP goes, but half as JSON goes.
    HalfJson,
    /// Nothing.
    Empty,
}

impl Kind {
    /// Reads a kind by its name and the value behind `=`.
    ///
    /// # Errors
    /// An unknown name; a value that is missing, wrong or too much.
    pub(super) fn read(name: &str, value: Option<&str>) -> Result<Self, InvalidSetting> {
        let bare = match name {
            "latency" => return duration(value).map(Self::Latency),
            "status" => return status(value).map(Self::Status),
            "status-after" => return status(value).map(Self::StatusAfter),
            "rate-limit" => return duration(value).map(Self::RateLimit),
            "rate-limit-date" => return duration(value).map(Self::RateLimitDate),
            "late-commit" => return duration(value).map(Self::LateCommit),
            "trickle" => return rate(value).map(Self::Trickle),
            "short-token" => return duration(value).map(Self::ShortToken),
            "reset-before" => Self::ResetBefore,
            "reset-after" => Self::ResetAfter,
            "hang" => Self::Hang,
            "hang-after" => Self::HangAfter,
            "truncate" => Self::Spoilt(Spoilt::Truncated),
            "truncate-chunked" => Self::Spoilt(Spoilt::TruncatedChunks),
            "garbage" => Self::Spoilt(Spoilt::Garbage),
            "html" => Self::Spoilt(Spoilt::Html),
            "half-json" => Self::Spoilt(Spoilt::HalfJson),
            "empty" => Self::Spoilt(Spoilt::Empty),
            "expire-token" => Self::ExpireToken,
            _ => return Err(InvalidSetting::UnknownFault),
        };
        if value.is_some() { Err(InvalidSetting::NoValue) } else { Ok(bare) }
    }
}

fn duration(value: Option<&str>) -> Result<Duration, InvalidSetting> {
    let read = value.and_then(|value| value.parse::<SignedDuration>().ok());
    let allowed = read.filter(|duration| *duration <= SignedDuration::from_secs(MAX_SECONDS));
    allowed.and_then(|duration| Duration::try_from(duration).ok()).ok_or(InvalidSetting::Value(DURATION))
}

fn status(value: Option<&str>) -> Result<StatusCode, InvalidSetting> {
    let read = value.and_then(|value| value.parse::<StatusCode>().ok());
    read.filter(|status| (300..600).contains(&status.as_u16())).ok_or(InvalidSetting::Value(STATUS))
}

fn rate(value: Option<&str>) -> Result<NonZeroU32, InvalidSetting> {
    let number = value.and_then(|value| value.strip_suffix("B/s"));
    number.and_then(|number| number.parse().ok()).ok_or(InvalidSetting::Value(RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read() {
        for name in NAMES {
            let values = [None, Some("1s"), Some("503"), Some("10B/s")];
            assert_eq!(values.iter().filter(|value| Kind::read(name, **value).is_ok()).count(), 1, "{name}");
        }
    }

    #[test]
    fn values_have_bounds() {
        let read = |name: &str, value: &str| Kind::read(name, Some(value));
        assert_eq!(read("latency", "1.5s"), Ok(Kind::Latency(Duration::from_millis(1500))));
        assert_eq!(read("late-commit", "10m"), Ok(Kind::LateCommit(Duration::from_mins(10))));
        for bad in ["", "5", "-1s", "601s", "soon", "99999999999999999999s"] {
            assert_eq!(read("latency", bad), Err(InvalidSetting::Value(DURATION)), "{bad}");
        }
        for bad in ["", "200", "299", "600", "1000", "abc"] {
            assert_eq!(read("status", bad), Err(InvalidSetting::Value(STATUS)), "{bad}");
        }
        for bad in ["", "10", "0B/s", "-1B/s", "1.5B/s", "4294967296B/s"] {
            assert_eq!(read("trickle", bad), Err(InvalidSetting::Value(RATE)), "{bad}");
        }
        assert_eq!(read("html", ""), Err(InvalidSetting::NoValue));
        assert_eq!(Kind::read("Latency", Some("1s")), Err(InvalidSetting::UnknownFault));
    }
}

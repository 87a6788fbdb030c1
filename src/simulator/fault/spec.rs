//! What a person writes to order a fault: `KIND[=VALUE][:PROBABILITY][#TIMES][@WHERE]`.

use std::fmt;
use std::str::FromStr;

use super::kind::Kind;
use crate::simulator::config::InvalidSetting;
use crate::simulator::operation::Operation;

/// One fault: what goes wrong, how likely, how often at most, and where. Read from a text, and shown as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    text: String,
    pub(super) kind: Kind,
    /// 0 to 1.
    pub(super) probability: f64,
    /// How often it happens at most.
    pub(super) times: u64,
    place: Place,
}

/// Which requests a fault can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The nine operations.
    Api,
    Reads,
    Writes,
    One(Operation),
}

impl Place {
    fn holds(self, operation: Operation) -> bool {
        let token = operation == Operation::AccessToken;
        match self {
            Self::Api => !token,
            Self::Reads => !token && !operation.is_write(),
            Self::Writes => operation.is_write(),
            Self::One(one) => one == operation,
        }
    }

    fn read(text: &str) -> Result<Self, InvalidSetting> {
        Ok(match text {
            "reads" => Self::Reads,
            "writes" => Self::Writes,
            "token" => Self::One(Operation::AccessToken),
            name => {
                let named = Operation::ALL.into_iter().find(|operation| operation.name() == name);
                Self::One(named.ok_or(InvalidSetting::Place)?)
            }
        })
    }
}

impl Fault {
    /// Whether it can happen to requests for this operation.
    pub(super) fn concerns(&self, operation: Operation) -> bool {
        self.place.holds(operation)
    }
}

impl FromStr for Fault {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let (rest, place) = split(text, '@');
        let (rest, times) = split(rest, '#');
        let (rest, probability) = split(rest, ':');
        let (name, value) = split(rest, '=');
        let kind = Kind::read(name, value)?;
        let probability = probability.map_or(Ok(1.0), |text| {
            let read = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number));
            read.ok_or(InvalidSetting::Probability)
        })?;
        let times = times.map_or(Ok(u64::MAX), |text| {
            text.parse().ok().filter(|times| *times > 0).ok_or(InvalidSetting::Times)
        })?;
        let place = place.map(Place::read).transpose()?;
        Ok(Self { text: text.to_owned(), kind, probability, times, place: fitting(kind, place)? })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The place of a fault, or where a fault of its kind happens when nothing is said.
fn fitting(kind: Kind, place: Option<Place>) -> Result<Place, InvalidSetting> {
    let token = Place::One(Operation::AccessToken);
    match kind {
        Kind::LateCommit(_) => match place.unwrap_or(Place::Writes) {
            Place::One(operation) if operation.is_write() => Ok(Place::One(operation)),
            Place::Writes => Ok(Place::Writes),
            _ => Err(InvalidSetting::Misplaced("only writes commit")),
        },
        Kind::ShortToken(_) if place.unwrap_or(token) == token => Ok(token),
        Kind::ShortToken(_) => Err(InvalidSetting::Misplaced("only the token endpoint gives out tokens")),
        Kind::ExpireToken if place == Some(token) => {
            Err(InvalidSetting::Misplaced("the token endpoint asks for no token"))
        }
        _ => Ok(place.unwrap_or(Place::Api)),
    }
}

/// Faults in the order in which they are tried, and the seed that decides when they happen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    pub(super) list: Vec<Fault>,
    pub(super) seed: u64,
}

impl Faults {
    /// These faults. The same seed gives the same faults to the same requests.
    #[must_use]
    pub fn new(faults: impl IntoIterator<Item = Fault>, seed: u64) -> Self {
        Self { list: faults.into_iter().collect(), seed }
    }

    /// Reads faults as they are written on the command line.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>, seed: u64) -> Result<Self, InvalidSetting> {
        let faults: Result<Vec<Fault>, _> = texts.into_iter().map(Fault::from_str).collect();
        Ok(Self::new(faults?, seed))
    }

    /// What to start with again to see the same faults.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Fault, InvalidSetting> {
        text.parse()
    }

    #[test]
    fn each_part_may_be_left_out() {
        let whole = read("status=503:0.25#3@createCustomer").unwrap();
        assert_eq!((whole.probability, whole.times), (0.25, 3));
        assert_eq!(whole.place, Place::One(Operation::CreateCustomer));
        assert_eq!(whole.to_string(), "status=503:0.25#3@createCustomer");
        let bare = read("hang").unwrap();
        assert_eq!((bare.probability, bare.times, bare.place), (1.0, u64::MAX, Place::Api));
        assert_eq!(read("trickle=10B/s@token").unwrap().place, Place::One(Operation::AccessToken));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (texts, error) in [
            (&["", "resets", "=1", ":0.5", "hang "][..], InvalidSetting::UnknownFault),
            (
                &["hang:", "hang:1.1", "hang:-0.1", "hang:NaN", "hang:50%", "hang:0.1:0.2"],
                InvalidSetting::Probability,
            ),
            (&["hang#", "hang#0", "hang#-1", "hang#x", "hang#2:0.5"], InvalidSetting::Times),
            (
                &["hang@", "hang@everything", "hang@CreateCustomer", "hang@reads@writes"],
                InvalidSetting::Place,
            ),
        ] {
            for text in texts {
                assert_eq!(read(text).unwrap_err(), error, "{text}");
            }
        }
        for text in [
            "late-commit=1s@reads",
            "late-commit=1s@getCustomerById",
            "late-commit=1s@token",
            "short-token=1s@writes",
            "expire-token@token",
        ] {
            assert!(matches!(read(text), Err(InvalidSetting::Misplaced(_))), "{text}");
        }
    }

    #[test]
    fn places_hold_what_they_say() {
        let held = |text: &str| {
            let fault = read(text).unwrap();
            Operation::ALL.into_iter().filter(|operation| fault.concerns(*operation)).count()
        };
        let counts =
            ["hang", "hang@reads", "hang@writes", "hang@token", "late-commit=1s", "short-token=1s"].map(held);
        assert_eq!(counts, [9, 6, 3, 1, 3, 1]);
    }
}

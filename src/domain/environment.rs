//! Which upstream a server talks to.

use std::fmt;
use std::str::FromStr;

use super::value::Invalid;

/// The upstream behind a server. It stands in every result, so that nobody takes play for the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// The built-in stand-in: everything in it is made up.
    Simulator,
    /// Fintecture's test environment.
    Sandbox,
    /// Real customers and real bank accounts.
    Production,
}

impl Environment {
    /// Every environment, in the order of help texts.
    pub const ALL: [Self; 3] = [Self::Simulator, Self::Sandbox, Self::Production];

    /// The word for it on the command line, in variables and in results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Sandbox => "sandbox",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or(Invalid("must be simulator, sandbox or production"))
    }
}

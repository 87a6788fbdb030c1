//! What a principal may do: one right each, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// One right. A right to write holds the right to read the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is its own words: `customers:read` and so on")]
pub enum Scope {
    CustomersRead,
    CustomersWrite,
    BankAccountsRead,
    BankAccountsWrite,
    VerificationsRead,
    VerificationsWrite,
    PersonalDataRead,
    ApprovalsWrite,
}

/// No scope of this server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope; those are {}", Scopes::ALL)]
pub struct NoScope;

impl Scope {
    /// Every right there is.
    pub const ALL: [Self; 8] = [
        Self::CustomersRead,
        Self::CustomersWrite,
        Self::BankAccountsRead,
        Self::BankAccountsWrite,
        Self::VerificationsRead,
        Self::VerificationsWrite,
        Self::PersonalDataRead,
        Self::ApprovalsWrite,
    ];

    /// The word for it, in tokens and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomersRead => "customers:read",
            Self::CustomersWrite => "customers:write",
            Self::BankAccountsRead => "bank-accounts:read",
            Self::BankAccountsWrite => "bank-accounts:write",
            Self::VerificationsRead => "verifications:read",
            Self::VerificationsWrite => "verifications:write",
            Self::PersonalDataRead => "personal-data:read",
            Self::ApprovalsWrite => "approvals:write",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The right to write that holds this one.
    fn held_by(self) -> Option<Self> {
        match self {
            Self::CustomersRead => Some(Self::CustomersWrite),
            Self::BankAccountsRead => Some(Self::BankAccountsWrite),
            Self::VerificationsRead => Some(Self::VerificationsWrite),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(NoScope)
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Every right.
    pub const ALL: Self = Self(u8::MAX);
    /// No right.
    pub const NONE: Self = Self(0);

    /// Every right over records: what a client may do with the tools, with masking as the server is set.
    #[must_use]
    pub fn of_agents() -> Self {
        Self::ALL.without(Scope::PersonalDataRead).without(Scope::ApprovalsWrite)
    }

    /// This set and one more right.
    #[must_use]
    pub fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// This set but for one right.
    #[must_use]
    pub fn without(self, scope: Scope) -> Self {
        Self(self.0 & !scope.bit())
    }

    /// Whether it holds this right, by itself or in a right to write.
    #[must_use]
    pub fn hold(self, scope: Scope) -> bool {
        let held = |scope: Scope| self.0 & scope.bit() != 0;
        held(scope) || scope.held_by().is_some_and(held)
    }

    /// Those of the needed rights that it does not hold.
    #[must_use]
    pub fn lacking(self, needed: impl IntoIterator<Item = Scope>) -> Self {
        needed.into_iter().filter(|scope| !self.hold(*scope)).fold(Self::NONE, Self::with)
    }

    /// Whether there is no right in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights in a list with spaces, as tokens have it; what is no right of this server is another one's.
    #[must_use]
    pub fn known_in(list: &str) -> Self {
        list.split_ascii_whitespace().filter_map(|word| word.parse().ok()).fold(Self::NONE, Self::with)
    }

    /// The rights in a list with commas or spaces, where every one of them is known.
    ///
    /// # Errors
    /// [`NoScope`] where one is not.
    pub fn read(list: &str) -> Result<Self, NoScope> {
        let words = list.split([',', ' ']).filter(|word| !word.is_empty());
        words.map(str::parse).try_fold(Self::NONE, |scopes, scope| Ok(scopes.with(scope?)))
    }

    /// Each right in it.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

/// The words with spaces between them, as tokens have it.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, scope) in self.iter().enumerate() {
            if place > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

/// As [`Display`](fmt::Display) has it.
impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_to_write_holds_the_right_to_read_the_same_and_no_other() {
        let writer = Scopes::NONE.with(Scope::BankAccountsWrite);
        let held: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| writer.hold(*scope)).collect();
        assert_eq!(held, [Scope::BankAccountsRead, Scope::BankAccountsWrite]);
        let reader = Scopes::NONE.with(Scope::BankAccountsRead);
        assert!(!reader.hold(Scope::BankAccountsWrite));
        let needed = [Scope::BankAccountsRead, Scope::CustomersRead, Scope::VerificationsWrite];
        assert_eq!(writer.lacking(needed).to_string(), "customers:read verifications:write");
        assert!(Scopes::ALL.lacking(Scope::ALL).is_empty());
        assert!(!Scopes::of_agents().hold(Scope::ApprovalsWrite));
        assert!(!Scopes::of_agents().hold(Scope::PersonalDataRead));
    }

    #[test]
    fn lists_are_read_strictly_from_people_and_leniently_from_tokens() {
        let two = Scopes::NONE.with(Scope::CustomersRead).with(Scope::ApprovalsWrite);
        assert_eq!(Scopes::read("customers:read, approvals:write"), Ok(two));
        assert_eq!(Scopes::known_in("openid approvals:write customers:read"), two);
        assert_eq!(two.to_string(), "customers:read approvals:write");
        assert_eq!(Scopes::read("customers:read,openid"), Err(NoScope));
        assert!(NoScope.to_string().ends_with("personal-data:read approvals:write"));
    }
}

//! Who calls, once authenticated.

use super::{Scope, Scopes};

/// One who calls: an agent, or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// What they are called, in records and logs. No personal data, since an operator chooses it.
    pub name: String,
    /// What they may do.
    pub scopes: Scopes,
    /// Whether a token said so; otherwise they are whoever can reach this process.
    pub is_authenticated: bool,
}

impl Principal {
    /// What everybody is called where nobody is authenticated.
    pub const LOCAL: &'static str = "local";

    /// Whoever can reach this process, where that is all there is to know.
    #[must_use]
    pub fn local() -> Self {
        Self { name: Self::LOCAL.to_owned(), scopes: Scopes::of_agents(), is_authenticated: false }
    }

    /// One whom a token named.
    #[must_use]
    pub fn authenticated(name: impl Into<String>, scopes: Scopes) -> Self {
        Self { name: name.into(), scopes, is_authenticated: true }
    }

    /// Whether they have this right.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.hold(scope)
    }
}

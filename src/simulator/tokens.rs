//! The bearer tokens that open the API.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

/// How long a token that was given out opens the API.
pub(super) const TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(3600);

/// Most tokens that are remembered. Beyond it the oldest is forgotten: whoever holds it asks for a new one.
const MAX_TOKENS: usize = 1_000;

/// The token that the simulator was started with, and those it gave out.
pub(super) struct Tokens {
    fixed: Option<SecretString>,
    /// Oldest first, with the time from which each is refused.
    issued: VecDeque<(SecretString, Timestamp)>,
}

impl Tokens {
    /// Without a fixed token, every token opens the API.
    pub(super) fn new(fixed: Option<SecretString>) -> Self {
        Self { fixed, issued: VecDeque::new() }
    }

    /// Gives out a new token.
    pub(super) fn issue(&mut self, now: Timestamp) -> String {
        let token = format!("sim_tok_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.issued.retain(|(_, until)| now < *until);
        if self.issued.len() >= MAX_TOKENS {
            self.issued.pop_front();
        }
        let until = now.checked_add(TOKEN_LIFE).unwrap_or(Timestamp::MAX);
        self.issued.push_back((token.clone().into(), until));
        token
    }

    /// Whether a token opens the API. The time that this takes does not tell how much of a guess was right.
    pub(super) fn accept(&self, token: &str, now: Timestamp) -> bool {
        let Some(fixed) = &self.fixed else { return !token.is_empty() };
        let same = |known: &SecretString| known.expose_secret().as_bytes().ct_eq(token.as_bytes());
        let valid = self.issued.iter().filter(|(_, until)| now < *until).map(|(known, _)| same(known));
        valid.fold(same(fixed), |any: Choice, one| any | one).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn without_a_fixed_token_any_will_do() {
        let tokens = Tokens::new(None);
        assert!(tokens.accept("anything", second(0)));
        assert!(!tokens.accept("", second(0)));
    }

    #[test]
    fn with_one_only_that_and_issued_ones_will_do() {
        let mut tokens = Tokens::new(Some("right".into()));
        let issued = tokens.issue(second(0));
        assert!(tokens.accept("right", second(0)));
        for wrong in ["wrong", "righ", "rightt", ""] {
            assert!(!tokens.accept(wrong, second(0)), "{wrong}");
        }
        assert!(tokens.accept(&issued, second(3599)));
        assert!(!tokens.accept(&issued, second(3600)));
    }

    #[test]
    fn the_oldest_token_makes_room() {
        let mut tokens = Tokens::new(Some("right".into()));
        let first = tokens.issue(second(0));
        let second_one = tokens.issue(second(0));
        for _ in 1..MAX_TOKENS {
            tokens.issue(second(1));
        }
        assert!(!tokens.accept(&first, second(1)));
        assert!(tokens.accept(&second_one, second(1)));
        assert_eq!(tokens.issued.len(), MAX_TOKENS);
        tokens.issue(second(5000));
        assert_eq!(tokens.issued.len(), 1);
    }
}

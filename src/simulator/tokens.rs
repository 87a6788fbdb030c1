//! The bearer tokens that open the API.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

/// How long a token that was given out opens the API.
pub(super) const TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(3600);

/// Most tokens that are remembered. Beyond it the oldest is forgotten: whoever holds it asks for a new one.
const MAX_TOKENS: usize = 1_000;

/// A token that was given out.
struct Issued {
    token: SecretString,
    /// From when on it is refused.
    until: Timestamp,
    /// Whether that is earlier than was said. It is then refused even where any token would do.
    early: bool,
}

/// The token that the simulator was started with, and those it gave out.
pub(super) struct Tokens {
    fixed: Option<SecretString>,
    /// Oldest first.
    issued: VecDeque<Issued>,
}

impl Tokens {
    /// Without a fixed token, every token opens the API.
    pub(super) fn new(fixed: Option<SecretString>) -> Self {
        Self { fixed, issued: VecDeque::new() }
    }

    /// Gives out a new token.
    pub(super) fn issue(&mut self, now: Timestamp) -> String {
        self.issue_until(now, now.checked_add(TOKEN_LIFE).unwrap_or(Timestamp::MAX), false)
    }

    /// Gives out a new token that ends earlier than its receiver is told.
    pub(super) fn issue_short_lived(&mut self, now: Timestamp, life: Duration) -> String {
        self.issue_until(now, now.checked_add(life).unwrap_or(Timestamp::MAX), true)
    }

    fn issue_until(&mut self, now: Timestamp, until: Timestamp, early: bool) -> String {
        let token = format!("sim_tok_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        self.issued.retain(|one| one.early || now < one.until);
        if self.issued.len() >= MAX_TOKENS {
            self.issued.pop_front();
        }
        self.issued.push_back(Issued { token: token.clone().into(), until, early });
        token
    }

    /// Whether a token opens the API. The time that this takes does not tell how much of a guess was right.
    pub(super) fn accept(&self, token: &str, now: Timestamp) -> bool {
        let same = |known: &SecretString| known.expose_secret().as_bytes().ct_eq(token.as_bytes());
        let Some(fixed) = &self.fixed else {
            let ended = self.issued.iter().filter(|one| one.early && one.until <= now);
            let ended = ended.fold(Choice::from(0), |any, one| any | same(&one.token));
            return !token.is_empty() && !bool::from(ended);
        };
        let valid = self.issued.iter().filter(|one| now < one.until).map(|one| same(&one.token));
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
    fn a_short_lived_one_ends_early_even_where_any_will_do() {
        for fixed in [None, Some("right".into())] {
            let mut tokens = Tokens::new(fixed);
            let short = tokens.issue_short_lived(second(0), Duration::from_secs(5));
            tokens.issue(second(6));
            assert!(tokens.accept(&short, second(4)));
            assert!(!tokens.accept(&short, second(5)));
        }
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

//! Tokens that were verified with the keys at hand, by their digest: verifying a signature takes longer than all else
//! that a call needs, and an agent shows one token with every call.
//!
//! It belongs to one set of keys and goes with it, so that a key which the issuer withdrew is good for nothing here
//! either. Knows nothing of signatures.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::token::Digest;
use crate::domain::Principal;

/// Tokens that are remembered at once; whoever shows another one has it verified each time.
const MAX_TOKENS: usize = 10_000;

/// What is remembered.
#[derive(Default)]
pub(super) struct Verified(Mutex<HashMap<Digest, Entry>>);

struct Entry {
    principal: Arc<Principal>,
    /// The last second in which the token is good, in seconds since 1970.
    until: u64,
}

impl Verified {
    /// Whom this token names, where it was verified before and is still good `now`, in seconds since 1970.
    pub(super) fn principal(&self, token: &Digest, now: u64) -> Option<Arc<Principal>> {
        let tokens = self.lock();
        tokens.get(token).filter(|entry| now <= entry.until).map(|entry| Arc::clone(&entry.principal))
    }

    /// Remembers a token that is good `until` then. Where there is no room, those go first that are over.
    pub(super) fn remember(&self, token: Digest, principal: &Arc<Principal>, until: u64, now: u64) {
        let mut tokens = self.lock();
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, entry| now <= entry.until);
        }
        if tokens.len() < MAX_TOKENS {
            tokens.insert(token, Entry { principal: Arc::clone(principal), until });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scopes;

    #[test]
    fn a_token_is_known_until_it_is_over_and_no_other_one_is() {
        let (verified, principal) =
            (Verified::default(), Arc::new(Principal::authenticated("a", Scopes::ALL)));
        verified.remember(Digest::of("one"), &principal, 100, 1);
        assert_eq!(verified.principal(&Digest::of("one"), 100), Some(principal));
        assert_eq!(verified.principal(&Digest::of("one"), 101), None);
        assert_eq!(verified.principal(&Digest::of("two"), 1), None);
    }

    #[test]
    fn there_is_a_bound_and_room_again_once_tokens_are_over() {
        let (verified, principal) =
            (Verified::default(), Arc::new(Principal::authenticated("a", Scopes::ALL)));
        for number in 0..=MAX_TOKENS {
            verified.remember(Digest::of(&number.to_string()), &principal, 100, 1);
        }
        assert_eq!(verified.lock().len(), MAX_TOKENS);
        verified.remember(Digest::of("later"), &principal, 300, 200);
        assert_eq!(verified.lock().len(), 1);
        assert_eq!(verified.principal(&Digest::of("later"), 200), Some(principal));
    }
}

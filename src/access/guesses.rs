//! Slows down whoever shows wrong tokens. A right token is looked at before this, so nobody is ever locked out.
//!
//! It bounds what guessing costs this server; that no guess succeeds is for the token to see to, with its 256 bits.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::Semaphore;

use crate::measures;

/// Wrong tokens of one address that are answered at once, in a minute.
const AT_ONCE_A_MINUTE: u32 = 20;
/// How long the answer to a further one waits.
const PAUSE: Duration = Duration::from_secs(1);
/// Answers that wait at once; further ones wait for one of these places first.
const WAITING: usize = 512;
/// Addresses that are counted by themselves; further ones are counted as one.
const MAX_ADDRESSES: usize = 10_000;
/// Pause between two searches for addresses that can be forgotten, which look at all of them.
const SWEEP_PAUSE: Duration = Duration::from_secs(5);

/// Wrong tokens by the address that they came from.
#[derive(Debug)]
pub(super) struct Guesses {
    at_once: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    places: Semaphore,
    swept: Mutex<Instant>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            at_once: RateLimiter::hashmap(Quota::per_minute(
                NonZeroU32::new(AT_ONCE_A_MINUTE).unwrap_or(NonZeroU32::MIN),
            )),
            places: Semaphore::new(WAITING),
            swept: Mutex::new(Instant::now()),
        }
    }
}

impl Guesses {
    /// Waits until a wrong token from this address may be answered. True where it had to wait.
    pub(super) async fn wait(&self, client: Option<IpAddr>) -> bool {
        if self.at_once.check_key(&self.counted_as(client)).is_ok() {
            return false;
        }
        measures::refused_access("slowed");
        // Only a closed semaphore fails, and this one is never closed.
        let _place = self.places.acquire().await;
        tokio::time::sleep(PAUSE).await;
        true
    }

    /// The address that a client is counted by: of IPv6 the network, since whoever has one has all its addresses.
    fn counted_as(&self, client: Option<IpAddr>) -> IpAddr {
        let nobody = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let Some(client) = client else { return nobody };
        if self.at_once.len() >= MAX_ADDRESSES && !self.sweep() {
            return nobody;
        }
        match client.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        }
    }

    /// Forgets the addresses that have been quiet. False where there is no room after it.
    fn sweep(&self) -> bool {
        if let Ok(mut swept) = self.swept.lock()
            && swept.elapsed() >= SWEEP_PAUSE
        {
            *swept = Instant::now();
            self.at_once.retain_recent();
        }
        self.at_once.len() < MAX_ADDRESSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn slowed(guesses: &Guesses, address: &str) -> bool {
        guesses.wait(Some(address.parse().unwrap())).await
    }

    /// Paused time runs on as soon as everybody waits.
    #[tokio::test(start_paused = true)]
    async fn further_wrong_tokens_of_one_address_wait_and_others_do_not() {
        let guesses = Guesses::default();
        for _ in 0..AT_ONCE_A_MINUTE {
            assert!(!slowed(&guesses, "192.0.2.1").await);
        }
        assert!(slowed(&guesses, "192.0.2.1").await);
        assert!(slowed(&guesses, "::ffff:192.0.2.1").await, "the same address, written as IPv6");
        assert!(!slowed(&guesses, "192.0.2.2").await);
        assert!(!guesses.wait(None).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_client() {
        let guesses = Guesses::default();
        for host in 0..AT_ONCE_A_MINUTE {
            assert!(!slowed(&guesses, &format!("2001:db8::{host:x}")).await);
        }
        assert!(slowed(&guesses, "2001:db8::ffff").await);
        assert!(!slowed(&guesses, "2001:db8:0:1::1").await);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_addresses_are_counted_and_no_more() {
        let guesses = Guesses::default();
        for place in 0..u32::try_from(MAX_ADDRESSES + 100).unwrap() {
            guesses.wait(Some(IpAddr::V4((0x0A00_0000 + place).into()))).await;
        }
        assert!(guesses.at_once.len() <= MAX_ADDRESSES + 1);
        assert!(slowed(&guesses, "192.0.2.1").await, "newcomers are counted as one");
    }
}

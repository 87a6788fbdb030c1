//! Slows down whoever shows wrong tokens. A right token is looked at before this, so nobody is ever locked out.
//!
//! It bounds what guessing costs this server; that no guess succeeds is for the token to see to, with its 256 bits.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::measures;

/// Wrong tokens of one address that are answered at once, in a minute.
const AT_ONCE_A_MINUTE: u32 = 20;
/// How long the answer to a further one waits.
const PAUSE: Duration = Duration::from_secs(1);
/// Answers that wait at once, to one address and in all; further ones are turned away, so that guesses hold little and
/// nobody waits behind another one's.
const WAITING_OF_ONE: usize = 16;
const WAITING: usize = 512;
/// Addresses that are counted by themselves; further ones are counted as one.
const MAX_ADDRESSES: usize = 10_000;
/// Pause between two searches for addresses that can be forgotten, which look at all of them.
const SWEEP_PAUSE: Duration = Duration::from_secs(5);

/// Wrong tokens by the address that they came from.
#[derive(Debug)]
pub(super) struct Guesses {
    at_once: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    waiting: Mutex<Waiting>,
    swept: Mutex<Instant>,
}

/// How many answers wait, and to whom.
#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// When a wrong token is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// At once.
    AtOnce,
    /// After a pause, which is over.
    Slowly,
    /// Not at all: too many answers wait.
    TurnedAway,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            at_once: RateLimiter::hashmap(Quota::per_minute(
                NonZeroU32::new(AT_ONCE_A_MINUTE).unwrap_or(NonZeroU32::MIN),
            )),
            waiting: Mutex::default(),
            swept: Mutex::new(Instant::now()),
        }
    }
}

impl Guesses {
    /// Waits until a wrong token from this address may be answered, unless too many wait already.
    pub(super) async fn wait(&self, client: Option<IpAddr>) -> Told {
        let address = self.counted_as(client);
        if self.at_once.check_key(&address).is_ok() {
            return Told::AtOnce;
        }
        let Some(_place) = self.place(address) else {
            measures::refused_access("turned_away");
            return Told::TurnedAway;
        };
        measures::refused_access("slowed");
        tokio::time::sleep(PAUSE).await;
        Told::Slowly
    }

    fn place(&self, address: IpAddr) -> Option<Place<'_>> {
        let mut waiting = self.waiting();
        let theirs = waiting.by_address.get(&address).copied().unwrap_or_default();
        if waiting.all >= WAITING || theirs >= WAITING_OF_ONE {
            return None;
        }
        waiting.all += 1;
        waiting.by_address.insert(address, theirs + 1);
        Some(Place { guesses: self, address })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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

/// An answer that waits, until this is dropped: with the answer, or with whoever has hung up.
struct Place<'a> {
    guesses: &'a Guesses,
    address: IpAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.guesses.waiting();
        waiting.all = waiting.all.saturating_sub(1);
        if let Some(theirs) = waiting.by_address.get_mut(&self.address) {
            *theirs = theirs.saturating_sub(1);
            if *theirs == 0 {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    async fn told(guesses: &Guesses, address: &str) -> Told {
        guesses.wait(Some(address.parse().unwrap())).await
    }

    async fn slowed(guesses: &Guesses, address: &str) -> bool {
        told(guesses, address).await == Told::Slowly
    }

    /// An address of its own for each number, whose answers at once are used up.
    async fn guesser(guesses: &Guesses, number: usize) -> String {
        let address = format!("198.51.{}.{}", number / 256, number % 256);
        for _ in 0..AT_ONCE_A_MINUTE {
            told(guesses, &address).await;
        }
        address
    }

    #[tokio::test(start_paused = true)]
    async fn few_answers_to_one_address_wait_and_others_do_not_wait_behind_them() {
        let guesses = Guesses::default();
        let address = guesser(&guesses, 1).await;
        let answers = join_all((0..100).map(|_| told(&guesses, &address)));
        let honest = async {
            tokio::task::yield_now().await;
            let before = tokio::time::Instant::now();
            assert_eq!(told(&guesses, "192.0.2.2").await, Told::AtOnce);
            assert_eq!(before.elapsed(), Duration::ZERO);
        };
        let (answers, ()) = tokio::join!(answers, honest);
        assert_eq!(answers.iter().filter(|told| **told == Told::Slowly).count(), WAITING_OF_ONE);
        assert_eq!(answers.iter().filter(|told| **told == Told::TurnedAway).count(), 100 - WAITING_OF_ONE);
        assert!(slowed(&guesses, &address).await, "there is room again");
        assert!(guesses.waiting().by_address.is_empty(), "who does not wait is not kept");
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_answers_wait_in_all_and_those_who_hang_up_wait_no_more() {
        let guesses = Guesses::default();
        let mut addresses = Vec::new();
        for number in 0..=WAITING / WAITING_OF_ONE {
            addresses.push(guesser(&guesses, number).await);
        }
        let last = addresses.pop().unwrap();
        let mut waiting: Vec<_> = addresses
            .iter()
            .flat_map(|address| (0..WAITING_OF_ONE).map(|_| Box::pin(told(&guesses, address))))
            .collect();
        for answer in &mut waiting {
            assert!(futures_util::poll!(answer.as_mut()).is_pending());
        }
        assert_eq!(told(&guesses, &last).await, Told::TurnedAway);
        assert_eq!(told(&guesses, "192.0.2.2").await, Told::AtOnce, "an honest client's answer");
        drop(waiting);
        assert_eq!(told(&guesses, &last).await, Told::Slowly);
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
        assert_eq!(guesses.wait(None).await, Told::AtOnce);
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

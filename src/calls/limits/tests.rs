//! Places, minutes and days, in paused time.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::config;
use crate::domain::Scopes;
use crate::fintecture::CallContext;
use crate::store::{Counted, Name, StoreError, Version};
use crate::tools::{ErrorKind, Outcome};

fn somebody(name: &str) -> Principal {
    Principal::authenticated(name, Scopes::NONE)
}

fn limits(limits: CallLimits) -> Limits {
    Limits::new(limits, &Store::memory(), Environment::Simulator)
}

#[tokio::test]
async fn places_are_held_until_the_last_clone_is_dropped() {
    let limits = limits(CallLimits { in_flight: 3, in_flight_per_principal: 2, ..CallLimits::default() });
    let (ada, bob) = (somebody("ada"), somebody("bob"));
    let first = limits.admit(&ada).await.unwrap();
    let second = limits.admit(&ada).await.unwrap();
    assert_eq!(limits.admit(&ada).await.unwrap_err().limit, "calls-in-flight-per-principal");
    let third = limits.admit(&bob).await.unwrap();
    for everybody in [&bob, &Principal::local()] {
        assert_eq!(limits.admit(everybody).await.unwrap_err().limit, "calls-in-flight");
    }
    let clone = first.clone();
    drop(first);
    assert!(limits.admit(&ada).await.is_err());
    drop(clone);
    let fourth = limits.admit(&ada).await.unwrap();
    drop((second, third, fourth));
    assert!(limits.places.are_free());
    // Where nobody is told from others, there is one limit.
    let all = [limits.admit(&Principal::local()).await, limits.admit(&Principal::local()).await];
    assert!(all.iter().all(Result::is_ok) && limits.admit(&Principal::local()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_minute_begins_with_its_first_call_and_says_when_it_is_over() {
    let limits = limits(CallLimits { per_minute: 2, ..CallLimits::default() });
    let ada = somebody("ada");
    assert!(limits.admit(&ada).await.is_ok());
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(limits.admit(&ada).await.is_ok());
    tokio::time::advance(Duration::from_secs(10)).await;
    let over = limits.admit(&ada).await.unwrap_err();
    assert_eq!((over.limit, over.wait), ("calls-per-minute", Duration::from_secs(30)));
    let refusal = over.refusal(true);
    assert_eq!((refusal.kind, refusal.retry_after_seconds), (ErrorKind::RateLimited, Some(30)));
    assert_eq!(refusal.outcome, Some(Outcome::NotApplied));
    assert_eq!(over.refusal(false).outcome, None);
    assert!(limits.admit(&somebody("bob")).await.is_ok());
    for _ in 0..9 {
        assert!(limits.admit(&Principal::local()).await.is_ok());
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(limits.admit(&ada).await.is_ok(), "calls that were refused do not make it longer");
    tokio::time::advance(Duration::from_mins(2)).await;
    limits.admit(&ada).await.unwrap();
    assert_eq!(limits.minutes.windows(), 1, "those of who is gone are forgotten");
}

#[tokio::test(start_paused = true)]
async fn replicas_count_together() {
    let store = Store::memory();
    let limit = CallLimits { per_minute: 10, verifications_per_day: 10, ..CallLimits::default() };
    let replicas = [0; 3].map(|_| Limits::new(limit, &store, Environment::Simulator));
    let ada = somebody("ada");
    let calls = (0..30).map(|number| replicas[number % 3].admit(&ada));
    let admitted = join_all(calls).await.into_iter().flatten().count();
    assert_eq!(admitted, 10);
    let (customer, context) = ("cus_1".parse().unwrap(), Arc::new(CallContext::new(None)));
    let starts = (0..30).map(|number| replicas[number % 3].daily().count(&customer, &context));
    let counted: Vec<_> = join_all(starts).await.into_iter().filter_map(Result::ok).collect();
    assert_eq!(counted.len(), 10);
    // Dropped before they left, they are taken back.
    drop(counted);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(replicas[0].daily().look(&customer).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_day_of_verifications_is_over_after_a_day() {
    let limits = limits(CallLimits { verifications_per_day: 1, ..CallLimits::default() });
    let (daily, context) = (limits.daily(), Arc::new(CallContext::new(None)));
    let (one, other) = ("cus_1".parse().unwrap(), "cus_2".parse().unwrap());
    daily.look(&one).await.unwrap();
    daily.count(&one, &context).await.unwrap().ended(&Ok(())).await;
    let error = daily.look(&one).await.unwrap_err();
    assert_eq!((error.kind, error.outcome), (ErrorKind::RateLimited, Some(Outcome::NotApplied)));
    assert_eq!(daily.count(&one, &context).await.unwrap_err().kind, ErrorKind::RateLimited);
    // What may have been applied counts, and what certainly was not does not.
    daily.count(&other, &context).await.unwrap().ended(&Err::<(), _>(ToolError::declined())).await;
    daily.count(&other, &context).await.unwrap().ended(&Err::<(), _>(ToolError::panicked(true))).await;
    assert!(daily.look(&other).await.is_err());
    tokio::time::advance(Duration::from_hours(24)).await;
    daily.look(&one).await.unwrap();
}

/// A store that is gone, or has nothing but these numbers left to tell.
#[derive(Debug, Default)]
struct Nowhere(std::sync::Mutex<Vec<u64>>);

const LEFT: Duration = Duration::from_secs(40);

impl crate::store::Backend for Nowhere {
    fn get<'a>(&'a self, _: &'a Name) -> BoxFuture<'a, Result<Option<crate::store::Kept>, StoreError>> {
        std::future::ready(Err(StoreError::Gone)).boxed()
    }

    fn swap<'a>(
        &'a self,
        _: &'a Name,
        _: Option<Version>,
        _: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        std::future::ready(Err(StoreError::Gone)).boxed()
    }

    fn count<'a>(&'a self, _: &'a Name, _: Duration) -> BoxFuture<'a, Result<Counted, StoreError>> {
        match self.0.lock().unwrap().pop() {
            Some(number) => std::future::ready(Ok(Counted { number, left: LEFT })).boxed(),
            // It does not even say so.
            None => std::future::pending().boxed(),
        }
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_store_calls_are_counted_here_and_nothing_is_started() {
    let limit = CallLimits { per_minute: 3, ..CallLimits::default() };
    let limits = Limits::new(limit, &Store::with(Nowhere::default()), Environment::Simulator);
    let ada = somebody("ada");
    for _ in 0..3 {
        assert!(limits.admit(&ada).await.is_ok());
    }
    assert_eq!(limits.admit(&ada).await.unwrap_err().limit, "calls-per-minute");
    let (customer, context) = ("cus_1".parse().unwrap(), Arc::new(CallContext::new(None)));
    let looked = limits.daily().look(&customer).await.unwrap_err();
    let counted = limits.daily().count(&customer, &context).await.unwrap_err();
    for error in [looked, counted] {
        assert_eq!((error.kind, error.outcome), (ErrorKind::Internal, Some(Outcome::NotApplied)));
        assert!(error.retryable);
    }
}

/// The names are those of `--limit`, so that a metric leads to its flag.
#[test]
fn the_names_of_limits_are_those_of_the_flag() {
    for name in
        ["calls-in-flight", "calls-in-flight-per-principal", "calls-per-minute", "verifications-per-day"]
    {
        assert!(config::Limits::ALL.iter().any(|limit| limit.name == name), "{name}");
    }
}

/// Those who are counted together are told their numbers in any order.
#[tokio::test(start_paused = true)]
async fn whoever_is_over_the_limit_is_told_what_is_left_of_the_minute() {
    let limit = CallLimits { per_minute: 3, ..CallLimits::default() };
    let store = Store::with(Nowhere(vec![96, 100, 97, 99, 98].into()));
    let limits = Limits::new(limit, &store, Environment::Simulator);
    for _ in 0..5 {
        assert_eq!(limits.admit(&somebody("ada")).await.unwrap_err().wait, LEFT);
    }
}

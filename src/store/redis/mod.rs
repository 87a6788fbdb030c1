//! The store that replicas share: a Redis server, or what speaks like one.
//!
//! Redis is trusted to keep what it is given and to compare it, and with nothing else. Names are keyed digests, values
//! are sealed for their own name, so that none can be read, made up, or put in another's place. A value is written
//! where the sealed bytes are still those that were read: every sealing has bytes of its own. Counts are plain numbers.

mod counts;
mod link;

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::Script;
use secrecy::{ExposeSecret, SecretSlice};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep};

use super::{Backend, Counted, Kept, Name, SharedStore, StoreError, Version};
use crate::sealing::{Sealer, SealerError};
use counts::Counts;
use link::Link;

/// What every key begins with.
const PREFIX: &str = "fmcp";
/// Others change values, too, and tell nobody: how long one waits before looking again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long it is taken for granted that the store works, or does not.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// How long after its last use the store's memory is known by its name: from whoever did not ask for half of that, its
/// loss is not noticed.
const MEMORY_LIVES: Duration = Duration::from_hours(48);
/// How long a store that has lost its memory is known for that: as long as it would have remembered a write.
const FORGOT_FOR: Duration = Duration::from_mins(10);

/// Writes or removes a value where it is still what it was; an empty argument stands for no value.
const SWAP: &str = r"
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1";
/// The name of the store's memory, made up where it has none; whoever knew it by another name leaves a mark. How long
/// that is still there, in milliseconds.
const RECALL: &str = r"
local memory = redis.call('GET', KEYS[1]) or ARGV[2]
redis.call('SET', KEYS[1], memory, 'PX', ARGV[3])
if ARGV[1] ~= '' and ARGV[1] ~= memory then redis.call('SET', KEYS[2], '1', 'PX', ARGV[4]) end
return {memory, redis.call('PTTL', KEYS[2])}";
/// Counts so many more; the window ends so long after its first, and so long from now.
const COUNT: &str = r"
local count = redis.call('INCRBY', KEYS[1], ARGV[2])
if count == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}";

pub(super) struct Redis {
    link: Arc<Link>,
    names: hmac::Key,
    sealer: Sealer,
    swap: Script,
    count: Arc<Script>,
    counts: Counts,
    recall: Script,
    /// What the store's memory was called, and when.
    memory: std::sync::Mutex<Option<(String, Instant)>>,
    /// Something was changed from here.
    changed: Notify,
    health: Mutex<Option<(Instant, bool)>>,
}

impl Redis {
    pub(super) fn new(store: SharedStore) -> Result<Self, SealerError> {
        // Each use and each setting has a key of its own, whatever they are derived from.
        let derive = |purpose: &[u8]| {
            let mut context = hmac::Context::with_key(&hmac::Key::new(
                hmac::HMAC_SHA256,
                store.key.expose_secret().as_bytes(),
            ));
            context.update(purpose);
            context.update(&store.bound_to);
            SecretSlice::from(context.sign().as_ref().to_vec())
        };
        Ok(Self {
            names: hmac::Key::new(hmac::HMAC_SHA256, derive(b"names of values\0").expose_secret()),
            sealer: Sealer::from_secret(derive(b"values\0").expose_secret())?,
            link: Arc::new(Link::new(store.url, store.roots)),
            swap: Script::new(SWAP),
            count: Arc::new(Script::new(COUNT)),
            counts: Counts::default(),
            recall: Script::new(RECALL),
            memory: std::sync::Mutex::default(),
            changed: Notify::new(),
            health: Mutex::default(),
        })
    }

    /// The key of a value: who reads it learns its kind, and cannot check a guess of what it names.
    fn key(&self, name: &Name) -> String {
        let mut context = hmac::Context::with_key(&self.names);
        context.update(name.kind().as_bytes());
        context.update(&[0]);
        context.update(name.digest());
        let mut key = format!("{PREFIX}:{}:", name.kind());
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
        key.extend(context.sign().as_ref().iter().flat_map(digits).flatten());
        key
    }

    async fn read(&self, name: &Name) -> Result<Option<Kept>, StoreError> {
        let key = self.key(name);
        let mut get = redis::cmd("GET");
        get.arg(&key);
        let sealed: Option<Vec<u8>> =
            self.link.ask(|mut connection| async move { get.query_async(&mut connection).await }).await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let Some(bytes) = self.sealer.open_bytes(key.as_bytes(), &sealed) else {
            // Nobody with the key has written it, or not under this name.
            tracing::error!(kind = name.kind(), "a value in the store has been tampered with");
            return Err(StoreError::Gone);
        };
        Ok(Some(Kept { bytes, version: Version::Bytes(sealed) }))
    }

    async fn write(
        &self,
        name: &Name,
        version: Option<Version>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> Result<bool, StoreError> {
        let key = self.key(name);
        let expected = match version {
            Some(Version::Bytes(sealed)) => sealed,
            None => Vec::new(),
            Some(Version::Number(_)) => return Err(StoreError::Gone),
        };
        let (sealed, lives) = match value {
            Some((bytes, lives)) => {
                (self.sealer.seal_bytes(key.as_bytes(), &bytes).map_err(|_| StoreError::Gone)?, lives)
            }
            None => (Vec::new(), Duration::ZERO),
        };
        let mut swap = self.swap.key(key);
        swap.arg(expected).arg(sealed).arg(milliseconds(lives));
        let swapped =
            self.link.ask(|mut connection| async move { swap.invoke_async(&mut connection).await }).await;
        self.changed.notify_waiters();
        swapped
    }

    async fn count_one(&self, name: &Name, window: Duration) -> Result<Counted, StoreError> {
        let key = self.key(name);
        let (link, script, counted) = (Arc::clone(&self.link), Arc::clone(&self.count), key.clone());
        let ask = move |more: u64| {
            let (link, script, counted) = (Arc::clone(&link), Arc::clone(&script), counted.clone());
            async move {
                let mut count = script.key(counted);
                count.arg(milliseconds(window)).arg(more);
                let (number, left): (u64, i64) = link
                    .ask(|mut connection| async move { count.invoke_async(&mut connection).await })
                    .await?;
                let left = u64::try_from(left).map_or(window, Duration::from_millis);
                Ok(Counted { number, left })
            }
        };
        self.counts.one_more(key, ask).await
    }

    /// For how long the store is still known to have lost its memory. What two replicas kept of it before is what
    /// shows it: a server that starts empty, or was emptied, has another name for what it remembers.
    async fn recalled(&self) -> Result<Option<Duration>, StoreError> {
        let known = {
            let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.clone().filter(|(_, at)| at.elapsed() < MEMORY_LIVES / 2).map(|(name, _)| name)
        };
        let mut recall = self.recall.key(format!("{PREFIX}:memory"));
        recall
            .key(format!("{PREFIX}:forgot"))
            .arg(known.as_deref().unwrap_or_default())
            .arg(uuid::Uuid::new_v4().to_string())
            .arg(milliseconds(MEMORY_LIVES))
            .arg(milliseconds(FORGOT_FOR));
        let (memory, left): (String, i64) =
            self.link.ask(|mut connection| async move { recall.invoke_async(&mut connection).await }).await?;
        if known.is_some_and(|known| known != memory) {
            tracing::error!(
                "the store has lost its memory: writes are refused for ten minutes, since what was sent lately could be sent twice. Let it keep what it has on disk (appendonly yes)"
            );
        }
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some((memory, Instant::now()));
        // Negative where there is no mark.
        Ok(u64::try_from(left).ok().map(Duration::from_millis))
    }

    /// It is written to, too, since a server may answer and take no writes.
    async fn works(&self) -> bool {
        let mut health = self.health.lock().await;
        if let Some((at, works)) = *health
            && at.elapsed() < KNOWN_FOR
        {
            return works;
        }
        let works = self.recalled().await.is_ok();
        *health = Some((Instant::now(), works));
        works
    }
}

/// At least one: Redis refuses a life of nothing.
fn milliseconds(lives: Duration) -> u64 {
    u64::try_from(lives.as_millis()).unwrap_or(u64::MAX).max(1)
}

impl Backend for Redis {
    fn get<'a>(&'a self, name: &'a Name) -> BoxFuture<'a, Result<Option<Kept>, StoreError>> {
        self.read(name).boxed()
    }

    fn swap<'a>(
        &'a self,
        name: &'a Name,
        version: Option<Version>,
        value: Option<(Vec<u8>, Duration)>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.write(name, version, value).boxed()
    }

    fn count<'a>(&'a self, name: &'a Name, window: Duration) -> BoxFuture<'a, Result<Counted, StoreError>> {
        self.count_one(name, window).boxed()
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        let mut notified = Box::pin(self.changed.notified());
        notified.as_mut().enable();
        async move {
            tokio::select! {
                () = notified => {}
                () = sleep(LOOK_AGAIN) => {}
            }
        }
        .boxed()
    }

    fn is_usable(&self) -> BoxFuture<'_, bool> {
        self.works().boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn forgot(&self) -> BoxFuture<'_, Result<Option<Duration>, StoreError>> {
        self.recalled().boxed()
    }

    fn reload(&self) {
        self.link.reload();
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redis(..)")
    }
}

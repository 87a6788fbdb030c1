//! The shared store on a real Redis server: two replicas change one value, nobody reads it, and it comes back.

use std::time::Duration;

use fintecture_mcp::secret::Secret;
use fintecture_mcp::store::{Change, Name, SharedStore, Store, StoreError};

use crate::support::in_time;
use crate::support::redis::Redis;

const KEY: &str = "0123456789abcdef0123456789abcdef";
/// Stands for what nobody may read.
const CANARY: &str = "canary-iban-FR7630006000011234567890189";

fn store_with(redis: &Redis, key: &str, bound_to: &str) -> Store {
    let url = Secret::fixed(&redis.url());
    Store::shared(SharedStore { url, key: key.into(), bound_to: bound_to.into(), roots: None }).unwrap()
}

fn store(redis: &Redis) -> Store {
    store_with(redis, KEY, "sandbox")
}

fn name(part: &str) -> Name {
    Name::new("test", &[part.as_bytes()])
}

async fn put(store: &Store, name: &Name, value: &str, lives: Duration) -> Result<(), StoreError> {
    store.update(name, |_: Option<String>| (Change::Put(value.to_owned(), lives), ())).await
}

async fn get(store: &Store, name: &Name) -> Result<Option<String>, StoreError> {
    store.get(name).await
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn replicas_see_each_others_values_and_nobody_elses() {
    let redis = Redis::start().await;
    let (one, other) = (store(&redis), store(&redis));
    put(&one, &name("a"), "value", LONG).await.unwrap();
    assert_eq!(get(&other, &name("a")).await, Ok(Some("value".to_owned())));
    assert_eq!(get(&other, &name("b")).await, Ok(None));
    for stranger in [
        store_with(&redis, "another key of 32 characters ...", "sandbox"),
        store_with(&redis, KEY, "production"),
    ] {
        assert_eq!(get(&stranger, &name("a")).await, Ok(None));
    }
    let remove = |_: Option<String>| (Change::Remove, ());
    other.update(&name("a"), remove).await.unwrap();
    assert_eq!(get(&one, &name("a")).await, Ok(None));
    assert!(one.is_shared() && one.is_usable().await);
}

#[tokio::test]
async fn no_change_is_lost_where_replicas_change_one_value() {
    let redis = Redis::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = store(&redis);
        tasks.spawn(async move {
            for _ in 0..25 {
                let add = |value: Option<u32>| (Change::Put(value.unwrap_or(0) + 1, LONG), ());
                store.update(&name("a"), add).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(store(&redis).get::<u32>(&name("a")).await, Ok(Some(100)));
}

#[tokio::test]
async fn values_and_windows_end() {
    let redis = Redis::start().await;
    let store = store(&redis);
    put(&store, &name("a"), "value", Duration::from_millis(30)).await.unwrap();
    let window = Duration::from_secs(50);
    for count in 1..=3 {
        let counted = store.count(&name("n"), window).await.unwrap();
        assert!(counted.number == count && counted.left <= window && !counted.left.is_zero(), "{counted:?}");
    }
    assert_eq!(store.count(&name("short"), Duration::from_millis(1)).await.unwrap().number, 1);
    in_time(async {
        while get(&store, &name("a")).await != Ok(None) {
            store.changed().await;
        }
    })
    .await;
    // Everything expires, counts included, and keys that only a test looks at.
    let keys = String::from_utf8(redis.says(&["KEYS", "*"]).await).unwrap();
    let keys: Vec<&str> = keys.lines().filter(|line| line.starts_with("fmcp:")).collect();
    assert!(!keys.is_empty());
    for key in keys {
        let left = String::from_utf8(redis.says(&["PTTL", key]).await).unwrap();
        assert_ne!(left, ":-1\r\n", "{key} stays for ever");
    }
}

/// However many of them go to the server together.
#[tokio::test]
async fn everyone_counted_has_a_number_of_their_own_whichever_replica_counts() {
    let redis = Redis::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for store in [store(&redis), store(&redis)] {
        for _ in 0..100 {
            let store = store.clone();
            tasks.spawn(async move { store.count(&name("n"), LONG).await.unwrap().number });
        }
    }
    let mut counts = tasks.join_all().await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=200).collect::<Vec<u64>>());
}

#[tokio::test]
async fn who_reads_the_server_reads_nothing() {
    let redis = Redis::start().await;
    let store = store(&redis);
    put(&store, &name(CANARY), CANARY, LONG).await.unwrap();
    store.count(&Name::new("count", &[CANARY.as_bytes()]), LONG).await.unwrap();
    let dump = redis.dump().await;
    assert!(dump.windows(10).any(|window| window == b"fmcp:test:"), "the value is in it");
    for secret in [CANARY, KEY, "FR76"] {
        assert!(!dump.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

/// Whoever can write to the server can break what is kept there, and change nothing to their liking.
#[tokio::test]
async fn a_value_put_in_anothers_place_is_refused() {
    let redis = Redis::start().await;
    let store = store(&redis);
    put(&store, &name("mine"), "approved", LONG).await.unwrap();
    let before = String::from_utf8(redis.says(&["KEYS", "fmcp:test:*"]).await).unwrap();
    let mine = before.lines().find(|line| line.starts_with("fmcp:")).unwrap().to_owned();
    put(&store, &name("theirs"), "declined", LONG).await.unwrap();
    let after = String::from_utf8(redis.says(&["KEYS", "fmcp:test:*"]).await).unwrap();
    let theirs = after.lines().find(|line| line.starts_with("fmcp:") && *line != mine).unwrap();
    redis.says(&["COPY", &mine, theirs, "REPLACE"]).await;
    assert_eq!(get(&store, &name("theirs")).await, Err(StoreError::Gone));
    assert_eq!(get(&store, &name("mine")).await, Ok(Some("approved".to_owned())));
}

#[tokio::test]
async fn a_store_that_is_gone_is_an_error_and_comes_back_by_itself() {
    let mut redis = Redis::with(&["--appendonly", "yes"]).await;
    let store = store(&redis);
    put(&store, &name("a"), "value", LONG).await.unwrap();
    redis.kill().await;
    assert_eq!(get(&store, &name("a")).await, Err(StoreError::Gone));
    assert_eq!(put(&store, &name("a"), "other", LONG).await, Err(StoreError::Gone));
    assert_eq!(store.count(&name("n"), LONG).await, Err(StoreError::Gone));
    in_time(async { while store.is_usable().await {} }).await;
    redis.revive().await;
    in_time(async {
        while !store.is_usable().await {
            store.changed().await;
        }
    })
    .await;
    assert_eq!(get(&store, &name("a")).await, Ok(Some("value".to_owned())));
    put(&store, &name("a"), "other", LONG).await.unwrap();
}

#[tokio::test]
async fn a_store_that_was_never_there_is_used_once_it_is() {
    let mut redis = Redis::start().await;
    redis.kill().await;
    let store = store(&redis);
    assert_eq!(get(&store, &name("a")).await, Err(StoreError::Gone));
    assert!(!store.is_usable().await);
    redis.revive().await;
    in_time(async { while put(&store, &name("a"), "value", LONG).await.is_err() {} }).await;
}

/// A server that answers nobody is no better than none: nobody waits for it as long as a client would.
#[tokio::test]
async fn a_server_that_hangs_is_gone_too() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Secret::fixed(&format!("redis://{}", silent.local_addr().unwrap()));
    let store =
        Store::shared(SharedStore { url, key: KEY.into(), bound_to: Vec::new(), roots: None }).unwrap();
    assert_eq!(in_time(get(&store, &name("a"))).await, Err(StoreError::Gone));
}

#[tokio::test]
async fn a_full_server_takes_no_more_and_drops_nothing() {
    let redis = Redis::with(&["--maxmemory-policy", "noeviction"]).await;
    let store = store(&redis);
    put(&store, &name("a"), "value", LONG).await.unwrap();
    redis.says(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(put(&store, &name("b"), "value", LONG).await, Err(StoreError::Full));
    assert_eq!(store.count(&name("n"), LONG).await, Err(StoreError::Full));
    assert!(!store.is_usable().await);
    assert_eq!(get(&store, &name("a")).await, Ok(Some("value".to_owned())));
    redis.says(&["CONFIG", "SET", "maxmemory", "0"]).await;
    put(&store, &name("b"), "value", LONG).await.unwrap();
}

#[tokio::test]
async fn a_password_is_shown_to_the_server_and_a_wrong_one_is_no_way_in() {
    let redis = Redis::with(&["--requirepass", "canary-password"]).await;
    let of = |password: &str| {
        let url = redis.url().replace("redis://", &format!("redis://:{password}@"));
        let url = Secret::fixed(&format!("{url}/3"));
        Store::shared(SharedStore { url, key: KEY.into(), bound_to: Vec::new(), roots: None }).unwrap()
    };
    put(&of("canary-password"), &name("a"), "value", LONG).await.unwrap();
    assert_eq!(get(&of("wrong"), &name("a")).await, Err(StoreError::Gone));
    assert!(!format!("{:?}", of("canary-password")).contains("canary"));
}

/// Whoever knew the store before it started empty says so to those who did not.
#[tokio::test]
async fn a_store_that_lost_its_memory_is_known_for_that() {
    let mut redis = Redis::start().await;
    let old = store(&redis);
    assert_eq!(old.forgot().await, Ok(None));
    redis.kill().await;
    redis.revive().await;
    let new = store(&redis);
    assert_eq!(new.forgot().await, Ok(None), "nobody knows it yet");
    in_time(async { while old.forgot().await.is_err() {} }).await;
    for store in [&old, &new, &store(&redis)] {
        assert!(store.forgot().await.unwrap().is_some_and(|left| left <= Duration::from_mins(10)));
    }

    let mut redis = Redis::with(&["--appendonly", "yes"]).await;
    let old = store(&redis);
    assert_eq!(old.forgot().await, Ok(None));
    redis.kill().await;
    redis.revive().await;
    in_time(async { while old.forgot().await.is_err() {} }).await;
    assert_eq!(old.forgot().await, Ok(None), "what it wrote down it remembers");
    redis.says(&["FLUSHALL"]).await;
    assert!(old.forgot().await.unwrap().is_some());
}

#[tokio::test]
async fn tls_is_spoken_with_a_server_that_can_prove_itself_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = file("cert.pem", &made.cert.pem());
    let key = file("key.pem", &made.signing_key.serialize_pem());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let settings = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-auth-clients",
        "no",
    ];
    let _redis = Redis::with(&settings).await;
    let of = |roots: Option<Vec<u8>>| {
        let url = Secret::fixed(&format!("rediss://localhost:{port}"));
        Store::shared(SharedStore { url, key: KEY.into(), bound_to: Vec::new(), roots }).unwrap()
    };
    put(&of(Some(made.cert.pem().into_bytes())), &name("a"), "value", LONG).await.unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for stranger in [of(None), of(Some(other.cert.pem().into_bytes()))] {
        assert_eq!(get(&stranger, &name("a")).await, Err(StoreError::Gone));
    }
}

#[tokio::test]
async fn an_address_in_a_file_is_read_again_when_it_is_told() {
    let (redis, next) = (Redis::start().await, Redis::start().await);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, redis.url()).unwrap();
    let url = Secret::from_file(file.path()).unwrap();
    let moving =
        Store::shared(SharedStore { url, key: KEY.into(), bound_to: b"sandbox".to_vec(), roots: None })
            .unwrap();
    put(&moving, &name("a"), "value", LONG).await.unwrap();
    std::fs::write(&file, "not an address").unwrap();
    moving.reload();
    assert_eq!(get(&moving, &name("a")).await, Ok(Some("value".to_owned())), "it stays where it was");
    std::fs::write(&file, next.url()).unwrap();
    moving.reload();
    put(&moving, &name("b"), "value", LONG).await.unwrap();
    assert_eq!(get(&store(&next), &name("b")).await, Ok(Some("value".to_owned())));
}

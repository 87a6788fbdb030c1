//! What stands in the shared store, as whoever reads it sees it, and as whoever has the key does.

use aws_lc_rs::hmac;
use fintecture_mcp::sealing::Sealer;

use super::sinks::Sink;
use crate::support::in_time;
use crate::support::redis::Redis;

/// The key that everything in the store is sealed with. Nothing may hold it.
pub(super) const KEY: &str = "canary-store-key-of-32-characters";

/// Adds every name and value to what was seen in the store. A value that the key does not open is there to be read.
pub(super) async fn look(store: &mut Sink, redis: &Redis, base_url: &str) {
    let sealer = sealer(base_url);
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = in_time(client.get_multiplexed_async_connection()).await.unwrap();
    let keys: Vec<String> = in_time(redis::cmd("KEYS").arg("*").query_async(&mut connection)).await.unwrap();
    let mut opened = 0;
    for key in keys {
        store.shows(&key);
        let mut get = redis::cmd("GET");
        let value: Option<Vec<u8>> = in_time(get.arg(&key).query_async(&mut connection)).await.unwrap();
        let value = value.unwrap_or_default();
        if let Some(text) = sealer.open_bytes(key.as_bytes(), &value) {
            store.hides(&String::from_utf8_lossy(&text));
            opened += 1;
        } else {
            store.shows(&String::from_utf8_lossy(&value));
        }
    }
    assert!(opened > 0, "the key opens what is there");
    store.shows(&String::from_utf8_lossy(&redis.dump().await));
}

/// What every replica before this upstream seals its values with.
fn sealer(base_url: &str) -> Sealer {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()));
    context.update(b"values\0");
    for part in ["sandbox", &format!("{base_url}/")] {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    Sealer::from_secret(context.sign().as_ref()).unwrap()
}

//! What the tests stand on: the started program, clients for each way in, and upstreams that do as they are told.

pub(crate) mod agent;
pub(crate) mod bank;
pub(crate) mod browser;
pub(crate) mod canaries;
pub(crate) mod collector;
pub(crate) mod contract;
pub(crate) mod counting;
pub(crate) mod customers;
pub(crate) mod faults;
pub(crate) mod home;
pub(crate) mod http2;
pub(crate) mod http_server;
pub(crate) mod inside;
#[path = "../../../src/access/oauth/tests/issuer.rs"]
#[expect(dead_code, reason = "the unit tests, whose file it is, use more of it")]
pub(crate) mod issuer;
pub(crate) mod keys;
pub(crate) mod legacy_sse;
pub(crate) mod local;
pub(crate) mod operations;
pub(crate) mod person;
pub(crate) mod pipe;
pub(crate) mod plain;
pub(crate) mod process;
pub(crate) mod redis;
pub(crate) mod session;
pub(crate) mod setup;
pub(crate) mod simulator;
pub(crate) mod skill;
pub(crate) mod tables;
pub(crate) mod tally;
pub(crate) mod tokens;
pub(crate) mod upstream;
pub(crate) mod wire;

use std::time::Duration;

/// When a test counts as hung. Generous, since machines that run tests are busy.
const DEADLINE: Duration = Duration::from_mins(2);

/// Fails a test that hangs, instead of waiting for ever.
pub(crate) async fn in_time<T>(task: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, task).await.expect("hung: nothing came within two minutes")
}

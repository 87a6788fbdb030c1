//! The simulator: a stand-in for the Fintecture Customers API, over real HTTP and in memory.
//!
//! It keeps the promise of the API description (the `OpenAPI` file of nine operations) and adds the token endpoint
//! `POST /oauth/accesstoken`, so that a KYC story can be played through without a merchant account. It has its
//! own wire types and shares none with the client: a wrong field must show. Apart from `domain` it knows
//! nothing of this crate, and it never says which requests came from where.
//!
//! # Embedded and alone
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use fintecture_mcp::simulator::{self, SimulatorConfig};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let simulator = simulator::start(listener, SimulatorConfig::default())?;
//! let base_url = simulator.base_url(); // http://127.0.0.1:PORT, any bearer token will do
//! simulator.shutdown().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`start`] runs it beside the caller; [`serve`] runs it until a token is cancelled.
//!
//! # Verifications
//!
//! `provider_id` decides how a verification goes (see [`provider`]):
//!
//! | `provider_id` | outcome |
//! |---|---|
//! | `sim-instant`, any other, or none (answered as `sim-instant`) | decided at once |
//! | `sim-slow` | `pending`, decided after [`SLOW_DECISION`] |
//! | `sim-failed` | `failed` |
//! | `sim-never` | stays `pending` |
//!
//! A decision compares names, as a check by account information does. Compared are, on one side,
//! `expected_name` (without it: the customer's own person and company name) and, on the other, the holders of
//! the customer's bank accounts; a customer without accounts stands for themself. The best pair gives
//! `match_score`, from 0 to 1 in hundredths: `verified` from [`VERIFIED_FROM`] on, `unverified` below. Case,
//! accents, punctuation and the order of words do not count. Accounts whose holder reaches that score become
//! `verified` together with the verification. Names and accounts count as they were when it was started.
//! `match_score` is absent while `pending` and when `failed`.
//!
//! # Customers at the start
//!
//! | id | name | bank account: holder | for |
//! |---|---|---|---|
//! | `sim_cus_ada` | Ada Byron (`crm-1001`) | `sim_acc_ada`: Ada Byron | a match |
//! | `sim_cus_charles` | Charles Babbage (`crm-1002`) | `sim_acc_charles`: Georgiana Whitmore | another holder |
//! | `sim_cus_engines` | Luigi Menabrea, Analytical Engines SARL (`crm-1003`) | `sim_acc_engines`: Analytical Engines SARL | a company |
//! | `sim_cus_zoe` | Zoé Müller-Lefèvre (`crm-1004`) | `sim_acc_zoe`: LEFEVRE MULLER ZOE | accents, word order |
//! | `sim_cus_noor` | Noor Haddad (`crm-1005`) | none | a first account |
//! | `sim_cus_oscar` | Oscar Nilsen (`crm-1006`) | `sim_acc_oscar`: Oscar Nilsen, verified | `sim_ver_oscar_verified`, `_unverified`, `_failed`, `_pending` |
//!
//! # Signatures
//!
//! With [`SimulatorConfig::public_key`] every request for one of the nine operations must be signed as the
//! official SDKs sign: `Signature` (rsa-sha256 over exactly `(request-target) date digest x-request-id`, `digest`
//! only with a body), `Date` within [`MAX_DATE_SKEW`], `Digest` of the exact body bytes, and an `X-Request-ID`, a
//! uuid of version 4 that was not used in the last [`REQUEST_ID_MEMORY`]. Anything else is a 401 that says what is
//! wrong. The token endpoint asks for no signature.
//!
//! # Faults
//!
//! It fails on purpose where it is told to: [`SimulatorConfig::faults`], or `--fault`, several times. A fault is
//! written `KIND[=VALUE][:PROBABILITY][#TIMES][@WHERE]`, such as `reset-after:0.1@writes` or `expire-token#1`:
//!
//! | fault | the client sees | the operation |
//! |---|---|---|
//! | `latency=200ms` | the answer, later | carried out after the wait; not if the client is gone by then |
//! | `status=503` | this status, 300 to 599 | not carried out |
//! | `status-after=502` | this status | carried out |
//! | `rate-limit=2s` | 429, `Retry-After` in seconds, rounded up | not carried out |
//! | `rate-limit-date=2s` | 429, `Retry-After` as a date | not carried out |
//! | `reset-before` | a TCP reset, and no byte of an answer | not carried out |
//! | `reset-after` | the same | carried out |
//! | `late-commit=3s` | the same | carried out that much later, if it is right; writes alone |
//! | `hang` | nothing, until it gives up | not carried out |
//! | `hang-after` | the same | carried out |
//! | `truncate` | half the body, `Content-Length` of all of it, the end of the connection | carried out |
//! | `truncate-chunked` | half the body in chunks without the last, the end of the connection | carried out |
//! | `garbage` | the status, and bytes that are no text | carried out |
//! | `html` | the status, and a page of HTML | carried out |
//! | `half-json` | the status, and the first half of the JSON | carried out |
//! | `empty` | the status, and no body | carried out |
//! | `trickle=10B/s` | the body at so many bytes a second | carried out |
//! | `expire-token` | 401, though the token was good | not carried out |
//! | `short-token=5s` | a token that ends then, whatever its `expires_in` says | token endpoint alone |
//!
//! Times go up to 10 minutes. `PROBABILITY` is from 0 to 1, by default 1; `#TIMES` lets a fault happen so often and no
//! more. `@WHERE` is `reads`, `writes`, `token` (the token endpoint) or an operation id; by default a fault happens
//! to all nine operations. Faults are tried in their order: latencies add to what follows, and of the others the
//! first that is drawn happens. They come after the token and the signature: a request that these refuse is refused.
//! On HTTP/2 a reset ends every request of its connection. At most 1,000 late commits wait at a time; beyond that
//! such a request is a 503, and is not carried out. Late commits that wait when the simulator ends are lost.
//!
//! **Replay.** The seed is logged at the start, and the same seed draws the same faults. What happens to a request is
//! drawn from the seed, the operation, the query, the body and how often exactly this was asked before; ids in paths
//! do not count, since they are new in every run. So requests that differ in body or query can come in any order,
//! from any number of clients, and meet the same faults again. Only among requests that are alike but for their
//! path, and for `#TIMES`, does it matter who comes first.
//!
//! [`Simulator::effects`] tells what really happened, to hold the answers against; [`Simulator::settled`] waits for
//! late commits.
//!
//! # Where it is more lenient than a bank
//!
//! Whatever the API description calls valid is accepted: an IBAN, BIC, currency or phone is any string
//! there, a name may be empty, and an `external_id` may be used twice.
//!
//! # Limits
//!
//! Bodies up to 1 MiB (413). At most [`MAX_RECORDS`] records, [`MAX_RECORDS_PER_CUSTOMER`] a customer, and
//! [`MAX_TEXT_BYTES`] of text: beyond that 429 with `Retry-After`. Nothing is ever dropped.

mod clock;
mod config;
mod fault;
mod gate;
mod names;
mod oauth;
mod operation;
mod operations;
mod paging;
mod record;
mod records;
mod refusal;
mod request;
mod routes;
mod seeds;
mod server;
mod shared;
mod signature;
mod socket;
mod store;
mod tokens;
mod verdict;
mod wire;

#[cfg(test)]
mod tests;

pub use config::{InvalidSetting, SimulatorConfig};
pub use fault::{Fault, Faults};
pub use names::VERIFIED_FROM;
pub use operation::Operation;
pub use record::Effect;
pub use server::{Simulator, serve, start};
pub use signature::{MAX_DATE_SKEW, PublicKey, REQUEST_ID_MEMORY};
pub use store::{MAX_RECORDS, MAX_RECORDS_PER_CUSTOMER, MAX_TEXT_BYTES};
pub use verdict::{SLOW_DECISION, provider};

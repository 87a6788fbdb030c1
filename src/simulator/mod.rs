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

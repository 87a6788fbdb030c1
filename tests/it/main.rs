//! The program as its users meet it: one test binary, a module for each promise.
//!
//! Every test starts the real binary, or calls the library where thousands of calls are wanted, and speaks to it
//! through a real client. `support` holds what they stand on; each result of each tool call goes through
//! [`support::contract::Contract::check`].

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its world is not as it must be, in its helpers as much as in its body"
)]

mod access;
mod agent_sees;
mod answers;
mod approval_settings;
mod approving;
mod architecture;
mod asking;
mod attempts;
mod audit;
mod bad_arguments;
mod both_ways;
mod canaries;
mod cancelled_ids;
mod card;
mod check;
mod completions;
mod credentials;
mod crowd;
mod data;
mod demo;
mod dossier;
mod ending;
mod errors;
mod errors_page;
mod faults;
mod gate;
mod given_back;
mod given_up;
mod ids;
mod limits;
mod links;
mod log_lines;
mod lookups;
mod lost_writes;
mod masked;
mod network;
mod oauth;
mod outage;
mod plain_calls;
mod prompts;
mod properties;
mod repeats;
mod replicas;
mod replicas_die;
mod requests;
mod resources;
mod rest;
mod rest_refusals;
mod revisions;
mod rights;
mod session_calls;
mod session_ids;
mod setup_again;
mod setup_clients;
mod setup_files;
mod signing;
mod signing_in;
mod skill_export;
mod skills;
mod soak;
mod sockets;
mod sparing;
mod stdout_is_sacred;
mod stop_writes;
mod store_redis;
mod story;
mod support;
mod tasks;
mod twice;
mod unreadable_variables;
mod usage;
mod waiting;
mod watching;
mod wrong_credentials;

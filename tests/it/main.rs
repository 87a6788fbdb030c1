//! The program as its users meet it: one test binary, a module for each promise.
//!
//! Every test starts the real binary, or calls the library where thousands of calls are wanted, and speaks to it
//! through a real client. `support` holds what they stand on; each result of each tool call goes through
//! [`support::contract::Contract::check`].

mod agent_sees;
mod answers;
mod bad_arguments;
mod errors;
mod faults;
mod ids;
mod requests;
mod story;
mod support;

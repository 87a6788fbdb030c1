//! The upstream client: typed calls for the nine operations of the Fintecture Customers API.
//!
//! A call goes one way: path and method from the capability files, token, send, bounded read, decode. What
//! comes back is a [`Record`] or a [`Listing`] that keeps every field of the upstream, or a [`Failure`] that
//! says whether a write may have been applied. Knows nothing of tools and protocols; reqwest stays in here.

mod attempt;
mod body;
mod breaker;
mod client;
mod context;
mod credentials;
mod decode;
mod failure;
mod http;
mod models;
mod operations;
mod pools;
mod probe;
mod retry;
mod reuse;
mod sending;
mod signature;
mod text;
mod token_endpoint;
mod watched;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientConfig, ClientError};
pub use context::{CALL_BUDGET, CallContext, Seen};
pub use credentials::{Application, Credentials};
pub use failure::{Failure, FailureKind, Reach};
pub use models::{Listing, Record};
pub use operations::{CustomerFilter, Fintecture, NewBankAccount, NewCustomer, NewVerification, Upstream};
pub use probe::{Connection, NoConnection, TokenSource};
pub use signature::{KeyError, Signed, Signer};

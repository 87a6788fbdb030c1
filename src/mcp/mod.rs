//! The MCP face over [`calls`](crate::calls): one server object behind every transport.
//!
//! `prompts`, `completion`, `resources` and `links` are what stands beside the tools; `refusal` makes protocol errors.
//! Translates between rmcp's types and ours and decides nothing about tools. Knows no transport.

mod asking;
mod caller;
mod completion;
mod links;
mod prompts;
mod refusal;
mod resources;
mod server;
mod tasks;

pub use server::{Server, wire_tools};

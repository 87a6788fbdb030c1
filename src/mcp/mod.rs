//! The MCP face over [`calls`](crate::calls): one server object behind every transport.
//!
//! Translates between rmcp's types and ours and decides nothing about tools. Knows no transport.

mod completion;
mod links;
mod prompts;
mod refusal;
mod resources;
mod server;

pub use server::{Server, wire_tools};

//! The MCP face over [`calls`](crate::calls): one server object behind every transport.
//!
//! Translates between rmcp's types and ours and decides nothing about tools. Knows no transport.

mod asking;
mod caller;
mod server;

pub use server::{Server, wire_tools};

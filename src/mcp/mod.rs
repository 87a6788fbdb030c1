//! The MCP face over [`calls`](crate::calls): one server object behind every transport.
//!
//! `caller` and `asking` are who calls and how their person is asked; `tasks` is for clients that follow a wait by
//! themselves; `lists`, `prompts`, `completion`, `resources`, `skills`, `card` and `links` are what stands beside the
//! tools; `refusal` makes protocol errors; `object` reads objects strictly; `short` is a way around rmcp for the plainest calls.
//! Translates between rmcp's types and ours and decides nothing about tools. Knows no transport.

mod about;
mod asking;
mod caller;
mod card;
mod completion;
mod links;
mod lists;
mod object;
mod prompts;
mod refusal;
mod resources;
mod server;
mod short;
mod skills;
mod tasks;

pub use about::wire_tools;
pub use object::Object;
pub use server::{FormsCount, Server};
pub use short::{Agreement, PlainCall, PlainMessage, Short};

//! `fintecture-mcp`: the Fintecture Customers API for AI agents.

pub mod domain;
pub mod transports;

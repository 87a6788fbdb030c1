//! `fintecture-mcp`: the Fintecture Customers API for AI agents.

pub mod capability;
pub mod domain;

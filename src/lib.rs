//! `fintecture-mcp`: the Fintecture Customers API for AI agents.

pub mod calls;
pub mod capability;
pub mod config;
pub mod domain;
pub mod fintecture;
pub mod mcp;
pub mod tools;

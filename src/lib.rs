//! `fintecture-mcp`: the Fintecture Customers API for AI agents.

pub mod app;
pub mod calls;
pub mod capability;
mod cli;
pub mod config;
pub mod domain;
pub mod fintecture;
pub mod mcp;
pub mod simulator;
mod telemetry;
pub mod tools;
pub mod transports;

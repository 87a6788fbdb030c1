//! Faults: how the simulator fails on purpose, so that failure can be rehearsed. The table is in the
//! documentation of [`simulator`](super).
//!
//! `spec` reads what a person wrote, `chance` decides what happens to a request, `inject` does it, `body` spoils
//! answers. None of it knows what an operation means.

mod body;
mod chance;
mod inject;
mod kind;
mod spec;

pub(super) use chance::Chance;
pub(super) use inject::{TokenLife, inject};
pub use spec::{Fault, Faults};

#[cfg(test)]
pub(super) use kind::NAMES;

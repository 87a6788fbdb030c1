//! The simulator as its callers meet it: over a real socket.

mod api;
mod edges;
mod faults;
mod harness;
mod schema;
mod signatures;
mod torn;
mod verifying;

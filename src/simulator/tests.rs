//! The simulator as its callers meet it: over a real socket.

mod api;
mod edges;
mod harness;
mod schema;
mod verifying;

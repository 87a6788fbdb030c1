//! What the parts of a call take, each by itself, and how soon the server answers once it is started.
//!
//! `cargo bench --bench parts` runs everything; words after `--` choose (`cargo bench --bench parts -- start`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench ends where its world is not as it must be, and its figures would mean nothing"
)]

#[path = "../stand/bare.rs"]
#[expect(dead_code, reason = "the other benches use more of it")]
mod bare;

mod arguments;
mod audit;
mod result;
mod signature;
mod start;
mod tools;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(start::BARE) {
        return bare::serve_stdio().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    divan::main();
    ExitCode::SUCCESS
}

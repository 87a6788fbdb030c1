//! What the parts of a call take, each by itself, and how soon the server answers once it is started.
//!
//! `cargo bench --bench parts` runs everything; words after `--` choose (`cargo bench --bench parts -- start`).

#[path = "../stand/bare.rs"]
#[expect(dead_code, reason = "the other benches use more of it")]
mod bare;

use std::process::ExitCode;

/// The word that makes this binary the bare server.
const BARE: &str = "bare-stdio";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(BARE) {
        return bare::serve_stdio().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    divan::main();
    ExitCode::SUCCESS
}

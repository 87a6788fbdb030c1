//! What the benches share: the processes that they start, the upstream behind them, the bare passthrough beside them,
//! the clients of each wire, and the figures.
//!
//! A bench binary starts itself again for the upstream and the passthrough, so that each has a process, and so CPU
//! time and memory, of its own: its `main` begins with [`play`].

pub mod cases;
pub mod clients;
pub mod figures;
pub mod load;
pub mod nginx;
pub mod passthrough;
pub mod process;
pub mod server;
pub mod upstream;

use std::process::ExitCode;

/// Plays the part that this process was started for, if it was.
pub fn play() -> Option<ExitCode> {
    let mut words = std::env::args().skip(1);
    let ended = match words.next()?.as_str() {
        "upstream" => upstream::play(&words.next()?),
        "passthrough" => passthrough::play(&words.next()?),
        _ => return None,
    };
    Some(match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    })
}

/// Threads for a part that is no server to be measured: half of the cores, since it shares them with one.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2)
}

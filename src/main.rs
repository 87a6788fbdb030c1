//! Parse, load, run.

use std::process::ExitCode;

fn main() -> ExitCode {
    fintecture_mcp::app::main(std::env::args_os())
}

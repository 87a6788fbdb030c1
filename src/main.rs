//! Parse, load, run.

use std::process::ExitCode;

/// Calls allocate in small pieces on every thread: the system's allocator takes a third of a call for that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    fintecture_mcp::app::main(std::env::args_os())
}

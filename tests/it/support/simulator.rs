//! The simulator in the test's own process, where it can be asked what really happened.

use fintecture_mcp::simulator::{self, Faults, Simulator, SimulatorConfig};
use tokio::net::TcpListener;

use super::process::{Process, program};

/// Starts one that fails in these ways, and accepts any token.
pub(crate) async fn simulator(faults: &[&str]) -> Simulator {
    let faults = Faults::parse(faults.iter().copied(), 1).unwrap();
    start(SimulatorConfig { faults, ..SimulatorConfig::default() }).await
}

/// Starts one with these settings.
pub(crate) async fn start(config: SimulatorConfig) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    simulator::start(listener, config).unwrap()
}

/// The command `simulator` with these flags, and its address.
pub(crate) async fn alone(flags: &[&str]) -> (Process, String) {
    let mut command = program();
    command.arg("simulator").args(["--listen", "127.0.0.1:0"]).args(flags);
    let mut process = Process::start(command);
    let line = process.logged("answers at http://").await;
    let (_, base_url) = line.split_once("answers at ").unwrap();
    (process, base_url.to_owned())
}

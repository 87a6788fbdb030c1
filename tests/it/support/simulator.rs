//! The simulator in the test's own process, where it can be asked what really happened.

use fintecture_mcp::simulator::{self, Faults, Simulator, SimulatorConfig};
use tokio::net::TcpListener;

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

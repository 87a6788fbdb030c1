//! The simulator on a socket: started, found, asked what happened, and ended.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::Clock;
use super::config::SimulatorConfig;
use super::operation::Operation;
use super::record::Effect;
use super::routes::router;
use super::shared::Shared;
use super::socket::{Cut, Sockets};

/// How long requests that are under way may take once the simulator is told to end.
const GRACE: Duration = Duration::from_secs(2);

/// A simulator that runs beside its owner. Ends when it is dropped; [`shutdown`](Self::shutdown) also waits.
#[derive(Debug)]
pub struct Simulator {
    local_addr: SocketAddr,
    stop: DropGuard,
    running: JoinHandle<io::Result<()>>,
    shared: Arc<Shared>,
}

impl Simulator {
    /// The address that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The base URL for a client on this machine, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.local_addr)
    }

    /// Every write that took effect, in that order. Late commits stand here once they are committed:
    /// [`settled`](Self::settled) waits for them.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.shared.record.all_effects()
    }

    /// How many requests arrived for an operation, whatever became of them.
    #[must_use]
    pub fn requests(&self, operation: Operation) -> u64 {
        self.shared.record.requests(operation)
    }

    /// How often each fault happened so far: the fault as it was written, in the order of the settings.
    #[must_use]
    pub fn faults_done(&self) -> Vec<(String, u64)> {
        self.shared.chance.done()
    }

    /// Waits until no late commit is outstanding.
    pub async fn settled(&self) {
        self.shared.late.wait().await;
    }

    /// Ends it: no new connections, and two seconds for requests that are under way. Late commits that are
    /// still outstanding never take place.
    ///
    /// # Errors
    /// When the listener had failed, or the task was aborted with its runtime.
    pub async fn shutdown(self) -> io::Result<()> {
        drop(self.stop);
        self.running.await.map_err(io::Error::other)?
    }
}

/// Starts a simulator in the background, with its seeded customers. Needs a tokio runtime.
///
/// # Errors
/// When the listener has no address.
pub fn start(listener: TcpListener, config: SimulatorConfig) -> io::Result<Simulator> {
    spawn(listener, config, Clock::system())
}

/// Runs a simulator until `stop` is cancelled, then gives requests that are under way two seconds.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    config: SimulatorConfig,
    stop: CancellationToken,
) -> io::Result<()> {
    run(listener, Arc::new(Shared::new(config, Clock::system(), stop))).await
}

/// [`start`] with a clock of the tests' own.
pub(super) fn spawn(listener: TcpListener, config: SimulatorConfig, clock: Clock) -> io::Result<Simulator> {
    let local_addr = listener.local_addr()?;
    let stop = CancellationToken::new();
    let shared = Arc::new(Shared::new(config, clock, stop.clone()));
    let running = tokio::spawn(run(listener, shared.clone()));
    Ok(Simulator { local_addr, stop: stop.drop_guard(), running, shared })
}

async fn run(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    shared.chance.announce();
    let stop = shared.stop.clone();
    let service = router(shared).into_make_service_with_connect_info::<Cut>();
    let serving =
        axum::serve(Sockets(listener), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let out_of_patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        () = out_of_patience => Ok(()),
    }
}

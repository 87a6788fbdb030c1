//! The simulator on a socket: started, found and ended.

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clock::Clock;
use super::routes::router;

/// How long requests that are under way may take once the simulator is told to end.
const GRACE: Duration = Duration::from_secs(2);

/// How a simulator is started.
#[derive(Debug, Clone, Default)]
pub struct SimulatorConfig {
    /// The bearer token that opens it, beside those of its own token endpoint. `None`: any token does.
    pub token: Option<SecretString>,
}

/// A simulator that runs beside its owner. Ends when it is dropped; [`shutdown`](Self::shutdown) also waits.
#[derive(Debug)]
pub struct Simulator {
    local_addr: SocketAddr,
    stop: DropGuard,
    running: JoinHandle<io::Result<()>>,
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

    /// Ends it: no new connections, and two seconds for requests that are under way.
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
    spawn(listener, router(config.token, Clock::system()))
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
    run(listener, router(config.token, Clock::system()), stop).await
}

/// [`start`] for a router that tests have given their own clock.
pub(super) fn spawn(listener: TcpListener, router: Router) -> io::Result<Simulator> {
    let local_addr = listener.local_addr()?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(run(listener, router, stop.clone()));
    Ok(Simulator { local_addr, stop: stop.drop_guard(), running })
}

async fn run(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    let listener = listener.tap_io(|connection| {
        // Answers are small: waiting to fill a packet would only slow them down.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "the simulator could not set TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let out_of_patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving.into_future() => ended,
        () = out_of_patience => Ok(()),
    }
}

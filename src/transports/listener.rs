//! A TCP listener with caps: beyond the one in all nothing is accepted, so that newcomers wait in the kernel's queue
//! instead of taking memory here; beyond the one of an address its connections are closed at once.
//!
//! Knows sockets. Knows nothing of what is said on them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

use super::{
    addresses::{Addresses, Counted},
    client::Proxies,
};
use crate::measures;

/// Pause after an accept that failed for want of something, such as file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// The listener.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    slots: Arc<Semaphore>,
    addresses: Option<(Addresses, Proxies)>,
}

/// A connection that was accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) place: Place,
}

/// What a connection holds until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _slot: OwnedSemaphorePermit,
    _counted: Option<Counted>,
}

impl Listener {
    /// At most so many connections at once.
    pub(crate) fn new(socket: TcpListener, connections: usize) -> Self {
        Self { socket, slots: Arc::new(Semaphore::new(connections)), addresses: None }
    }

    /// At most so many of each address, but for those that many share.
    pub(crate) fn at_most_of_an_address(mut self, connections: usize, shared: Proxies) -> Self {
        self.addresses = Some((Addresses::new(connections), shared));
        self
    }

    /// The next connection. Nothing is lost when this is dropped before it returns.
    pub(crate) async fn accept(&self) -> Accepted {
        loop {
            let slot = self.slot().await;
            let (stream, peer) = match self.socket.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            };
            let counted = match &self.addresses {
                Some((addresses, shared)) if !shared.trust(peer.ip()) => {
                    let Some(counted) = addresses.count(peer.ip()) else {
                        measures::limit_hit("connections-per-address");
                        continue;
                    };
                    Some(counted)
                }
                _ => None,
            };
            // Without it every event waits some 40 ms for an acknowledgement.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY was not set");
            }
            return Accepted { stream, peer, place: Place { _slot: slot, _counted: counted } };
        }
    }

    async fn slot(&self) -> OwnedSemaphorePermit {
        if self.slots.available_permits() == 0 {
            measures::limit_hit("connections");
        }
        loop {
            if let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await {
                return slot;
            }
            // Only a closed semaphore fails, and this one is never closed.
            std::future::pending::<()>().await;
        }
    }
}

async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    // The client was gone before it was accepted.
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!(%error, "a connection could not be accepted");
    sleep(PAUSE).await;
}

//! A TCP listener with a cap on the connections that are open at once. Beyond it nothing is accepted, so that
//! newcomers wait in the kernel's queue instead of taking memory here.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::serve::{Listener, ListenerExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// The listener.
#[derive(Debug)]
struct Capped {
    listener: TcpListener,
    slots: Arc<Semaphore>,
}

/// A connection that holds its slot until it is dropped.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
}

/// Caps `listener`, and sets `TCP_NODELAY` on what it accepts: without it every event waits some 40 ms for an
/// acknowledgement.
pub(crate) fn capped(listener: TcpListener, connections: usize) -> impl Listener<Addr = SocketAddr> {
    Capped { listener, slots: Arc::new(Semaphore::new(connections)) }.tap_io(|connection| {
        if let Err(error) = connection.stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
    })
}

impl Listener for Capped {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                // Only a closed semaphore fails, and this one is never closed.
                std::future::pending::<()>().await;
                continue;
            };
            // axum's own accept logs errors and tries again.
            let (stream, address) = Listener::accept(&mut self.listener).await;
            return (Connection { stream, _slot: slot }, address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

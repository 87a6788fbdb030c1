//! Sockets that can be torn while a request is under way, as a failing network tears them.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// A listener whose connections can be torn.
pub(super) struct Sockets(pub(super) TcpListener);

impl Listener for Sockets {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small: waiting to fill a packet would only slow them down.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the simulator could not set TCP_NODELAY");
        }
        (Line { stream, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Tears one connection. Handlers find it in [`ConnectInfo`](axum::extract::ConnectInfo).
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on nothing is written. The next attempt, which the answer of the handler brings about,
    /// ends the connection with a TCP reset, and with it every other request on it.
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, Sockets>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Sockets>) -> Self {
        stream.io().cut.clone()
    }
}

/// A connection.
pub(super) struct Line {
    stream: TcpStream,
    cut: Cut,
}

impl Line {
    /// The way to the client, unless it was cut.
    ///
    /// # Errors
    /// When it was cut. The stream is then set to reset the connection as soon as it is dropped: no byte that
    /// was buffered goes out, and the client sees no orderly end.
    fn outward(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        let line = self.get_mut();
        if line.cut.0.load(Ordering::Acquire) {
            line.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut line.stream))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outward()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.outward()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outward()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outward()?.poll_shutdown(context)
    }
}

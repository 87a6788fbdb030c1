//! Standard input and output as this process got them: pipes, sockets (Node's clients), or anything else.
//!
//! Knows file descriptors. Knows nothing of what is said over them.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileTypeExt,
    },
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd},
    net::unix::pipe,
};

/// Where messages come from.
pub(crate) type Input = Box<dyn AsyncRead + Send + Unpin>;
/// Where answers go.
pub(crate) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Standard input, read by the runtime itself where it is a pipe or a socket, and on a thread of its own elsewhere.
///
/// The descriptor may be shared with others (the shell that started us, a terminal, our own standard error), so it
/// is never made non-blocking: a pipe is opened once more, and a socket is asked call by call.
pub(crate) fn input() -> Input {
    let stdin = io::stdin();
    match Kind::of(&stdin) {
        // Opened under the name that Linux has for it. Elsewhere, or where that is not allowed, the thread has to do.
        Kind::Pipe => match pipe::OpenOptions::new().open_receiver("/proc/self/fd/0") {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdin()),
        },
        Kind::Socket => match Socket::of(&stdin, Interest::READABLE) {
            Ok(socket) => Box::new(socket),
            Err(_) => Box::new(tokio::io::stdin()),
        },
        Kind::Other => Box::new(tokio::io::stdin()),
    }
}

/// Standard output, in the same way.
pub(crate) fn output() -> Output {
    let stdout = io::stdout();
    match Kind::of(&stdout) {
        Kind::Pipe => match pipe::OpenOptions::new().open_sender("/proc/self/fd/1") {
            Ok(pipe) => Box::new(pipe),
            Err(_) => Box::new(tokio::io::stdout()),
        },
        Kind::Socket => match Socket::of(&stdout, Interest::WRITABLE) {
            Ok(socket) => Box::new(socket),
            Err(_) => Box::new(tokio::io::stdout()),
        },
        Kind::Other => Box::new(tokio::io::stdout()),
    }
}

#[derive(Debug, PartialEq)]
enum Kind {
    Pipe,
    Socket,
    Other,
}

impl Kind {
    fn of(stream: &impl AsFd) -> Self {
        let kind = own(stream).and_then(|fd| File::from(fd).metadata()).map(|found| found.file_type());
        match kind {
            Ok(kind) if kind.is_fifo() => Self::Pipe,
            Ok(kind) if kind.is_socket() => Self::Socket,
            _ => Self::Other,
        }
    }
}

fn own(stream: &impl AsFd) -> io::Result<OwnedFd> {
    stream.as_fd().try_clone_to_owned()
}

/// A stream socket that stays in whatever mode its other owners have it in.
#[derive(Debug)]
struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    #[expect(deprecated, reason = "it fears for what does not own its descriptor, and an OwnedFd does")]
    fn of(stream: &impl AsFd, interest: Interest) -> io::Result<Self> {
        AsyncFd::with_interest(own(stream)?, interest).map(Self)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut socket = ready!(self.0.poll_read_ready(context))?;
            let read = socket
                .try_io(|fd| Ok(recv(fd, buffer.initialize_unfilled(), RecvFlags::DONTWAIT)?))
                .map(|read| read.map(|(length, _)| buffer.advance(length)));
            if let Ok(read) = read {
                return Poll::Ready(read);
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut socket = ready!(self.0.poll_write_ready(context))?;
            if let Ok(written) = socket.try_io(|fd| Ok(send(fd, bytes, SendFlags::DONTWAIT)?)) {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing: to shut the socket down would do so for its other owners as well. It closes when the process ends.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

//! The pace of one connection: what its client is late with. A client may be as slow as it likes within these times;
//! beyond, its connection ends, and with it all that it holds.
//!
//! Knows bytes and clocks. Knows nothing of requests but when they begin and end. A request body has a time of its
//! own, and so have streams.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// For the head of a request, and for the first request of a connection.
    pub(crate) head: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// To take what is written to it.
    pub(crate) write: Duration,
}

/// What a client is late with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// The head of a request.
    Head,
    /// Reading its answers.
    Reading,
    /// Nothing: it has no request, and its connection is not needed.
    Idle,
}

/// The clock of one connection. Setting it costs a few atomic writes a request, and no timer.
#[derive(Debug)]
pub(crate) struct Pace {
    opened: Instant,
    requests: AtomicUsize,
    has_had_one: AtomicBool,
    is_http2: AtomicBool,
    idle_since: AtomicU64,
    head_since: Moment,
    stalled_since: Moment,
}

/// Milliseconds after the opening, plus one; zero for never.
#[derive(Debug, Default)]
struct Moment(AtomicU64);

impl Moment {
    fn get(&self) -> Option<u64> {
        self.0.load(Ordering::Relaxed).checked_sub(1)
    }

    /// The first setting counts until it is cleared.
    fn set(&self, now: u64) {
        let _ = self.0.compare_exchange(0, now + 1, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Pace {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            requests: AtomicUsize::new(0),
            has_had_one: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            head_since: Moment::default(),
            stalled_since: Moment::default(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }

    /// A request has come; it lasts until what this returns is dropped, with the last of its answer.
    pub(crate) fn request(self: &Arc<Self>, is_http2: bool) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_had_one.store(true, Ordering::Relaxed);
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.head_since.clear();
        Busy(Arc::clone(self))
    }

    fn has_read(&self) {
        // Over HTTP/2 there are frames between requests, too.
        if self.requests.load(Ordering::Relaxed) == 0 && !self.is_http2.load(Ordering::Relaxed) {
            self.head_since.set(self.now());
        }
    }

    /// Says how long nothing can be late, or what is.
    pub(crate) fn look(&self, waits: &Waits) -> Result<Duration, Late> {
        let now = self.now();
        let left = |since: u64, wait: Duration, late: Late| {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            match since.saturating_add(wait).checked_sub(now) {
                None | Some(0) => Err(late),
                Some(left) => Ok(Duration::from_millis(left)),
            }
        };
        let mut next = waits.head.min(waits.idle).min(waits.write);
        if let Some(since) = self.stalled_since.get() {
            next = next.min(left(since, waits.write, Late::Reading)?);
        }
        if self.requests.load(Ordering::Relaxed) > 0 {
            return Ok(next);
        }
        if let Some(since) = self.head_since.get() {
            next = next.min(left(since, waits.head, Late::Head)?);
        }
        let idle_since = self.idle_since.load(Ordering::Relaxed);
        Ok(next.min(if self.has_had_one.load(Ordering::Relaxed) {
            left(idle_since, waits.idle, Late::Idle)?
        } else {
            left(0, waits.head, Late::Head)?
        }))
    }
}

/// A request that is being served.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Pace>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.idle_since.store(self.0.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A byte stream that tells the pace what moves.
#[derive(Debug)]
pub(crate) struct Paced<T> {
    stream: T,
    pace: Arc<Pace>,
}

impl<T> Paced<T> {
    pub(crate) fn new(stream: T, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }

    fn wrote<R>(&self, outcome: Poll<R>) -> Poll<R> {
        if outcome.is_pending() {
            self.pace.stalled_since.set(self.pace.now());
        } else {
            self.pace.stalled_since.clear();
        }
        outcome
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.pace.has_read();
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(context);
        self.wrote(outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(context);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

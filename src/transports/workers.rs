//! The threads that serve connections, one a core, each with a runtime of its own: what a connection is served with stays
//! on one core, and no thread has to wake another one for it. That takes a fifth off a call's CPU time.
//!
//! Connections are shared out as they come, to whoever has the fewest, and so are the calls of a connection that has many
//! at once. Knows threads. Knows nothing of what is served.

use std::{
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    runtime::{Builder, Handle, Runtime},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// How long a thread's end waits for work that blocks it.
const LAST_WORK: Duration = Duration::from_millis(100);

/// The threads. They end when the last clone is dropped, and with them what still runs there.
#[derive(Debug, Clone)]
pub struct Workers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    workers: Vec<Worker>,
    _end: DropGuard,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    /// Connections and calls that it has.
    shared_out: Arc<AtomicUsize>,
}

impl Workers {
    /// Starts as many as there are cores to be had.
    ///
    /// # Errors
    /// Where there is no thread, or none of what a runtime needs, to be had.
    pub fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let end = CancellationToken::new();
        let start = |number| Worker::start(number, end.clone());
        let workers = (0..count).map(start).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Inner { workers, _end: end.drop_guard() })))
    }

    /// Serves a connection on the thread that has the least.
    pub(crate) fn serve<F>(
        &self,
        connections: &TaskTracker,
        stream: TcpStream,
        connection: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send,
    {
        let Some((worker, one)) = self.next() else { return };
        // It leaves the runtime that accepted it, which would have to wake this one for each of its bytes.
        let stream = stream.into_std();
        let connection = async move {
            let _one = one;
            match stream.and_then(TcpStream::from_std) {
                Ok(stream) => connection(stream).await,
                Err(error) => tracing::error!(%error, "a connection was lost as soon as it was accepted"),
            }
        };
        connections.spawn_on(connection, &worker.runtime);
    }

    /// Runs a call there.
    pub(crate) fn spawn(&self, call: impl Future<Output = ()> + Send + 'static) {
        let Some((worker, one)) = self.next() else { return };
        worker.runtime.spawn(async move {
            let _one = one;
            call.await;
        });
    }

    /// The thread that has the least, which has one more from now on.
    fn next(&self) -> Option<(&Worker, One)> {
        let worker = self.0.workers.iter().min_by_key(|worker| worker.shared_out.load(Ordering::Relaxed))?;
        worker.shared_out.fetch_add(1, Ordering::Relaxed);
        Some((worker, One(Arc::clone(&worker.shared_out))))
    }
}

impl Worker {
    fn start(number: usize, end: CancellationToken) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let serve = move || run(runtime, &end);
        thread::Builder::new().name(format!("worker-{number}")).spawn(serve)?;
        Ok(Self { runtime: handle, shared_out: Arc::default() })
    }
}

fn run(runtime: Runtime, end: &CancellationToken) {
    runtime.block_on(end.cancelled());
    runtime.shutdown_timeout(LAST_WORK);
}

/// A connection that is open, or a call.
struct One(Arc<AtomicUsize>);

impl Drop for One {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

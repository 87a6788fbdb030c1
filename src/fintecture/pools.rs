//! Connections to the upstream, in a pool a thread: one is served by the thread that opened it, and what comes over it
//! wakes no other. Where a thread's own has none to spare, one of another's is taken before a further one is opened: over
//! all pools there are no more than there are requests at a time.

use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use url::Url;

use super::http;
use super::reuse::{Reuse, Turn};

/// The pools.
pub(super) struct Pools {
    host: Host,
    all: RwLock<Vec<Arc<Pool>>>,
}

/// Where their connections lead, and what is trusted there.
pub(super) struct Host {
    pub(super) url: Url,
    pub(super) timeout: Duration,
    pub(super) certificates: Vec<reqwest::Certificate>,
}

struct Pool {
    thread: ThreadId,
    http: reqwest::Client,
    reuse: Reuse,
}

impl Pools {
    /// With the one of this thread. Connects to nothing yet.
    ///
    /// # Errors
    /// Where the HTTP stack does not start.
    pub(super) fn new(host: Host) -> Result<Self, reqwest::Error> {
        let own = Pool::new(&host)?;
        Ok(Self { host, all: RwLock::new(vec![Arc::new(own)]) })
    }

    /// What this thread sends requests with, where nobody counts them.
    ///
    /// # Errors
    /// Where the HTTP stack of this thread does not start.
    pub(super) fn http(&self) -> Result<reqwest::Client, reqwest::Error> {
        self.own().map(|pool| pool.http.clone())
    }

    /// What to send a request with that is about to leave; the turn is to be kept until its answer has been read.
    ///
    /// # Errors
    /// Where the HTTP stack of this thread does not start.
    pub(super) fn turn(&self) -> Result<(reqwest::Client, Turn), reqwest::Error> {
        let own = self.own()?;
        let (pool, turn) = match own.reuse.request_on_what_is_open() {
            Some(turn) => (own, turn),
            None => self.elsewhere().unwrap_or_else(|| {
                let turn = own.reuse.request();
                (own, turn)
            }),
        };
        Ok((pool.http.clone(), turn))
    }

    /// This thread's own pool.
    ///
    /// # Errors
    /// Where the HTTP stack does not start.
    fn own(&self) -> Result<Arc<Pool>, reqwest::Error> {
        let thread = thread::current().id();
        let known = self.read().iter().find(|pool| pool.thread == thread).map(Arc::clone);
        if let Some(own) = known {
            return Ok(own);
        }
        // Nobody else can have made it meanwhile.
        let own = Arc::new(Pool::new(&self.host)?);
        self.all.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&own));
        Ok(own)
    }

    /// A pool that has a connection to spare.
    fn elsewhere(&self) -> Option<(Arc<Pool>, Turn)> {
        self.read().iter().find_map(|pool| Some((Arc::clone(pool), pool.reuse.request_on_what_is_open()?)))
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Arc<Pool>>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn new(host: &Host) -> Result<Self, reqwest::Error> {
        let reuse = Reuse::default();
        let http = http::stack(&host.url, host.timeout, &host.certificates, &reuse)?;
        Ok(Self { thread: thread::current().id(), http, reuse })
    }
}

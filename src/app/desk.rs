//! Where a person finds the approval pages: on the HTTP server, or on a listener of their own beside stdio.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::browser::Browser;
use crate::calls::approvals::{Approvals, Desk};
use crate::domain::Environment;
use crate::{pages, transports};

/// The pages stand on the HTTP server, whose machine may be nobody's: no browser is opened there.
#[derive(Debug)]
pub(super) struct HttpDesk {
    origin: String,
}

impl HttpDesk {
    /// Where people find the server.
    pub(super) fn new(origin: String) -> Self {
        Self { origin }
    }
}

impl Desk for HttpDesk {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { Some(self.origin.clone()) })
    }

    fn has_browser(&self) -> bool {
        false
    }

    fn open(&self, _: &str) {}
}

/// The pages stand on a listener of their own, which is bound when the first of them is needed.
#[derive(Debug)]
pub(super) struct StdioDesk {
    listen: SocketAddr,
    environment: Environment,
    browser: Option<Browser>,
    /// Set once no command of the browser works: then there is none.
    no_browser_works: Arc<AtomicBool>,
    /// Set once, right after both exist: each knows the other.
    approvals: OnceLock<Weak<Approvals>>,
    origin: OnceCell<String>,
    shutdown: CancellationToken,
}

impl StdioDesk {
    /// To be served at `listen` until `shutdown`.
    pub(super) fn new(listen: SocketAddr, environment: Environment, shutdown: CancellationToken) -> Self {
        Self {
            listen,
            environment,
            browser: Browser::find(),
            no_browser_works: Arc::default(),
            approvals: OnceLock::new(),
            origin: OnceCell::new(),
            shutdown,
        }
    }

    /// Says whose pages these are.
    pub(super) fn serves(&self, approvals: &Arc<Approvals>) {
        let _ = self.approvals.set(Arc::downgrade(approvals));
    }

    /// Binds the listener and serves. What fails is tried again at the next need.
    async fn start(&self) -> Option<String> {
        let approvals = self.approvals.get()?.upgrade()?;
        let bound = TcpListener::bind(self.listen).await.and_then(|listener| {
            let address = listener.local_addr()?;
            Ok((listener, transports::origin(address, false, None)))
        });
        let (listener, origin) = match bound {
            Ok(bound) => bound,
            Err(error) => {
                tracing::error!(%error, address = %self.listen, "the approval pages cannot be served");
                return None;
            }
        };
        tracing::info!("serving the approval pages at {origin}");
        let pages = pages::routes(approvals, self.environment);
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            if let Err(error) = transports::serve_pages(listener, pages, shutdown).await {
                tracing::error!(%error, "the approval pages are served no more");
            }
        });
        Some(origin)
    }
}

impl Desk for StdioDesk {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async {
            let origin = self.origin.get_or_try_init(async || self.start().await.ok_or(()));
            origin.await.ok().cloned()
        })
    }

    fn has_browser(&self) -> bool {
        self.browser.is_some() && !self.no_browser_works.load(Ordering::Relaxed)
    }

    fn open(&self, address: &str) {
        if let Some(browser) = &self.browser {
            browser.open(address, Arc::clone(&self.no_browser_works));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn desk(listen: SocketAddr) -> (Arc<StdioDesk>, Arc<Approvals>) {
        let desk = Arc::new(StdioDesk::new(listen, Environment::Simulator, CancellationToken::new()));
        let approvals = Approvals::new(None, Arc::clone(&desk) as Arc<dyn Desk>, Store::memory());
        desk.serves(&approvals);
        (desk, approvals)
    }

    #[tokio::test]
    async fn the_pages_are_served_once_and_from_the_first_need_on() {
        let (desk, _approvals) = desk("127.0.0.1:0".parse().unwrap());
        assert!(desk.origin.get().is_none());
        let (one, other) = futures_util::join!(desk.origin(), desk.origin());
        assert_eq!(one, other);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = format!("{}/approvals/{}", one.unwrap(), "A".repeat(22));
        assert_eq!(client.get(&page).send().await.unwrap().status(), 404);
        let elsewhere = client.get(&page).header("host", "evil.example").send().await.unwrap();
        assert_eq!(elsewhere.status(), 403);
    }

    #[tokio::test]
    async fn a_port_in_use_is_tried_again_later() {
        // Of several, since another test may take one as soon as it is free.
        for _ in 0..5 {
            let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (desk, _approvals) = desk(taken.local_addr().unwrap());
            assert_eq!(desk.origin().await, None);
            drop(taken);
            if desk.origin().await.is_some() {
                return;
            }
        }
        panic!("no port was tried again");
    }
}

//! Where the pages stand, as far as approvals need to know.

use std::fmt;

use futures_util::future::BoxFuture;

/// Where a person finds the pages, and how they are brought there.
pub trait Desk: fmt::Debug + Send + Sync {
    /// Such as `http://127.0.0.1:41234`; on stdio the page server starts here, on first need. None: it cannot be
    /// served.
    fn origin(&self) -> BoxFuture<'_, Option<String>>;
    /// Whether there is a browser of the person's to open (stdio only).
    fn has_browser(&self) -> bool;
    /// Opens it. The address holds a key: it stands in no log.
    fn open(&self, address: &str);
}

/// No pages anywhere.
#[derive(Debug)]
pub(super) struct NoDesk;

impl Desk for NoDesk {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }

    fn has_browser(&self) -> bool {
        false
    }

    fn open(&self, _: &str) {}
}

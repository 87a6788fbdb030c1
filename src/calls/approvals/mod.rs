//! Approvals: a person's yes to one write.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::repeats::Key;
use crate::tools::Question;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalId(String);
impl ApprovalId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
#[derive(Debug, Clone)]
pub struct Ticket {
    pub id: ApprovalId,
    pub url: String,
    pub expires_at: String,
}
#[derive(Debug)]
pub enum Standing {
    Unknown,
    Waiting(Ticket),
    Approved,
    Declined,
}
#[derive(Debug)]
pub enum Refused {
    TooMany { retry_after_seconds: u64 },
    NoPage,
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confirm {
    #[default]
    Never,
    Auto,
    Always,
}
impl std::fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
pub trait Desk: Debug + Send + Sync {
    fn origin(&self) -> BoxFuture<'_, Option<String>>;
}
#[derive(Debug, Default)]
pub struct Approvals;
#[derive(Debug)]
pub struct Taken;
impl Approvals {
    pub fn without_page() -> Arc<Self> {
        Arc::new(Self)
    }
    pub fn has_page(&self) -> bool {
        false
    }
    pub fn standing(&self, _: &Key) -> Standing {
        Standing::Unknown
    }
    pub async fn open(self: &Arc<Self>, _: &str, _: Key, _: Question) -> Result<Ticket, Refused> {
        Err(Refused::NoPage)
    }
    pub async fn decided(&self, _: &ApprovalId) {}
    pub fn take(&self, _: &Key) -> Option<Taken> {
        None
    }
    pub fn put_back(&self, _: Taken) {}
    pub fn withdraw(&self, _: &ApprovalId) {}
}

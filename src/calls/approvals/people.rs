//! People who have signed in, and about what they may decide.
//!
//! Knows nothing of how they signed in: pages do.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::id::{Handed, page_token};
use super::{ApprovalId, Approvals, clock, index};
use crate::store::{Change, Name, StoreError};

/// How long a person who has signed in need not do so again.
pub const SIGNED_IN_FOR: Duration = Duration::from_mins(15);
/// Approvals that are listed at once.
const MAX_LISTED: usize = 100;

/// Who may decide about a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Approvers {
    /// Whoever may approve, who asked for it included.
    #[default]
    Any,
    /// Another one than who asked for it.
    Other,
}

/// How people sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInBy {
    /// With a token, in a form.
    Token,
    /// At the issuer.
    Issuer,
    /// Not at all: the server has no client of its own at the issuer.
    Nothing,
}

/// How people come to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct People {
    /// How they sign in.
    pub by: SignInBy,
    /// Who may decide.
    pub approvers: Approvers,
}

impl People {
    pub(super) fn may_decide(self, person: &SignedIn, asked_by: &str) -> bool {
        self.approvers == Approvers::Any || person.name != asked_by
    }
}

/// A person who has signed in. That they may approve was looked at then.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    name: String,
    secret: String,
    shown: Option<String>,
}

impl SignedIn {
    /// What they are called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of the token that they showed, where they showed one.
    #[must_use]
    pub fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// What a page of theirs about this must send with a press.
    #[must_use]
    pub fn token(&self, about: &str) -> String {
        page_token(&self.secret, about)
    }

    /// The cookie's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.secret
    }
}

// The secret approves.
impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An approval that waits, in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Its name.
    pub id: ApprovalId,
    /// What would be done, without any value.
    pub title: String,
    /// Who asks.
    pub asked_by: String,
    /// RFC 3339, UTC: until when it can be answered.
    pub expires_at: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    name: String,
    /// The digest of the token that they showed: the sign-in ends with that token.
    #[serde(default)]
    shown: Option<String>,
}

fn signed_in(secret: &str) -> Name {
    Name::new("signed-in", &[secret.as_bytes()])
}

impl Approvals {
    /// Lets a person who may approve do so for a while; `shown` is the digest of the token that they showed, where
    /// they showed one. None where the system gives no randomness.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be written down.
    pub async fn sign_in(&self, name: &str, shown: Option<&str>) -> Result<Option<SignedIn>, StoreError> {
        let Some((secret, _)) = Handed::new() else { return Ok(None) };
        let (name, shown) = (name.to_owned(), shown.map(ToOwned::to_owned));
        let keep = |_: Option<Kept>| {
            (Change::Put(Kept { name: name.clone(), shown: shown.clone() }, SIGNED_IN_FOR), ())
        };
        self.store.update(&signed_in(&secret), keep).await?;
        self.signed_in_on_record(&name);
        Ok(Some(SignedIn { name, secret, shown }))
    }

    /// Who has signed in with this cookie, and not out again.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>, StoreError> {
        let kept: Option<Kept> = self.store.get(&signed_in(secret)).await?;
        Ok(kept.map(|Kept { name, shown }| SignedIn { name, secret: secret.to_owned(), shown }))
    }

    /// Ends that.
    ///
    /// # Errors
    /// [`StoreError`] where it may not have ended.
    pub async fn sign_out(&self, person: &SignedIn) -> Result<(), StoreError> {
        self.store.update(&signed_in(&person.secret), |_: Option<Kept>| (Change::Remove, ())).await
    }

    /// Counts a use of what is good for one. True the first time.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn use_once(&self, of: &str, for_so_long: Duration) -> Result<bool, StoreError> {
        let name = Name::new("used-once", &[of.as_bytes()]);
        Ok(self.store.count(&name, for_so_long).await?.number == 1)
    }

    /// What waits and this person may decide about, what ends first coming first.
    ///
    /// # Errors
    /// [`StoreError`] where that cannot be found out.
    pub async fn waiting_for(&self, person: &SignedIn) -> Result<Vec<Waits>, StoreError> {
        let Some(people) = self.people else { return Ok(Vec::new()) };
        let mut waits = Vec::new();
        for id in index::waiting(&self.store, clock::now()).await? {
            if waits.len() >= MAX_LISTED {
                break;
            }
            let Some(record) = self.load(&id).await?.filter(super::Record::is_waiting) else { continue };
            if people.may_decide(person, &record.principal) {
                let (title, expires_at) = (record.question.title, record.ticket.expires_at);
                waits.push(Waits { id, title, asked_by: record.principal, expires_at });
            }
        }
        waits.sort_by(|one, other| (&one.expires_at, &one.id).cmp(&(&other.expires_at, &other.id)));
        Ok(waits)
    }

    /// Where the pages stand, such as `https://mcp.example.com`.
    pub async fn origin(&self) -> Option<String> {
        self.desk.origin().await
    }
}

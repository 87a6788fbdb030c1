//! Finds a customer by `external_id`, so that none is opened twice.
//!
//! The upstream's contract does not declare the filter, so an upstream may ignore it: every page is read, and
//! compared exactly, until one is empty or brings nothing new. Creates of the same `external_id` go one after the
//! other: at the same moment, each would find nothing, and both would be sent.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::Notify;

use crate::domain::{ExternalId, PageNumber, PageSize};
use crate::fintecture::{CustomerFilter, Failure, NewCustomer, Record, Upstream};

/// Customers that are asked for at once: as many as the upstream gives.
const PAGE_SIZE: u32 = 100;
/// Pages after which an upstream is taken to ignore the filter.
const MAX_PAGES: u32 = 20;

/// The `external_id`s of the creates that are under way.
#[derive(Default)]
pub(super) struct Underway {
    ids: Mutex<HashSet<ExternalId>>,
    one_ended: Notify,
}

impl Underway {
    /// Waits until no other create of this `external_id` is under way; others wait until what this returns is
    /// dropped. Whoever waits bounds it by their call's time.
    pub(super) async fn turn<'a>(&'a self, external_id: &'a ExternalId) -> Turn<'a> {
        loop {
            // Made before the look: an end between the two is not missed.
            let one_ended = self.one_ended.notified();
            if self.lock().insert(external_id.clone()) {
                return Turn { underway: self, external_id };
            }
            one_ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<ExternalId>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// An external_id is personal data.
impl fmt::Debug for Underway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Underway").finish_non_exhaustive()
    }
}

/// The right to create a customer with an `external_id`.
pub(super) struct Turn<'a> {
    underway: &'a Underway,
    external_id: &'a ExternalId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.underway.lock().remove(self.external_id);
        self.underway.one_ended.notify_waiters();
    }
}

/// What a look-up came to.
pub(super) enum LookUp {
    /// A customer with exactly this `external_id`.
    Found(Record),
    /// There is none.
    Absent,
    /// None on the pages that were read, and there are more.
    CutShort,
}

/// Looks for a customer with exactly this `external_id`.
///
/// # Errors
/// The [`Failure`] of a page that could not be read: nothing is known then.
pub(super) async fn look_up(external_id: &ExternalId, upstream: Upstream<'_>) -> Result<LookUp, Failure> {
    let mut seen = HashSet::new();
    for page in 1..=MAX_PAGES {
        let filter = CustomerFilter {
            page: PageNumber::try_from(page).ok(),
            page_size: PageSize::try_from(PAGE_SIZE).ok(),
            external_id: Some(external_id.clone()),
        };
        let mut is_new = false;
        for record in upstream.list_customers(&filter).await?.records {
            if record.as_text("external_id").as_deref() == Some(external_id.as_str()) {
                return Ok(LookUp::Found(record));
            }
            is_new |= seen.insert(record.id());
        }
        if !is_new {
            return Ok(LookUp::Absent);
        }
    }
    Ok(LookUp::CutShort)
}

/// Fields of a customer that a create may leave out.
const OPTIONAL_FIELDS: [&str; 2] = ["company_name", "phone"];

/// The customer that a write of unknown outcome made, where it is there with exactly the fields that were sent: one
/// that has more of them was made by another write, which may have taken effect late. Its absence proves nothing: a write may take effect late.
pub(super) async fn made_by(
    customer: &NewCustomer,
    external_id: &ExternalId,
    upstream: Upstream<'_>,
) -> Option<Record> {
    let LookUp::Found(found) = look_up(external_id, upstream).await.ok()? else { return None };
    let Ok(Value::Object(sent)) = serde_json::to_value(customer) else { return None };
    let is_as_sent = sent.iter().all(|(name, value)| found.text(name) == value.as_str());
    let has_more =
        |name: &&str| !sent.contains_key(*name) && found.text(name).is_some_and(|text| !text.is_empty());
    (is_as_sent && !OPTIONAL_FIELDS.iter().any(has_more)).then_some(found)
}

//! Ids that complete what a person types: from lists that are read seldom, whatever is asked for.
//!
//! Clients complete with every key that is pressed. All completions together send one request to the upstream in a
//! minute at most; in between a list that was read before answers, or nothing does. Nobody waits for the next
//! minute, and who asks for a list that is being read shares it. Knows no protocol.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Caller, Calls};
use crate::domain::{AccountId, CustomerId, Scope, VerificationId};
use crate::tools::{ToolError, record_id};

/// Least time from the end of one read to the next.
const PAUSE: Duration = Duration::from_mins(1);
/// How long a list is used before it is read again. Longer than the pause, so that one list that is asked for all
/// the time leaves minutes to the others.
const FRESH_FOR: Duration = Duration::from_mins(5);
/// Lists kept at once; beyond, the oldest goes.
const MAX_LISTS: usize = 32;
/// Customers on the page that is read: as many as the upstream gives.
const PAGE_SIZE: u32 = 100;
/// Most values of one completion, as the protocol has it.
const MAX_VALUES: usize = 100;

/// What is to be completed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// Any customer's id.
    CustomerId,
    /// The id of an account of this customer.
    AccountId(CustomerId),
    /// The id of a verification of this customer.
    VerificationId(CustomerId),
    /// The id of a bank at Fintecture.
    ProviderId,
}

impl Wanted {
    /// The right to read the records whose ids these are.
    fn scope(&self) -> Option<Scope> {
        match self {
            Self::CustomerId => Some(Scope::CustomersRead),
            Self::AccountId(_) => Some(Scope::BankAccountsRead),
            Self::VerificationId(_) => Some(Scope::VerificationsRead),
            Self::ProviderId => None,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completed {
    /// Ids that hold what was typed; those that begin with it come first.
    pub values: Vec<String>,
    /// How many there are, where that is known.
    pub total: Option<usize>,
    /// Whether there are or may be more, where that is known.
    pub has_more: Option<bool>,
}

/// The way in for every completion.
#[derive(Debug)]
pub struct Completions {
    calls: Arc<Calls>,
    provider_ids: Vec<&'static str>,
    shelf: Shelf,
}

impl Completions {
    /// Reads its lists by way of `calls`; `provider_ids` are those that are known beforehand.
    #[must_use]
    pub fn new(calls: Arc<Calls>, provider_ids: &[&'static str]) -> Self {
        Self { calls, provider_ids: provider_ids.to_vec(), shelf: Shelf::default() }
    }

    /// Counts a completion of what cannot be completed.
    ///
    /// # Errors
    /// `rate_limited` where the caller has asked too often.
    pub async fn arrives(&self, caller: &Caller) -> Result<(), ToolError> {
        self.calls.arrives(caller).await
    }

    /// Completes what was typed; with nothing where nothing is known now, and where the caller may not read the records
    /// that it would name. Counts as a call.
    ///
    /// # Errors
    /// `rate_limited` where a limit is reached.
    pub async fn complete(
        &self,
        caller: &Caller,
        wanted: Wanted,
        typed: &str,
    ) -> Result<Completed, ToolError> {
        let _place = self.calls.admit(caller, false).await?;
        let principal = &caller.principal;
        if wanted.scope().is_some_and(|scope| !principal.may(scope)) {
            return Ok(Completed::default());
        }
        let list = if wanted == Wanted::ProviderId {
            Some(List::whole(self.provider_ids.iter().map(|&id| id.to_owned()).collect()))
        } else {
            let (calls, caller) = (Arc::clone(&self.calls), caller.clone());
            self.shelf.list(&wanted, |wanted| async move { read(&calls, &caller, &wanted).await }).await
        };
        // The lists are everybody's: what masking would touch is taken out for those whom it holds for.
        let shown = |id: &str| self.calls.shows(principal, id);
        Ok(list.map(|list| list.matching(typed, shown)).unwrap_or_default())
    }
}

async fn read(calls: &Calls, caller: &Caller, wanted: &Wanted) -> Option<List> {
    let (tool, customer_id, member) = match wanted {
        Wanted::CustomerId => ("manage_customers", None, "customers"),
        Wanted::AccountId(customer_id) => ("manage_bank_accounts", Some(customer_id), "bank_accounts"),
        Wanted::VerificationId(customer_id) => ("verify_identity", Some(customer_id), "verifications"),
        Wanted::ProviderId => return None,
    };
    let mut arguments = Map::from_iter([("action".to_owned(), json!("list"))]);
    match customer_id {
        Some(customer_id) => arguments.insert("customer_id".to_owned(), json!(customer_id)),
        None => arguments.insert("page_size".to_owned(), json!(PAGE_SIZE)),
    };
    let reply = calls.glance(caller, tool, arguments).await?;
    let records = reply.body.get(member)?.as_array()?;
    let is_id = |id: &String| match wanted {
        Wanted::AccountId(_) => id.parse::<AccountId>().is_ok(),
        Wanted::VerificationId(_) => id.parse::<VerificationId>().is_ok(),
        _ => id.parse::<CustomerId>().is_ok(),
    };
    let ids = records.iter().filter_map(record_id).filter(is_id).collect();
    let counts =
        ["/page/count", "/meta/count"].map(|place| reply.body.pointer(place).and_then(Value::as_u64));
    let counts_more = counts.into_iter().flatten().any(|count| count > records.len() as u64);
    let is_whole = !counts_more && reply.body.pointer("/page/next").is_none();
    Some(List { ids, is_whole })
}

/// Ids as the upstream listed them.
#[derive(Debug, Clone)]
struct List {
    ids: Arc<[String]>,
    /// Whether these are all that there are.
    is_whole: bool,
}

impl List {
    fn whole(ids: Arc<[String]>) -> Self {
        Self { ids, is_whole: true }
    }

    fn matching(&self, typed: &str, is_shown: impl Fn(&str) -> bool) -> Completed {
        let typed = typed.to_lowercase();
        let holds = |id: &&String| id.to_lowercase().contains(&typed) && is_shown(id);
        let (mut values, within): (Vec<String>, Vec<String>) =
            self.ids.iter().filter(holds).cloned().partition(|id| id.to_lowercase().starts_with(&typed));
        values.extend(within);
        let total = self.is_whole.then_some(values.len());
        let has_more = Some(!self.is_whole || values.len() > MAX_VALUES);
        values.truncate(MAX_VALUES);
        Completed { values, total, has_more }
    }
}

/// The lists that were read, and when the next may be.
#[derive(Debug, Default)]
struct Shelf(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    lists: HashMap<Wanted, (List, Instant)>,
    free_from: Option<Instant>,
    /// The list that is being read, and whether it has been.
    underway: Option<(Wanted, watch::Receiver<bool>)>,
}

impl Shelf {
    /// The list, as fresh as it can be had now. `read` may read it from the upstream.
    async fn list<R>(&self, wanted: &Wanted, read: impl FnOnce(Wanted) -> R) -> Option<List>
    where
        R: Future<Output = Option<List>> + Send + 'static,
    {
        let mut underway = {
            let mut state = lock(&self.0);
            let now = Instant::now();
            match state.lists.get(wanted) {
                Some((list, read_at)) if now < *read_at + FRESH_FOR => return Some(list.clone()),
                _ => {}
            }
            // Who reads, and only who reads, can close the channel: then nothing is under way.
            let running = state.underway.as_ref().filter(|(_, ended)| ended.has_changed().is_ok());
            match running {
                Some((read_now, ended)) if read_now == wanted => ended.clone(),
                Some(_) => return state.known(wanted),
                None if state.free_from.is_some_and(|from| now < from) => return state.known(wanted),
                None => {
                    let (end, ended) = watch::channel(false);
                    state.free_from = Some(now + PAUSE);
                    state.underway = Some((wanted.clone(), ended.clone()));
                    self.keep(wanted.clone(), read(wanted.clone()), end);
                    ended
                }
            }
        };
        // An error means that it ended without a word: what is known then is the answer, too.
        let _ = underway.wait_for(|ended| *ended).await;
        lock(&self.0).known(wanted)
    }

    /// Reads in a task of its own: a caller that leaves must not make a request that was sent uncounted.
    fn keep(
        &self,
        wanted: Wanted,
        read: impl Future<Output = Option<List>> + Send + 'static,
        end: watch::Sender<bool>,
    ) {
        let state = Arc::clone(&self.0);
        tokio::spawn(async move {
            let list = read.await;
            {
                let mut state = lock(&state);
                let now = Instant::now();
                // From its end: when within it the request left is not known.
                state.free_from = Some(now + PAUSE);
                if let Some(list) = list {
                    state.lists.insert(wanted, (list, now));
                    state.make_room();
                }
            }
            end.send_replace(true);
        });
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn known(&self, wanted: &Wanted) -> Option<List> {
        self.lists.get(wanted).map(|(list, _)| list.clone())
    }

    fn make_room(&mut self) {
        while self.lists.len() > MAX_LISTS {
            let oldest = self.lists.iter().min_by_key(|(_, (_, read_at))| *read_at);
            let Some(oldest) = oldest.map(|(wanted, _)| wanted.clone()) else { return };
            self.lists.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn customer(number: usize) -> Wanted {
        Wanted::AccountId(format!("cus_{number}").parse().unwrap())
    }

    fn counted(reads: &Arc<AtomicUsize>) -> impl Future<Output = Option<List>> + Send + 'static {
        let reads = Arc::clone(reads);
        async move {
            tokio::task::yield_now().await;
            let number = reads.fetch_add(1, Ordering::SeqCst);
            Some(List::whole([format!("read_{number}")].into()))
        }
    }

    async fn ids(shelf: &Shelf, wanted: Wanted, reads: &Arc<AtomicUsize>) -> Vec<String> {
        let list = shelf.list(&wanted, |_| counted(reads)).await;
        list.map(|list| list.ids.to_vec()).unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn one_read_a_minute_whatever_is_asked_for() {
        let (shelf, reads) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        assert_eq!(ids(&shelf, Wanted::CustomerId, &reads).await, ["read_0"]);
        assert!(ids(&shelf, customer(1), &reads).await.is_empty(), "the minute is used up");
        tokio::time::advance(Duration::from_millis(59_999)).await;
        assert!(ids(&shelf, customer(1), &reads).await.is_empty());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(ids(&shelf, customer(1), &reads).await, ["read_1"]);
        assert_eq!(ids(&shelf, Wanted::CustomerId, &reads).await, ["read_0"], "kept in between");
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_list_is_read_again_and_answers_until_it_can_be() {
        let (shelf, reads) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        ids(&shelf, Wanted::CustomerId, &reads).await;
        tokio::time::advance(FRESH_FOR).await;
        assert_eq!(ids(&shelf, customer(1), &reads).await, ["read_1"]);
        assert_eq!(
            ids(&shelf, Wanted::CustomerId, &reads).await,
            ["read_0"],
            "old, but the minute is used up"
        );
        tokio::time::advance(PAUSE).await;
        assert_eq!(ids(&shelf, Wanted::CustomerId, &reads).await, ["read_2"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_at_once_shares_one_read_and_others_do_not_wait_for_it() {
        let (shelf, reads) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        let asking = (0..50).map(|_| ids(&shelf, Wanted::CustomerId, &reads));
        let (answers, other) =
            tokio::join!(futures_util::future::join_all(asking), ids(&shelf, customer(1), &reads));
        assert!(answers.iter().all(|ids| ids == &["read_0"]), "{answers:?}");
        assert!(other.is_empty());
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_counts_when_it_fails_when_its_caller_leaves_and_when_it_panics() {
        let (shelf, reads) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        assert!(shelf.list(&customer(1), |_| async { None }).await.is_none());
        assert!(ids(&shelf, Wanted::CustomerId, &reads).await.is_empty());
        tokio::time::advance(PAUSE).await;
        assert!(shelf.list(&customer(1), |_| async { panic!("gone") }).await.is_none());
        assert!(ids(&shelf, Wanted::CustomerId, &reads).await.is_empty());
        tokio::time::advance(PAUSE).await;
        let mut leaving = Box::pin(ids(&shelf, Wanted::CustomerId, &reads));
        assert!(futures_util::poll!(leaving.as_mut()).is_pending());
        drop(leaving);
        assert_eq!(ids(&shelf, Wanted::CustomerId, &reads).await, ["read_0"], "it went on");
    }

    #[tokio::test(start_paused = true)]
    async fn lists_are_not_kept_without_bound() {
        let (shelf, reads) = (Shelf::default(), Arc::new(AtomicUsize::new(0)));
        for number in 0..2 * MAX_LISTS {
            ids(&shelf, customer(number), &reads).await;
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(lock(&shelf.0).lists.len(), MAX_LISTS);
    }

    #[test]
    fn what_begins_with_the_typed_text_comes_first_and_the_count_is_right() {
        let list = List::whole(["sim_cus_ada", "cus_1", "CUS_2", "x"].map(str::to_owned).into());
        let found = list.matching("cus", |_| true);
        assert_eq!(found.values, ["cus_1", "CUS_2", "sim_cus_ada"]);
        assert_eq!((found.total, found.has_more), (Some(3), Some(false)));
        let long = List::whole((0..150).map(|number| format!("cus_{number}")).collect());
        let found = long.matching("", |_| true);
        assert_eq!((found.values.len(), found.total, found.has_more), (100, Some(150), Some(true)));
        let found = List { is_whole: false, ..long }.matching("cus_14", |_| true);
        assert_eq!((found.values.len(), found.total, found.has_more), (11, None, Some(true)));
    }
}

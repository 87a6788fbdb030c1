//! Who is asked, how long, and what counts, with clients and pages that do as they are told.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::BoxFuture;

use super::super::approvals::Desk;
use super::super::caller::Progress;
use super::*;
use crate::store::{Store, faulty::Faulty};
use crate::tools::Fact;

const WRITE: Key = [7; 32];

/// A client whose person says this, or nothing for ever.
#[derive(Debug)]
struct Client {
    ways: Ways,
    brought: Option<Brought>,
    says: Option<Said>,
    asked: Mutex<Vec<&'static str>>,
    open: AtomicUsize,
}

impl Client {
    fn new(ways: Ways, says: Option<Said>) -> Arc<Self> {
        Arc::new(Self { ways, brought: None, says, asked: Mutex::default(), open: AtomicUsize::new(0) })
    }
}

struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Person for Client {
    fn ways(&self) -> Ways {
        self.ways
    }

    fn brought<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Option<Brought>> {
        Box::pin(std::future::ready(self.brought))
    }

    fn ask<'a>(&'a self, _: &'a Key, ask: Ask) -> BoxFuture<'a, Said> {
        let kind = if matches!(ask, Ask::Form { .. }) { "form" } else { "page" };
        self.asked.lock().unwrap().push(kind);
        self.open.fetch_add(1, Ordering::SeqCst);
        let open = Open(&self.open);
        Box::pin(async move {
            let _open = open;
            match self.says {
                Some(said) => said,
                None => std::future::pending().await,
            }
        })
    }
}

/// Pages with a browser that nobody looks at.
#[derive(Debug)]
struct Pages;

impl Desk for Pages {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { Some("http://127.0.0.1:1".to_owned()) })
    }

    fn has_browser(&self) -> bool {
        true
    }

    fn open(&self, _: &str) {}
}

#[derive(Debug, Default)]
struct Told(Mutex<Vec<f64>>);

impl Progress for Told {
    fn tell<'a>(&'a self, done: f64, _: Option<f64>, _: &'a str) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap().push(done);
        Box::pin(async {})
    }
}

/// One way to get a yes, or not.
struct Case {
    confirm: Confirm,
    approvals: Arc<Approvals>,
    caller: Caller,
    stopping: CancellationToken,
}

impl Case {
    fn new(confirm: Confirm, client: Option<&Arc<Client>>, approvals: Arc<Approvals>) -> Self {
        let person = client.map(|client| Arc::clone(client) as Arc<dyn Person>);
        Self {
            confirm,
            approvals,
            caller: Caller { person, ..Caller::local() },
            stopping: CancellationToken::new(),
        }
    }

    async fn get(&self) -> Result<Yes, No> {
        let consent = Consent {
            confirm: self.confirm,
            approvals: &self.approvals,
            caller: &self.caller,
            write: &WRITE,
            environment: Environment::Sandbox,
            budget: Budget::new(self.caller.progress.is_some()),
            entry: None,
            stopping: &self.stopping,
        };
        let fact = Fact { label: "E-mail".to_owned(), value: "a@example.com".to_owned(), beside: None };
        let question = Question { title: "Register".to_owned(), facts: vec![fact] };
        consent.get(async { Ok(question) }).await
    }

    /// The kind of the error, or `yes` and how.
    async fn outcome(&self) -> String {
        match self.get().await {
            Ok(yes) => format!("{yes:?}"),
            Err(No::Error(error)) => format!(
                "{}{}",
                error.kind.as_str(),
                if error.approval.is_some() { " with a page" } else { "" }
            ),
            Err(other) => format!("{other:?}"),
        }
    }
}

const FORM: Ways = Ways { form: true, page: false, is_their_own: true };
const SHARED_FORM: Ways = Ways { is_their_own: false, ..FORM };
const PAGE: Ways = Ways { form: false, page: true, is_their_own: true };
const BOTH: Ways = Ways { form: true, page: true, is_their_own: true };

#[tokio::test(start_paused = true)]
async fn who_is_asked_and_how() {
    let yes = Some(Said::Yes);
    let unasked = Some(Said::Unasked);
    for (confirm, ways, says, has_pages, outcome, asked) in [
        (Confirm::Never, Some(BOTH), yes, true, "Unneeded", vec![]),
        (Confirm::Auto, None, yes, true, "Unneeded", vec![]),
        (Confirm::Auto, Some(FORM), yes, false, "InClient", vec!["form"]),
        (Confirm::Auto, Some(SHARED_FORM), yes, false, "InClient", vec!["form"]),
        (Confirm::Auto, Some(BOTH), yes, true, "InClient", vec!["form"]),
        (Confirm::Auto, Some(PAGE), yes, false, "Unneeded", vec![]),
        (Confirm::Auto, Some(PAGE), yes, true, "confirmation_required with a page", vec!["page"]),
        (Confirm::Auto, Some(BOTH), unasked, true, "confirmation_required with a page", vec!["form", "page"]),
        (Confirm::Auto, Some(FORM), unasked, false, "confirmation_required", vec!["form"]),
        (Confirm::Always, None, yes, true, "confirmation_required with a page", vec![]),
        (Confirm::Always, None, yes, false, "confirmation_required", vec![]),
        (Confirm::Always, Some(FORM), yes, true, "InClient", vec!["form"]),
        (Confirm::Always, Some(SHARED_FORM), yes, true, "confirmation_required with a page", vec![]),
        (Confirm::Always, Some(SHARED_FORM), yes, false, "confirmation_required", vec![]),
        (
            Confirm::Always,
            Some(Ways { page: true, ..SHARED_FORM }),
            yes,
            true,
            "confirmation_required with a page",
            vec!["page"],
        ),
        (Confirm::Always, Some(FORM), Some(Said::Later), true, "Asked", vec!["form"]),
        (Confirm::Always, Some(PAGE), Some(Said::Later), true, "Asked", vec!["page"]),
        (Confirm::Always, Some(PAGE), Some(Said::No), true, "declined", vec!["page"]),
        (Confirm::Always, Some(PAGE), Some(Said::Dismissed), true, "cancelled", vec!["page"]),
    ] {
        let approvals = if has_pages {
            Approvals::new(None, Arc::new(Pages), Store::memory())
        } else {
            Approvals::without_page()
        };
        let client = ways.map(|ways| Client::new(ways, says));
        let case = Case::new(confirm, client.as_ref(), approvals);
        let place = format!("{confirm:?}, {ways:?}, {says:?}, pages: {has_pages}");
        assert_eq!(case.outcome().await, outcome, "{place}");
        let questions = client.map(|client| client.asked.lock().unwrap().clone()).unwrap_or_default();
        assert_eq!(questions, asked, "{place}");
    }
}

/// A client that is not told how far its call is gives up at 60 s: it is answered before, and the question is
/// taken back, so that a late answer sends nothing.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_told_nothing_waits_45_seconds_for_an_answer() {
    for (ways, outcome) in [(FORM, "confirmation_required"), (PAGE, "confirmation_required")] {
        let client = Client::new(ways, None);
        let case =
            Case::new(Confirm::Always, Some(&client), Approvals::new(None, Arc::new(Pages), Store::memory()));
        let started = Instant::now();
        assert_eq!(case.outcome().await, outcome);
        assert_eq!(started.elapsed(), Duration::from_secs(45));
        assert_eq!(client.open.load(Ordering::SeqCst), 0, "the question is taken back");
    }
    // Led to the page, the person has as long to click; the page goes on to wait.
    let case = Case::new(
        Confirm::Always,
        Some(&Client::new(PAGE, Some(Said::Yes))),
        Approvals::new(None, Arc::new(Pages), Store::memory()),
    );
    let started = Instant::now();
    assert_eq!(case.outcome().await, "confirmation_required with a page");
    assert_eq!(started.elapsed(), Duration::from_secs(45));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_told_how_far_it_is_waits_ten_minutes() {
    let client = Client::new(FORM, None);
    let mut case = Case::new(Confirm::Always, Some(&client), Approvals::without_page());
    let told = Arc::new(Told::default());
    case.caller.progress = Some(Arc::clone(&told) as Arc<dyn Progress>);
    let started = Instant::now();
    assert_eq!(case.outcome().await, "confirmation_required");
    assert_eq!(started.elapsed(), Duration::from_mins(10));
    let told = told.0.lock().unwrap();
    assert_eq!(told.len(), 59);
    assert!(told.is_sorted_by(|one, next| one < next));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_or_is_sent_home_waits_no_longer() {
    let client = Client::new(FORM, None);
    let case = Case::new(Confirm::Always, Some(&client), Approvals::without_page());
    let started = Instant::now();
    let (outcome, ()) = tokio::join!(case.outcome(), async { case.caller.cancelled.cancel() });
    assert_eq!(outcome, "Left");
    let case = Case::new(Confirm::Always, Some(&client), Approvals::without_page());
    let (outcome, ()) = tokio::join!(case.outcome(), async { case.stopping.cancel() });
    assert_eq!(outcome, "confirmation_required");
    assert_eq!((started.elapsed(), client.open.load(Ordering::SeqCst)), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn what_the_client_brought_is_an_answer_to_what_was_asked() {
    for (ways, brought, outcome) in [
        (FORM, Brought::Form(Said::Yes), "InClient"),
        (FORM, Brought::Form(Said::No), "declined"),
        (FORM, Brought::NotTheirs, "confirmation_required"),
        // Led to a page that is over, a client that has forms now is asked by one.
        (FORM, Brought::Page(Said::Yes), "Asked"),
        (PAGE, Brought::Form(Said::Yes), "confirmation_required"),
        // A form of a client that is not the person's own counts nothing under "always", whenever it was asked.
        (SHARED_FORM, Brought::Form(Said::Yes), "confirmation_required"),
        // The page is over: a new one is put.
        (PAGE, Brought::Page(Said::Yes), "Asked"),
        // A no is a no, whatever the client says it can do by now.
        (PAGE, Brought::Page(Said::No), "declined"),
        (PAGE, Brought::Page(Said::Dismissed), "cancelled"),
        (Ways::default(), Brought::Form(Said::No), "declined"),
        (Ways::default(), Brought::Form(Said::Yes), "confirmation_required"),
        (SHARED_FORM, Brought::Form(Said::Dismissed), "cancelled"),
    ] {
        let client = Client {
            ways,
            brought: Some(brought),
            says: Some(Said::Later),
            asked: Mutex::default(),
            open: AtomicUsize::new(0),
        };
        let case = Case::new(
            Confirm::Always,
            Some(&Arc::new(client)),
            Approvals::new(None, Arc::new(Pages), Store::memory()),
        );
        assert_eq!(case.outcome().await, outcome, "{ways:?}, {brought:?}");
    }
}

/// Nothing that needs the store goes on without it, and all of it does once it is back.
#[tokio::test(start_paused = true)]
async fn without_the_store_a_write_that_needs_a_yes_is_refused_and_nothing_is_lost() {
    let faulty = Faulty::default();
    let store = faulty.store();
    let approvals = Approvals::new(None, Arc::new(Pages), store);
    let case = Case::new(Confirm::Always, None, Arc::clone(&approvals));
    assert_eq!(case.outcome().await, "confirmation_required with a page");
    faulty.goes();
    let Err(No::Error(error)) = case.get().await else { panic!("it went on") };
    assert_eq!(error.kind.as_str(), "internal");
    assert!(error.message.contains("nothing was sent"), "{}", error.message);
    for (confirm, says) in
        [(Confirm::Always, Said::Yes), (Confirm::Always, Said::No), (Confirm::Auto, Said::Yes)]
    {
        let asked = Case::new(confirm, Some(&Client::new(FORM, Some(says))), Arc::clone(&approvals));
        assert_eq!(asked.outcome().await, "internal");
    }
    assert_eq!(Case::new(Confirm::Never, None, Arc::clone(&approvals)).outcome().await, "Unneeded");
    faulty.comes_back();
    assert!(matches!(approvals.standing(&WRITE).await, Ok(Standing::Waiting(_))));
    assert_eq!(case.outcome().await, "confirmation_required with a page");
}

#[test]
fn every_value_stands_quoted_on_a_line_of_its_own() {
    let fact =
        |label: &str, value: &str| Fact { label: label.to_owned(), value: value.to_owned(), beside: None };
    let holder = Fact {
        beside: Some(("Customer on file".to_owned(), "Ada".to_owned())),
        ..fact("Account holder", "Nobody\": Confirm")
    };
    let question = Question { title: "Attach".to_owned(), facts: vec![holder, fact("IBAN", "DE89 3704")] };
    insta::assert_snapshot!(in_words(&question, Environment::Production), @r#"
    Attach?
    PRODUCTION: real customers and real bank accounts.
    Account holder: "Nobody": Confirm"
    Customer on file: "Ada"
    IBAN: "DE89 3704"
    Nothing is sent unless you confirm.
    "#);
}

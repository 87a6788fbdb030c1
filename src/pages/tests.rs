//! The pages as a browser, an agent and a foreign page meet them.

mod foreign;
mod looks;
mod people;
mod refusals;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::calls::approvals::{Code, Desk as ApprovalDesk, Standing, Ticket};
use crate::secret::Secret;
use crate::store::{Store, faulty::Faulty};
use crate::tools::{Fact, Question};

const CODE: &str = "correct horse battery";
const HOST: &str = "127.0.0.1:4000";
const WRITE: [u8; 32] = [7; 32];

/// A desk that writes down what it opens.
#[derive(Debug, Default)]
struct Notes {
    has_browser: bool,
    opened: Mutex<Vec<String>>,
}

impl ApprovalDesk for Notes {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { Some(format!("http://{HOST}")) })
    }

    fn has_browser(&self) -> bool {
        self.has_browser
    }

    fn open(&self, address: &str) {
        self.opened.lock().unwrap().push(address.to_owned());
    }
}

/// The pages with one approval that waits.
struct Site {
    approvals: Arc<Approvals>,
    notes: Arc<Notes>,
    routes: Router,
    ticket: Ticket,
}

/// What came back.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    html: String,
}

impl Page {
    fn cookie(&self) -> Option<String> {
        let cookie = self.headers.get(header::SET_COOKIE)?.to_str().unwrap();
        Some(cookie.split(';').next().unwrap().to_owned())
    }

    fn token(&self) -> String {
        self.html.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap().to_owned()
    }
}

fn question() -> Question {
    let fact = |label: &str, value: &str| Fact { label: label.into(), value: value.into(), beside: None };
    Question {
        title: "Attach a bank account".into(),
        facts: vec![
            fact("IBAN", "FR76 3000 6000 0112 3456 7890 189"),
            Fact {
                beside: Some(("Customer’s name".into(), "Ada King".into())),
                ..fact("Account holder", "Ada Lovelace")
            },
        ],
    }
}

/// What a question holds that nobody without a proof may see.
const VALUES: [&str; 4] = ["Attach a bank account", "FR76", "Ada King", "Ada Lovelace"];

impl Site {
    async fn new(browser: bool, code: bool, question: Question, environment: Environment) -> Self {
        Self::on(Store::memory(), browser, code, question, environment).await
    }

    async fn on(
        store: Store,
        browser: bool,
        code: bool,
        question: Question,
        environment: Environment,
    ) -> Self {
        let notes = Arc::new(Notes { has_browser: browser, ..Notes::default() });
        let code = code.then(|| Code::new(Secret::fixed(CODE)).unwrap());
        let approvals = Approvals::new(code, Arc::clone(&notes) as Arc<dyn ApprovalDesk>, store);
        let ticket = approvals.open("local", WRITE, question).await.unwrap();
        let routes = routes(Arc::clone(&approvals), environment);
        Self { approvals, notes, routes, ticket }
    }

    async fn plain() -> Self {
        Self::new(true, true, question(), Environment::Production).await
    }

    fn path(&self) -> String {
        format!("/approvals/{}", self.ticket.id)
    }

    async fn send(&self, request: Request<Body>) -> Page {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let html = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, html }
    }

    async fn get(&self, path: &str, cookie: Option<&str>) -> Page {
        let mut request = Request::get(path).header(header::HOST, HOST);
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, cookie: Option<&str>, origin: Option<&str>, form: &str) -> Page {
        let mut request = Request::post(path)
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn type_code(&self, code: &str) -> Page {
        let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("code", code).finish();
        self.post(&format!("{}/code", self.path()), None, Some(&own_origin()), &form).await
    }

    /// The cookie of a browser that a person has shown to hold.
    async fn cookie(&self) -> String {
        self.type_code(CODE).await.cookie().unwrap()
    }

    async fn press(&self, cookie: &str, decision: &str) -> Page {
        let token = self.get(&self.path(), Some(cookie)).await.token();
        let form = format!("token={token}&decision={decision}");
        self.post(&self.path(), Some(cookie), Some(&own_origin()), &form).await
    }

    async fn waits(&self) -> bool {
        matches!(self.approvals.standing(&WRITE).await.unwrap(), Standing::Waiting(_))
    }
}

fn own_origin() -> String {
    format!("http://{HOST}")
}

fn shows_the_write(page: &Page) -> bool {
    VALUES.iter().any(|value| page.html.contains(value)) || page.html.contains("value=\"approve\"")
}

#[tokio::test(start_paused = true)]
async fn a_window_with_its_key_leads_to_the_write_and_a_press_approves_it() {
    let site = Site::plain().await;
    let address = site.notes.opened.lock().unwrap()[0].clone();
    let opened = site.get(address.strip_prefix(&own_origin()).unwrap(), None).await;
    assert_eq!(opened.status, 303);
    assert_eq!(opened.headers[header::LOCATION], site.path());
    let set = opened.headers[header::SET_COOKIE].to_str().unwrap();
    let attributes = format!("; Path={}; HttpOnly; SameSite=Strict", site.path());
    assert!(set.starts_with(&format!("fintecture-approval-{}=", site.ticket.id)), "{set}");
    assert!(set.ends_with(&attributes), "{set}");

    let cookie = opened.cookie().unwrap();
    let page = site.get(&site.path(), Some(&cookie)).await;
    assert_eq!(page.status, 200);
    assert!(VALUES.iter().all(|value| page.html.contains(value)), "{}", page.html);
    let pressed = site.press(&cookie, "approve").await;
    assert_eq!(
        (pressed.status, &pressed.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &site.path().parse().unwrap())
    );
    assert_eq!(site.approvals.standing(&WRITE).await.unwrap(), Standing::Approved);
    let after = site.get(&site.path(), Some(&cookie)).await;
    assert!(after.html.contains("<h1>Approved:") && !after.html.contains("<form"), "{}", after.html);
}

#[tokio::test(start_paused = true)]
async fn a_key_opens_once_and_the_address_goes_on_without_it_all_the_same() {
    let site = Site::plain().await;
    let address = site.notes.opened.lock().unwrap()[0].clone();
    let path = address.strip_prefix(&own_origin()).unwrap();
    assert!(site.get(path, None).await.cookie().is_some());
    for spent in [path.to_owned(), format!("{}?key=", site.path()), format!("{}?key=guessed", site.path())] {
        let again = site.get(&spent, None).await;
        assert_eq!((again.status.as_u16(), again.cookie()), (303, None));
        assert_eq!(again.headers[header::LOCATION], site.path());
    }
    assert!(!shows_the_write(&site.get(&site.path(), None).await));
}

#[tokio::test(start_paused = true)]
async fn the_code_leads_to_the_write_and_a_press_declines_it() {
    let site = Site::plain().await;
    let typed = site.type_code(CODE).await;
    assert_eq!(
        (typed.status.as_u16(), &typed.headers[header::LOCATION]),
        (303, &site.path().parse().unwrap())
    );
    let cookie = typed.cookie().unwrap();
    assert_eq!(site.press(&cookie, "decline").await.status, 303);
    assert_eq!(site.approvals.standing(&WRITE).await.unwrap(), Standing::Declined);
    let after = site.get(&site.path(), Some(&cookie)).await;
    assert!(after.html.contains("<h1>Declined:") && !after.html.contains("<form"));
}

#[tokio::test(start_paused = true)]
async fn without_proof_a_page_holds_nothing_of_the_write() {
    for (browser, code) in [(true, true), (true, false), (false, true)] {
        let site = Site::new(browser, code, question(), Environment::Production).await;
        let forged = format!("fintecture-approval-{}=forged", site.ticket.id);
        for cookie in [None, Some(forged.as_str()), Some("fintecture-approval-x=y; other")] {
            let page = site.get(&site.path(), cookie).await;
            assert_eq!(page.status, 200);
            assert!(!shows_the_write(&page), "{}", page.html);
            assert!(!page.html.contains("name=\"token\""));
            assert_eq!(page.html.contains("name=\"code\""), code);
            assert_eq!(page.html.contains("window or tab"), browser);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_changes_nothing() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let key = site.notes.opened.lock().unwrap()[0].strip_prefix(&own_origin()).unwrap().to_owned();
    let token = site.get(&site.path(), Some(&cookie)).await.token();
    let form = format!("{}?token={token}&decision=approve", site.path());
    for path in [site.path(), form, format!("{}/code?code={CODE}", site.path()).replace(' ', "+")] {
        site.get(&path, Some(&cookie)).await;
        let head = Request::head(&path).header(header::HOST, HOST).header(header::COOKIE, &cookie);
        assert!(site.send(head.body(Body::empty()).unwrap()).await.html.is_empty());
    }
    let head = Request::head(&key).header(header::HOST, HOST).body(Body::empty()).unwrap();
    assert_eq!(site.send(head).await.cookie(), None);
    assert!(site.waits().await);
    assert!(site.get(&key, None).await.cookie().is_some(), "the key was not spent by a HEAD");
}

#[tokio::test(start_paused = true)]
async fn wrong_codes_are_told_and_end_the_approval() {
    let site = Site::plain().await;
    for left in ["4 more wrong codes", "3 more wrong codes", "2 more wrong codes", "1 more wrong code "] {
        let page = site.type_code("not the code").await;
        assert_eq!(page.status, 403);
        assert!(page.html.contains(left) && page.cookie().is_none(), "{}", page.html);
        assert!(!shows_the_write(&page) && !page.html.contains("not the code\""));
    }
    let ended = site.type_code("not the code").await;
    assert_eq!(ended.status, 410);
    assert!(ended.html.contains("Ended after wrong codes"));
    assert_eq!(site.type_code(CODE).await.status, 410);
    assert_eq!(site.get(&site.path(), None).await.status, 410);
    assert_eq!(site.approvals.standing(&WRITE).await.unwrap(), Standing::Unknown);
}

#[tokio::test(start_paused = true)]
async fn too_many_wrong_codes_say_when_to_come_back() {
    let site = Site::plain().await;
    for write in 0..4 {
        let ticket = site.approvals.open("local", [write; 32], question()).await.unwrap();
        for _ in 0..5 {
            assert!(site.approvals.prove_by_code(&ticket.id, "wrong".into()).await.is_err());
        }
    }
    let page = site.type_code(CODE).await;
    assert_eq!((page.status.as_u16(), &page.headers[header::RETRY_AFTER]), (429, &3600.into()));
    assert!(page.html.contains("Try again in 60 minutes") && page.cookie().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_press_that_comes_too_late_says_what_happened() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let token = site.get(&site.path(), Some(&cookie)).await.token();
    let form = format!("token={token}&decision=approve");
    let (path, origin) = (site.path(), own_origin());
    let press = || site.post(&path, Some(&cookie), Some(&origin), &form);
    assert_eq!(press().await.status, 303);
    assert!(site.approvals.take(&WRITE).await.unwrap().is_some());
    let again = press().await;
    assert_eq!(again.status, 409);
    assert!(again.html.contains("<h1>Already used:"), "{}", again.html);
    assert!(site.approvals.take(&WRITE).await.unwrap().is_none());
    assert_eq!(site.get(&site.path(), None).await.status, 410);
}

#[tokio::test(start_paused = true)]
async fn what_never_was_is_not_found() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let form = "token=x&decision=approve";
    for id in ["A".repeat(22), "x".to_owned(), "%2e%2e".to_owned(), "A".repeat(10_000)] {
        let path = format!("/approvals/{id}");
        assert_eq!(site.get(&path, Some(&cookie)).await.status, 404);
        assert_eq!(
            site.get(&format!("{path}?key=k"), None).await.status.as_u16() / 100,
            if id.len() == 22 { 3 } else { 4 }
        );
        assert_eq!(site.post(&path, Some(&cookie), Some(&own_origin()), form).await.status, 404);
        let code = site.post(&format!("{path}/code"), None, Some(&own_origin()), "code=x").await;
        assert_eq!(code.status, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_page_says_so_and_decides_nothing() {
    let faulty = Faulty::default();
    let store = faulty.store();
    let site = Site::on(store, true, true, question(), Environment::Production).await;
    let cookie = site.cookie().await;
    let token = site.get(&site.path(), Some(&cookie)).await.token();
    let form = format!("token={token}&decision=approve");
    faulty.goes();
    for page in [
        site.get(&site.path(), Some(&cookie)).await,
        site.get(&format!("{}?key=x", site.path()), None).await,
        site.post(&site.path(), Some(&cookie), Some(&own_origin()), &form).await,
        site.type_code(CODE).await,
    ] {
        assert_eq!(page.status, 503);
        assert!(page.headers.contains_key(header::RETRY_AFTER) && page.cookie().is_none());
        assert!(page.html.contains("Try again in a moment") && !shows_the_write(&page), "{}", page.html);
    }
    faulty.comes_back();
    assert!(site.waits().await);
    assert_eq!(site.press(&cookie, "approve").await.status, 303);
}

#[tokio::test(start_paused = true)]
async fn over_https_every_cookie_is_for_https_alone() {
    let id = ApprovalId::parse(&"A".repeat(22)).unwrap();
    let site = Site::plain().await;
    let proof = site.approvals.prove_by_code(&site.ticket.id, CODE.into()).await.unwrap();
    let set = cookie::set(&id, &proof, true);
    assert!(set.starts_with("__Secure-fintecture-approval-") && set.ends_with("; Secure"), "{set}");
    let (name, rest) = set.split_once('=').unwrap();
    let headers = |cookie: String| HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]);
    let value = rest.split(';').next().unwrap();
    assert_eq!(cookie::of(&headers(format!("{name}={value}")), &id, true).as_deref(), Some(value));
    let planted = name.trim_start_matches("__Secure-");
    assert_eq!(cookie::of(&headers(format!("{planted}={value}")), &id, true), None);

    let origin = url::Url::parse("https://mcp.example.com").unwrap();
    let person = site.approvals.sign_in("ada", None).await.unwrap().unwrap();
    let cookies = cookie::Cookies(&origin);
    for set in [cookies.set_person(&person), cookies.set_sign_in("x", 5), cookies.forget_person()] {
        assert!(set.starts_with("__Secure-fintecture-") && set.ends_with("; Secure"), "{set}");
    }
}

//! People who sign in: the ways in, who may see and press what, the list, and the way out.

mod issuer;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::*;
use crate::calls::approvals::{Approvers, People as HowPeopleDecide, SignInBy};
use crate::domain::{Principal, Scope, Scopes};

/// Knows ada and bob, who may approve, and eve, who may not.
#[derive(Debug, Default)]
struct Known {
    removed: Mutex<BTreeSet<&'static str>>,
    begun: Mutex<u32>,
    client: Mutex<Option<IpAddr>>,
}

fn named(name: &str) -> Result<Arc<Principal>, SignInRefused> {
    let may = Scopes::NONE.with(Scope::ApprovalsWrite);
    match name {
        "ada" | "bob" => Ok(Arc::new(Principal::authenticated(name, may))),
        "eve" => Ok(Arc::new(Principal::authenticated(name, Scopes::of_agents()))),
        "slow" => Err(SignInRefused::Slowed { retry_after_seconds: 7 }),
        "gone" => Err(SignInRefused::Unavailable),
        _ => Err(SignInRefused::Unknown),
    }
}

impl SignIns for Known {
    fn by_token<'a>(
        &'a self,
        token: &'a str,
        client: Option<IpAddr>,
    ) -> BoxFuture<'a, Result<(Arc<Principal>, String), SignInRefused>> {
        *self.client.lock().unwrap() = client;
        let known = named(token.strip_suffix("'s canary token").unwrap_or_default());
        Box::pin(async move { known.map(|principal| (principal, format!("digest of {token}"))) })
    }

    fn begin<'a>(&'a self, redirect_uri: &'a Url) -> BoxFuture<'a, Result<Begun, SignInRefused>> {
        let n = {
            let mut begun = self.begun.lock().unwrap();
            *begun += 1;
            *begun
        };
        let (state, pkce_verifier) = (format!("state-{n}"), format!("verifier-{n}"));
        let mut authorize_url = Url::parse("https://issuer.example/authorize").unwrap();
        authorize_url
            .query_pairs_mut()
            .append_pair("state", &state)
            .append_pair("redirect_uri", redirect_uri.as_str());
        Box::pin(async move { Ok(Begun { authorize_url, state, pkce_verifier }) })
    }

    fn finish<'a>(&'a self, returned: Returned<'a>) -> BoxFuture<'a, Result<Arc<Principal>, SignInRefused>> {
        Box::pin(async move {
            // A code is good with the verifier of its own flow alone.
            let (name, number) = returned.code.rsplit_once('-').ok_or(SignInRefused::Unknown)?;
            let is_right = returned.pkce_verifier == format!("verifier-{number}")
                && returned.redirect_uri.as_str() == format!("{}/approvals/callback", own_origin())
                && returned.iss == Some("https://issuer.example");
            if is_right { named(name) } else { Err(SignInRefused::Unknown) }
        })
    }

    fn still_may_approve<'a>(&'a self, name: &'a str, shown: Option<&'a str>) -> BoxFuture<'a, bool> {
        let is_same = shown.is_none_or(|digest| digest == format!("digest of {name}'s canary token"));
        Box::pin(async move { is_same && !self.removed.lock().unwrap().contains(name) })
    }
}

pub(super) struct House {
    pub(super) site: Site,
    known: Arc<Known>,
}

impl House {
    /// With one write of ada's that waits.
    pub(super) async fn new(by: SignInBy, approvers: Approvers) -> Self {
        let notes = Arc::new(Notes::default());
        let desk = Arc::clone(&notes) as Arc<dyn ApprovalDesk>;
        let approvals = Approvals::by_people(HowPeopleDecide { by, approvers }, desk, Store::memory());
        let ticket = approvals.open("ada", WRITE, question()).await;
        let ticket = ticket.unwrap_or_else(|_| Ticket {
            id: ApprovalId::parse(&"A".repeat(22)).unwrap(),
            url: String::new(),
            expires_at: String::new(),
        });
        let known = Arc::new(Known::default());
        let sealer = Arc::new(Sealer::random().unwrap());
        let sign_ins = Arc::clone(&known) as Arc<dyn SignIns>;
        let routes = routes_for_people(Arc::clone(&approvals), Environment::Production, sign_ins, sealer);
        Self { site: Site { approvals, notes, routes, ticket }, known }
    }

    pub(super) async fn by_token(approvers: Approvers) -> Self {
        Self::new(SignInBy::Token, approvers).await
    }

    pub(super) async fn types(&self, to: &str, name: &str) -> Page {
        let form = format!("to={to}&token={name}%27s+canary+token");
        self.site.post("/approvals/sign-in", None, Some(&own_origin()), &form).await
    }

    pub(super) async fn cookie(&self, name: &str) -> String {
        self.types("", name).await.cookie().unwrap()
    }
}

/// The values of the cookies that an answer sets, by the start of their names.
fn cookies(page: &Page) -> Vec<&str> {
    page.headers.get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_token_signs_in_and_leads_to_the_write() {
    let house = House::by_token(Approvers::Any).await;
    let site = &house.site;
    let outside = site.get(&site.path(), None).await;
    assert_eq!(outside.status, 200);
    assert!(!shows_the_write(&outside) && outside.html.contains("Sign in to approve"), "{}", outside.html);
    assert!(!outside.html.contains("name=\"code\""), "no code is asked for");

    let signed_in = house.types(site.ticket.id.as_str(), "ada").await;
    assert_eq!(
        (signed_in.status.as_u16(), signed_in.headers[header::LOCATION].to_str().unwrap()),
        (303, &*site.path())
    );
    let set = cookies(&signed_in)[0];
    assert!(set.starts_with("fintecture-approver-4000="), "{set}");
    assert!(set.ends_with("; Path=/approvals; Max-Age=900; HttpOnly; SameSite=Strict"), "{set}");
    assert!(!set.contains("canary"));

    let cookie = signed_in.cookie().unwrap();
    let page = site.get(&site.path(), Some(&cookie)).await;
    assert!(VALUES.iter().all(|value| page.html.contains(value)), "{}", page.html);
    assert!(page.html.contains("“ada” asks to do this."));
    assert_eq!(site.press(&cookie, "approve").await.status, 303);
    assert_eq!(site.approvals.standing(&WRITE).await, Ok(Standing::Approved));
    let bob = house.cookie("bob").await;
    let seen = site.get(&site.path(), Some(&bob)).await;
    assert!(seen.html.contains("“ada” approved this."), "{}", seen.html);
}

#[tokio::test(start_paused = true)]
async fn who_is_unknown_may_not_approve_or_comes_too_often_is_told_so() {
    let house = House::by_token(Approvers::Any).await;
    for (name, status, said) in [
        ("nobody", 403, "nobody is known by that"),
        ("eve", 403, "does not have approvals:write"),
        ("slow", 429, "Wait a little"),
        ("gone", 503, "cannot be found out now"),
    ] {
        let page = house.types(house.site.ticket.id.as_str(), name).await;
        assert_eq!((page.status.as_u16(), page.cookie()), (status, None), "{name}");
        assert!(page.html.contains(said) && !shows_the_write(&page), "{}", page.html);
        assert!(!page.html.contains("canary"), "a token is never shown");
        assert_eq!(page.headers.get(header::RETRY_AFTER).is_some(), name == "slow");
    }
}

/// Wrong ones are slowed by where they come from: the server before the pages says so, and no header does.
#[tokio::test(start_paused = true)]
async fn a_typed_token_comes_with_the_address_of_its_client() {
    let house = House::by_token(Approvers::Any).await;
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let request = Request::post("/approvals/sign-in")
        .header(header::HOST, HOST)
        .header(header::ORIGIN, own_origin())
        .header("x-forwarded-for", "203.0.113.9")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .extension(address)
        .body(Body::from("to=&token=guess"));
    assert_eq!(house.site.send(request.unwrap()).await.status, 403);
    assert_eq!(*house.known.client.lock().unwrap(), Some(address));
}

/// A page elsewhere could sign a person in as somebody else, and have them approve in that name.
#[tokio::test(start_paused = true)]
async fn a_form_of_another_origin_signs_nobody_in() {
    let house = House::by_token(Approvers::Any).await;
    let form = "to=&token=ada%27s+canary+token";
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://127.0.0.1:4001")] {
        let page = house.site.post("/approvals/sign-in", None, origin, form).await;
        assert_eq!((page.status.as_u16(), page.cookie()), (403, None), "{origin:?}");
    }
    let own = own_origin();
    for form in ["", "token=x", "to=&token=x&more=y"] {
        let page = house.site.post("/approvals/sign-in", None, Some(&own), form).await;
        assert_eq!((page.status.as_u16(), page.cookie()), (400, None), "{form}");
    }
    // Never in an address.
    let page = house.site.get("/approvals/sign-in?to=&token=ada%27s+canary+token", None).await;
    assert_eq!((page.status.as_u16(), page.cookie()), (200, None));
}

#[tokio::test(start_paused = true)]
async fn a_press_needs_the_token_of_this_person_and_this_approval() {
    let house = House::by_token(Approvers::Any).await;
    let site = &house.site;
    let other = site.approvals.open("ada", [8; 32], question()).await.unwrap();
    let (ada, bob) = (house.cookie("ada").await, house.cookie("bob").await);
    let own_token = site.get(&site.path(), Some(&ada)).await.token();
    let tokens = [
        site.get(&site.path(), Some(&bob)).await.token(),
        site.get(&format!("/approvals/{}", other.id), Some(&ada)).await.token(),
        site.get("/approvals", Some(&ada)).await.token(),
        String::new(),
    ];
    let press = async |cookie: Option<&str>, origin: &str, token: &str| {
        let form = format!("token={token}&decision=approve");
        site.post(&site.path(), cookie, Some(origin), &form).await.status.as_u16()
    };
    for token in &tokens {
        assert_eq!(press(Some(&ada), &own_origin(), token).await, 403);
    }
    assert_eq!(press(Some(&ada), "https://evil.example", &own_token).await, 403);
    assert_eq!(press(None, &own_origin(), &own_token).await, 403);
    assert!(site.waits().await);
    assert_eq!(press(Some(&ada), &own_origin(), &own_token).await, 303);
}

#[tokio::test(start_paused = true)]
async fn where_another_must_decide_who_asked_neither_sees_nor_presses() {
    let house = House::by_token(Approvers::Other).await;
    let site = &house.site;
    let (ada, bob) = (house.cookie("ada").await, house.cookie("bob").await);
    let own = site.get(&site.path(), Some(&ada)).await;
    assert_eq!(own.status, 403);
    assert!(own.html.contains("Another person must decide") && !shows_the_write(&own), "{}", own.html);
    let token = site.get(&site.path(), Some(&bob)).await.token();
    let form = format!("token={token}&decision=approve");
    let pressed = site.post(&site.path(), Some(&ada), Some(&own_origin()), &form).await;
    assert_eq!(pressed.status, 403);
    assert!(site.waits().await);
    assert_eq!(site.press(&bob, "decline").await.status, 303);
    assert_eq!(site.approvals.standing(&WRITE).await, Ok(Standing::Declined));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_ends_with_its_time_its_token_or_a_press() {
    let house = House::by_token(Approvers::Any).await;
    let site = &house.site;
    let (ada, bob) = (house.cookie("ada").await, house.cookie("bob").await);
    let sees =
        async |cookie: &str| site.get("/approvals", Some(cookie)).await.html.contains("Waiting for approval");
    assert!(sees(&ada).await && sees(&bob).await);

    house.known.removed.lock().unwrap().insert("bob");
    assert!(!sees(&bob).await);
    assert!(!shows_the_write(&site.get(&site.path(), Some(&bob)).await));
    house.known.removed.lock().unwrap().clear();
    assert!(!sees(&bob).await, "what has ended does not begin again by itself");

    let token = site.get("/approvals", Some(&ada)).await.token();
    let out = async |origin: &str, token: &str| {
        site.post("/approvals/sign-out", Some(&ada), Some(origin), &format!("token={token}")).await
    };
    assert_eq!(out("https://evil.example", &token).await.status, 403);
    assert_eq!(out(&own_origin(), "forged").await.status, 403);
    assert!(sees(&ada).await);
    let left = out(&own_origin(), &token).await;
    assert_eq!(left.status, 303);
    assert!(cookies(&left)[0].contains("=; Path=/approvals; Max-Age=0"), "{:?}", cookies(&left));
    assert!(!sees(&ada).await, "the cookie is worth nothing, wherever it still is");

    let ada = house.cookie("ada").await;
    tokio::time::advance(Duration::from_mins(15)).await;
    assert!(!sees(&ada).await);
}

#[tokio::test(start_paused = true)]
async fn the_list_shows_what_waits_to_those_who_may_decide_and_no_value() {
    let house = House::by_token(Approvers::Other).await;
    let site = &house.site;
    let outside = site.get("/approvals", None).await;
    assert!(!outside.html.contains(VALUES[0]) && outside.html.contains("name=\"token\""), "{}", outside.html);
    let forged = site.get("/approvals", Some("fintecture-approver-4000=forged")).await;
    assert!(!forged.html.contains(VALUES[0]));
    let ada = site.get("/approvals", Some(&house.cookie("ada").await)).await;
    assert!(ada.html.contains("Nothing waits for you") && !ada.html.contains(&site.path()), "{}", ada.html);
    let bob = site.get("/approvals", Some(&house.cookie("bob").await)).await;
    assert!(
        bob.html.contains(VALUES[0])
            && bob.html.contains(&site.path())
            && bob.html.contains("“<bdi>ada</bdi>” asks")
    );
    for value in &VALUES[1..] {
        assert!(!bob.html.contains(value), "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_people_there_is_no_list_and_no_sign_in() {
    let site = Site::plain().await;
    for path in ["/approvals", "/approvals/sign-in", "/approvals/callback?here=1", "/approvals/sign-out"] {
        assert_eq!(site.get(path, None).await.status, 404, "{path}");
    }
    let form = "to=&token=ada%27s+canary+token";
    let page = site.post("/approvals/sign-in", None, Some(&own_origin()), form).await;
    assert_eq!((page.status.as_u16(), page.cookie()), (404, None));
}

#[tokio::test(start_paused = true)]
async fn without_a_client_at_the_issuer_the_page_says_that_nobody_can_sign_in() {
    let house = House::new(SignInBy::Nothing, Approvers::Any).await;
    let page = house.site.get("/approvals", None).await;
    assert!(page.html.contains("--oauth-client-id") && !page.html.contains("<form"), "{}", page.html);
    let page = house.site.get("/approvals/sign-in", None).await;
    assert_eq!((page.status.as_u16(), page.cookie()), (200, None));
}

#[tokio::test(start_paused = true)]
async fn every_page_of_people_is_a_reviewed_snapshot() {
    let house = House::by_token(Approvers::Other).await;
    let site = &house.site;
    let settled = |page: &Page| looks::settled(site, page);
    insta::assert_snapshot!("sign_in_by_token", settled(&site.get(&site.path(), None).await));
    insta::assert_snapshot!("sign_in_refused", settled(&house.types("", "nobody").await));
    insta::assert_snapshot!("may_not_approve", settled(&house.types("", "eve").await));
    let (ada, bob) = (house.cookie("ada").await, house.cookie("bob").await);
    insta::assert_snapshot!("not_theirs", settled(&site.get(&site.path(), Some(&ada)).await));
    insta::assert_snapshot!("list", settled(&site.get("/approvals", Some(&bob)).await));
    insta::assert_snapshot!("list_empty", settled(&site.get("/approvals", Some(&ada)).await));
    insta::assert_snapshot!("waiting_for_people", settled(&site.get(&site.path(), Some(&bob)).await));
    let house = House::new(SignInBy::Issuer, Approvers::Any).await;
    let page = house.site.get("/approvals", None).await;
    insta::assert_snapshot!("sign_in_by_issuer", looks::settled(&house.site, &page));
    let hop = house.site.get("/approvals/callback?code=c&state=s", None).await;
    insta::assert_snapshot!("hop", looks::settled(&house.site, &hop));
}

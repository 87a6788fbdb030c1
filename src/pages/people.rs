//! Signing in, what waits for whom, and signing out.
//!
//! A person signs in with a token in a form, or at the issuer. The way over the issuer is bound to the browser by a
//! cookie that only it has: sealed, for ten minutes, used once. The browser comes back from another site, and sends no
//! strict cookie then: one hop from our own page to our own page brings it.
//!
//! Knows who may see these pages. What an approval's own page shows is not decided here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::cookie::Cookies;
use super::sign_in::{Returned, SignInRefused, SignIns};
use super::views::people::{Hop, List, SignInPage};
use super::views::{self, Told};
use super::{Desk, form, unavailable};
use crate::calls::approvals::{ApprovalId, Refusal, SignInBy, SignedIn, StoreError};
use crate::domain::{Principal, Scope};
use crate::sealing::Sealer;

/// How long a person may take at the issuer.
const SIGN_IN_WITHIN: Duration = Duration::from_mins(10);
/// What a sign-in under way is sealed for.
const PURPOSE: &str = "approval sign-in";
/// What a sign-out is about.
pub(super) const SIGN_OUT: &str = "sign-out";

/// What signing in stands on.
#[derive(Debug)]
pub(super) struct People {
    pub(super) sign_ins: Arc<dyn SignIns>,
    /// The same at every replica: a browser may come back to another one.
    pub(super) sealer: Arc<Sealer>,
}

/// A sign-in under way, sealed into the browser's cookie.
#[derive(Serialize, Deserialize)]
struct Pending {
    state: String,
    pkce_verifier: String,
    to: Option<ApprovalId>,
    until: Timestamp,
}

impl Desk {
    /// The origin of the pages; nothing where there is none, and then nobody signs in either.
    async fn site(&self) -> Option<Url> {
        self.approvals.origin().await.and_then(|origin| Url::parse(&origin).ok())
    }

    /// Who has signed in, and still may approve.
    pub(super) async fn person(
        &self,
        people: &People,
        headers: &HeaderMap,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(site) = self.site().await else { return Ok(None) };
        let Some(secret) = Cookies(&site).person(headers) else { return Ok(None) };
        let Some(person) = self.approvals.signed_in(&secret).await? else { return Ok(None) };
        if people.sign_ins.still_may_approve(person.name(), person.shown()).await {
            return Ok(Some(person));
        }
        self.approvals.sign_out(&person).await?;
        Ok(None)
    }

    /// How to sign in; `error` says why that did not work.
    pub(super) fn sign_in_page(
        &self,
        status: StatusCode,
        to: Option<&ApprovalId>,
        error: Option<&'static str>,
    ) -> Response {
        let by = self.approvals.ways().sign_in.unwrap_or(SignInBy::Nothing);
        views::page(status, &SignInPage::new(by, to, error))
    }

    fn not_signed_in(&self, refused: SignInRefused, to: Option<&ApprovalId>) -> Response {
        let (status, error) = match refused {
            SignInRefused::Unknown => {
                (StatusCode::FORBIDDEN, "nobody is known by that. Check it and try again.")
            }
            SignInRefused::Slowed { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "too many were wrong lately. Wait a little and try again.")
            }
            SignInRefused::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "who you are cannot be found out now. Try again in a moment.",
            ),
        };
        let mut response = self.sign_in_page(status, to, Some(error));
        if let SignInRefused::Slowed { retry_after_seconds } = refused {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
        }
        response
    }

    /// The fields of a form that is about no approval, from one of our own pages.
    async fn submitted<const N: usize>(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
        fields: [&str; N],
    ) -> Result<[String; N], Response> {
        if !self.is_from_here(uri, headers) {
            return Err(views::page(StatusCode::FORBIDDEN, &Told::elsewhere()));
        }
        form::read(headers, body, fields).await.map_err(|status| views::page(status, &Told::elsewhere()))
    }

    /// Lets in whoever may approve.
    async fn welcome(
        &self,
        site: &Url,
        signed_in: Result<(Arc<Principal>, Option<String>), SignInRefused>,
        to: Option<&ApprovalId>,
    ) -> Response {
        let (principal, shown) = match signed_in {
            Ok(known) => known,
            Err(refused) => return self.not_signed_in(refused, to),
        };
        if !principal.may(Scope::ApprovalsWrite) {
            self.approvals.refused(Refusal::InsufficientScope, Some(&principal.name));
            return views::page(StatusCode::FORBIDDEN, &Told::may_not_approve());
        }
        match self.approvals.sign_in(&principal.name, shown.as_deref()).await {
            Ok(Some(person)) => {
                let cookies = Cookies(site);
                let mut response = go_to(to);
                add_cookie(&mut response, &cookies.set_person(&person));
                add_cookie(&mut response, &cookies.set_sign_in("", 0));
                response
            }
            Ok(None) => unavailable("no randomness"),
            Err(error) => unavailable(error),
        }
    }
}

/// What waits for this person.
pub(super) async fn list(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    let Some(people) = &desk.people else { return super::gone(StatusCode::NOT_FOUND) };
    let person = match desk.person(people, &headers).await {
        Ok(Some(person)) => person,
        Ok(None) => return desk.sign_in_page(StatusCode::OK, None, None),
        Err(error) => return unavailable(error),
    };
    match desk.approvals.waiting_for(&person).await {
        Ok(waits) => views::page(StatusCode::OK, &List::new(&person, waits, desk.environment)),
        Err(error) => unavailable(error),
    }
}

/// A token that was typed. The server before these routes says where the client is.
pub(super) async fn sign_in(
    State(desk): State<Arc<Desk>>,
    client: Option<Extension<IpAddr>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Some(people), Some(site)) = (&desk.people, desk.site().await) else {
        return super::gone(StatusCode::NOT_FOUND);
    };
    if desk.approvals.ways().sign_in != Some(SignInBy::Token) {
        return super::gone(StatusCode::NOT_FOUND);
    }
    let [to, token] = match desk.submitted(&uri, &headers, body, ["to", "token"]).await {
        Ok(values) => values,
        Err(refused) => return refused,
    };
    let to = ApprovalId::parse(&to);
    let signed_in = people.sign_ins.by_token(token.trim(), client.map(|Extension(client)| client)).await;
    if matches!(signed_in, Err(SignInRefused::Unknown | SignInRefused::Slowed { .. })) {
        desk.approvals.refused(Refusal::WrongToken, None);
    }
    desk.welcome(&site, signed_in.map(|(principal, shown)| (principal, Some(shown))), to.as_ref()).await
}

/// Off to the issuer.
pub(super) async fn begin(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery) -> Response {
    let (Some(people), Some(site)) = (&desk.people, desk.site().await) else {
        return super::gone(StatusCode::NOT_FOUND);
    };
    // Only an approval's name can be said as the place to go on to: no other site can.
    let to = form::first(query.as_deref().unwrap_or_default().as_bytes(), "to");
    let to = to.as_deref().and_then(ApprovalId::parse);
    if desk.approvals.ways().sign_in != Some(SignInBy::Issuer) {
        return desk.sign_in_page(StatusCode::OK, to.as_ref(), None);
    }
    let Some(redirect_uri) = callback_of(&site) else { return unavailable("no address to come back to") };
    let begun = match people.sign_ins.begin(&redirect_uri).await {
        Ok(begun) => begun,
        Err(refused) => return desk.not_signed_in(refused, to.as_ref()),
    };
    let until = Timestamp::now().checked_add(SIGN_IN_WITHIN).unwrap_or_default();
    let pending = Pending { state: begun.state, pkce_verifier: begun.pkce_verifier, to, until };
    let sealed = serde_json::to_vec(&pending).ok();
    let sealed = sealed.and_then(|bytes| people.sealer.seal(PURPOSE, &[site.as_str()], &bytes).ok());
    let Some(sealed) = sealed else { return unavailable("nothing can be sealed") };
    let location = [(header::LOCATION, String::from(begun.authorize_url))];
    let mut response = (StatusCode::SEE_OTHER, location).into_response();
    add_cookie(&mut response, &Cookies(&site).set_sign_in(&sealed, SIGN_IN_WITHIN.as_secs()));
    response
}

/// Back from the issuer.
pub(super) async fn callback(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (Some(people), Some(site)) = (&desk.people, desk.site().await) else {
        return super::gone(StatusCode::NOT_FOUND);
    };
    let query = query.unwrap_or_default();
    let field = |name: &str| form::first(query.as_bytes(), name);
    if field(views::people::HERE).is_none() {
        return views::page(StatusCode::OK, &Hop::new(&query));
    }
    let failed = |error| {
        desk.approvals.refused(Refusal::WrongSignIn, None);
        desk.sign_in_page(StatusCode::FORBIDDEN, None, Some(error))
    };
    let (Some(sealed), Some(state)) = (Cookies(&site).sign_in(&headers), field("state")) else {
        return failed("this browser has no sign-in under way. Begin here.");
    };
    let opened = people.sealer.open(PURPOSE, &[site.as_str()], &sealed);
    let pending = opened.and_then(|bytes| serde_json::from_slice::<Pending>(&bytes).ok());
    let Some(pending) = pending.filter(|pending| pending.until > Timestamp::now()) else {
        return failed("the sign-in took too long. Begin again.");
    };
    if !bool::from(pending.state.as_bytes().ct_eq(state.as_bytes())) {
        return failed("what came back belongs to another sign-in. Begin again.");
    }
    match desk.approvals.use_once(&sealed, SIGN_IN_WITHIN).await {
        Ok(true) => {}
        Ok(false) => return failed("this sign-in was used before. Begin again."),
        Err(error) => return unavailable(error),
    }
    let (Some(code), Some(redirect_uri)) = (field("code"), callback_of(&site)) else {
        return failed("the issuer did not sign you in. Begin again, or ask whoever runs it.");
    };
    let (pkce_verifier, iss) = (pending.pkce_verifier.as_str(), field("iss"));
    let returned = Returned { code: &code, pkce_verifier, redirect_uri: &redirect_uri, iss: iss.as_deref() };
    let signed_in = people.sign_ins.finish(returned).await;
    if signed_in == Err(SignInRefused::Unknown) {
        desk.approvals.refused(Refusal::WrongSignIn, None);
    }
    desk.welcome(&site, signed_in.map(|principal| (principal, None)), pending.to.as_ref()).await
}

/// A press on the button that signs out.
pub(super) async fn sign_out(
    State(desk): State<Arc<Desk>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Some(people), Some(site)) = (&desk.people, desk.site().await) else {
        return super::gone(StatusCode::NOT_FOUND);
    };
    let [token] = match desk.submitted(&uri, &headers, body, ["token"]).await {
        Ok(values) => values,
        Err(refused) => return refused,
    };
    match desk.person(people, &headers).await {
        Ok(Some(person)) => {
            if !bool::from(person.token(SIGN_OUT).as_bytes().ct_eq(token.as_bytes())) {
                desk.approvals.refused(Refusal::ForeignForm, Some(person.name()));
                return views::page(StatusCode::FORBIDDEN, &Told::elsewhere());
            }
            if let Err(error) = desk.approvals.sign_out(&person).await {
                return unavailable(error);
            }
        }
        Ok(None) => {}
        Err(error) => return unavailable(error),
    }
    let mut response = go_to(None);
    add_cookie(&mut response, &Cookies(&site).forget_person());
    response
}

fn callback_of(site: &Url) -> Option<Url> {
    site.join("/approvals/callback").ok()
}

/// On to an approval, or to the list.
fn go_to(to: Option<&ApprovalId>) -> Response {
    let location = to.map_or_else(|| views::people::LIST.to_owned(), views::address);
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

fn add_cookie(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = cookie.parse() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

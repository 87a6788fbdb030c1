//! The words of the pages on which people sign in, and of the list of what waits.

use askama::Template;

use super::{Banner, address};
use crate::calls::approvals::{ApprovalId, SignInBy, SignedIn, Waits};
use crate::domain::Environment;
use crate::pages::people::SIGN_OUT;
use crate::pages::plain::{plain, time};

/// Where the list stands.
pub(in crate::pages) const LIST: &str = "/approvals";
/// Marks the second half of the way back from the issuer.
pub(in crate::pages) const HERE: &str = "here";

/// How to sign in.
#[derive(Template)]
#[template(path = "approval/sign_in.html")]
pub(in crate::pages) struct SignInPage {
    by: SignInBy,
    /// The approval to go on to, or nothing.
    to: String,
    /// This page.
    here: String,
    error: Option<&'static str>,
}

impl SignInPage {
    pub(in crate::pages) fn new(by: SignInBy, to: Option<&ApprovalId>, error: Option<&'static str>) -> Self {
        let here = to.map_or_else(|| LIST.to_owned(), address);
        Self { by, to: to.map(ToString::to_string).unwrap_or_default(), here, error }
    }
}

/// One hop on the way back from the issuer: from our page to our page, so that the browser sends its cookie.
#[derive(Template)]
#[template(path = "approval/hop.html")]
pub(in crate::pages) struct Hop {
    next: String,
}

impl Hop {
    pub(in crate::pages) fn new(query: &str) -> Self {
        Self { next: format!("/approvals/callback?{query}&{HERE}=1") }
    }
}

/// What waits for a person.
#[derive(Template)]
#[template(path = "approval/list.html")]
pub(in crate::pages) struct List {
    environment: Banner,
    name: String,
    token: String,
    waits: Vec<Line>,
}

struct Line {
    address: String,
    title: String,
    asked_by: String,
    expires_at: String,
    until: String,
}

impl List {
    pub(in crate::pages) fn new(person: &SignedIn, waits: Vec<Waits>, environment: Environment) -> Self {
        let line = |waits: Waits| Line {
            address: address(&waits.id),
            title: plain(&waits.title),
            asked_by: plain(&waits.asked_by),
            until: time(&waits.expires_at).into_owned(),
            expires_at: waits.expires_at,
        };
        Self {
            environment: Banner::of(environment),
            name: plain(person.name()),
            token: person.token(SIGN_OUT),
            waits: waits.into_iter().map(line).collect(),
        }
    }
}

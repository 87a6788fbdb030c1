//! The cookies. That of an approval is named by it, that of a person by the port: cookies ignore ports, so another
//! server on this machine sees and sets cookies of the same names.

use axum::http::{HeaderMap, header};
use url::Url;

use super::views;
use crate::calls::approvals::{ApprovalId, Proof, SIGNED_IN_FOR, SignedIn};

/// What the name of an approval's cookie begins with.
const OF_APPROVAL: &str = "fintecture-approval-";
/// What the name of a person's cookie begins with.
const OF_PERSON: &str = "fintecture-approver-";
/// What the name of the cookie begins with that a sign-in has while it is under way.
const OF_SIGN_IN: &str = "fintecture-sign-in-";

/// The cookie of this approval, as it came in.
pub(super) fn of(headers: &HeaderMap, id: &ApprovalId, is_https: bool) -> Option<String> {
    find(headers, &format!("{}{OF_APPROVAL}{id}", prefix(is_https)))
}

/// The header that sets it. It ends with the browser's session; the server forgets it earlier.
pub(super) fn set(id: &ApprovalId, proof: &Proof, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!(
        "{}{OF_APPROVAL}{id}={}; Path={}; HttpOnly; SameSite=Strict{secure}",
        prefix(is_https),
        proof.as_str(),
        views::address(id)
    )
}

/// The cookies of people, at this origin.
#[derive(Debug)]
pub(super) struct Cookies<'a>(pub(super) &'a Url);

impl Cookies<'_> {
    /// The person's, as it came in.
    pub(super) fn person(&self, headers: &HeaderMap) -> Option<String> {
        find(headers, &self.name(OF_PERSON))
    }

    /// The header that sets it.
    pub(super) fn set_person(&self, person: &SignedIn) -> String {
        self.set(OF_PERSON, person.as_str(), "/approvals", SIGNED_IN_FOR.as_secs())
    }

    /// The header that takes it away.
    pub(super) fn forget_person(&self) -> String {
        self.set(OF_PERSON, "", "/approvals", 0)
    }

    /// That of a sign-in under way, as it came in.
    pub(super) fn sign_in(&self, headers: &HeaderMap) -> Option<String> {
        find(headers, &self.name(OF_SIGN_IN))
    }

    /// The header that sets it.
    pub(super) fn set_sign_in(&self, sealed: &str, seconds: u64) -> String {
        self.set(OF_SIGN_IN, sealed, "/approvals/callback", seconds)
    }

    fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    fn name(&self, start: &str) -> String {
        let prefix = prefix(self.is_https());
        format!("{prefix}{start}{}", self.0.port_or_known_default().unwrap_or_default())
    }

    fn set(&self, start: &str, value: &str, path: &str, seconds: u64) -> String {
        let secure = if self.is_https() { "; Secure" } else { "" };
        let name = self.name(start);
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

/// A browser takes a name with this prefix over https alone: nobody on the way can plant one.
fn prefix(is_https: bool) -> &'static str {
    if is_https { "__Secure-" } else { "" }
}

fn find(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

//! The cookie that holds a proof. It is named by its approval: cookies ignore ports, so another server on this
//! machine sees and sets cookies of the same names.

use axum::http::{HeaderMap, header};

use super::views;
use crate::calls::approvals::{ApprovalId, Proof};

/// What every such cookie's name begins with.
const NAME: &str = "fintecture-approval-";

/// The cookie of this approval, as it came in.
pub(super) fn of(headers: &HeaderMap, id: &ApprovalId) -> Option<String> {
    let name = format!("{NAME}{id}");
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// The header that sets it. It ends with the browser's session; the server forgets it earlier.
pub(super) fn set(id: &ApprovalId, proof: &Proof) -> String {
    format!("{NAME}{id}={}; Path={}; HttpOnly; SameSite=Strict", proof.as_str(), views::address(id))
}

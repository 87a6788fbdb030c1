//! `tools/list` for each set of rights: put together when it is first asked for, and kept, since there are few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::Tool;

use super::about::wire_tools;
use crate::domain::{Scope, Scopes};
use crate::tools::Tools;

/// The lists of one server.
#[derive(Debug, Default)]
pub(super) struct Lists(Mutex<HashMap<Scopes, Arc<[Tool]>>>);

impl Lists {
    /// The tools as somebody with these rights sees them.
    pub(super) fn of(&self, tools: &Tools, scopes: Scopes) -> Arc<[Tool]> {
        // These two change no list, so that there are at most 64.
        let scopes = scopes.without(Scope::PersonalDataRead).without(Scope::ApprovalsWrite);
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lists.entry(scopes).or_insert_with(|| wire_tools(&tools.list(scopes)).into()))
    }
}

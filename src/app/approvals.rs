//! Builds the approvals: the code, the desk where the pages stand, and a word where no person could approve anything.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::desk::{HttpDesk, StdioDesk};
use crate::calls::approvals::{Approvals, Code, Confirm, Desk, People, SignInBy};
use crate::config::{ApprovalSettings, ConfirmWrites, variables};
use crate::domain::Environment;
use crate::store::Store;

/// Approvals whose settings have been found good.
pub(super) struct Prepared {
    confirm: Option<ConfirmWrites>,
    code: Option<Code>,
    listen: SocketAddr,
}

/// Checks the code.
///
/// # Errors
/// What is wrong, in a line.
pub(super) fn prepare(settings: ApprovalSettings) -> Result<Prepared, String> {
    let ApprovalSettings { confirm, listen, code } = settings;
    if let Some(path) = code.as_ref().and_then(|code| code.readable_by_others()) {
        tracing::warn!(path = %path.display(), "others than its owner may read the approval code: chmod 600 it");
    }
    let name = variables::APPROVAL_CODE.variable.name;
    let code = code.map(Code::new).transpose().map_err(|error| format!("{name} {error}"))?;
    Ok(Prepared { confirm, code, listen })
}

impl Prepared {
    /// Which writes need an approval.
    pub(super) fn confirm(&self, environment: Environment) -> Confirm {
        match self.confirm.unwrap_or(ConfirmWrites::default_of(environment)) {
            ConfirmWrites::Never => Confirm::Never,
            ConfirmWrites::Auto => Confirm::Auto,
            ConfirmWrites::Always => Confirm::Always,
        }
    }

    /// Beside stdio, with pages on a listener of their own until `end`.
    pub(super) fn on_stdio(
        self,
        environment: Environment,
        store: Store,
        end: CancellationToken,
    ) -> Arc<Approvals> {
        let desk = Arc::new(StdioDesk::new(self.listen, environment, end));
        let approvals = Approvals::new(self.code, Arc::clone(&desk) as Arc<dyn Desk>, store);
        desk.serves(&approvals);
        approvals
    }

    /// On the HTTP server, which people find at this origin; where people sign in, they decide, and no code does.
    pub(super) fn on_http(self, origin: String, people: Option<People>, store: Store) -> Arc<Approvals> {
        let desk = Arc::new(HttpDesk::new(origin));
        match people {
            Some(people) => Approvals::by_people(people, desk, store),
            None => Approvals::new(self.code, desk, store),
        }
    }
}

/// Says what to set where writes need an approval and no page could give one.
pub(super) fn warn_of_no_way(approvals: &Approvals, confirm: Confirm, is_stdio: bool) {
    if confirm != Confirm::Always || approvals.has_page() {
        return;
    }
    if approvals.ways().sign_in == Some(SignInBy::Nothing) {
        tracing::warn!(
            "every write needs an approval, and nobody can sign in to give one: each write is refused (confirmation_required). Set --oauth-client-id, or choose another --confirm-writes"
        );
        return;
    }
    let set = variables::APPROVAL_CODE.variable.name;
    if is_stdio {
        tracing::warn!(
            "every write needs an approval, and there is neither a browser to open nor an approval code: clients that cannot ask their person are refused each write. Set {set}, or BROWSER"
        );
    } else {
        tracing::warn!(
            "every write needs an approval, and there is no approval code to give one with: each write is refused (confirmation_required). Set {set}, or choose another --confirm-writes"
        );
    }
}

//! Settings on their way: what is wrong with them so far, and those of which only their files show more.

use super::{AccessSettings, ApprovalSettings, HttpSettings, Limits, Problems, Serve, Upstream};

/// The settings as far as flags and variables show them.
#[derive(Debug)]
#[expect(missing_docs, reason = "they are those of `Serve`")]
pub struct Draft {
    pub problems: Problems,
    pub upstream: Option<Upstream>,
    pub approvals: ApprovalSettings,
    pub access: Option<AccessSettings>,
    pub http: HttpSettings,
    pub limits: Limits,
}

impl From<Serve> for Draft {
    fn from(Serve { upstream, approvals, access, http, limits, .. }: Serve) -> Self {
        let (upstream, access) = (Some(upstream), Some(access));
        Self { problems: Problems::default(), upstream, approvals, access, http, limits }
    }
}

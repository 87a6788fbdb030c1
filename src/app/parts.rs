//! The parts that files have a say in: keys, certificates, tokens, codes.

use super::people::People;
use super::{access, approvals, network, upstream};
use crate::access::Access;
use crate::config::{Draft, Problems};
use crate::transports::HttpConfig;

/// What is made of the settings with a look at their files; nothing where they are wrong.
pub(super) struct Parts {
    pub(super) upstream: Option<upstream::Prepared>,
    pub(super) approvals: Option<approvals::Prepared>,
    pub(super) access: Option<(Access, Option<People>)>,
    pub(super) http: Option<HttpConfig>,
}

impl Parts {
    /// Makes them, and adds what their files show to be wrong: people mend everything in one go.
    pub(super) fn of(draft: Draft) -> (Self, Problems) {
        let Draft { mut problems, upstream, approvals, access, http, limits } = draft;
        let upstream = upstream.map(upstream::prepare).transpose();
        let approvals = approvals::prepare(approvals);
        let access = access.map(access::prepare).transpose();
        let http = network::prepare(http, &limits);
        let parts = Self {
            upstream: upstream.map_err(|error| problems.add(error)).ok().flatten(),
            approvals: approvals.map_err(|error| problems.add(error)).ok(),
            access: access.map_err(|error| problems.add(error)).ok().flatten(),
            http: http.map_err(|error| problems.add(error)).ok(),
        };
        (parts, problems)
    }
}

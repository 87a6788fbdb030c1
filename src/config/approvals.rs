//! Settings of approvals: which writes need one, and how a person can give it.

use std::net::SocketAddr;

use super::credentials::secret;
use super::variables::{APPROVAL_CODE, Variables};
use super::{Problems, ServeFlags};
use crate::domain::Environment;
use crate::secret::Secret;

/// Where the approval pages of a stdio server listen where nothing is said.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Which writes need a person's yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmWrites {
    /// None does.
    Never,
    /// Those of clients that can be asked.
    Auto,
    /// All.
    Always,
}

impl ConfirmWrites {
    /// What holds where nothing is said.
    #[must_use]
    pub fn default_of(environment: Environment) -> Self {
        match environment {
            Environment::Simulator | Environment::Sandbox => Self::Auto,
            Environment::Production => Self::Always,
        }
    }
}

/// Settings of approvals.
#[derive(Debug)]
pub struct ApprovalSettings {
    /// Which writes need one; `None`: the default of the environment.
    pub confirm: Option<ConfirmWrites>,
    /// Where the pages of a stdio server listen.
    pub listen: SocketAddr,
    /// What a person types on a page, or its hash.
    pub code: Option<Secret>,
}

/// Reads them. `on_stdio`: whether the pages have a listener of their own.
pub(super) fn read(
    flags: &ServeFlags,
    on_stdio: bool,
    variables: &Variables<'_>,
    problems: &mut Problems,
) -> Option<ApprovalSettings> {
    let confirm = match flags.confirm_writes.as_deref() {
        None => Some(None),
        Some("never") => Some(Some(ConfirmWrites::Never)),
        Some("auto") => Some(Some(ConfirmWrites::Auto)),
        Some("always") => Some(Some(ConfirmWrites::Always)),
        Some(_) => {
            problems.add("--confirm-writes must be never, auto or always");
            None
        }
    };
    let before = problems.len();
    let code = secret(APPROVAL_CODE, variables, problems);
    let may_have_code = code.is_some() || problems.len() > before;
    let listen = listen(flags.approvals_listen.as_deref(), on_stdio, may_have_code, problems);
    Some(ApprovalSettings { confirm: confirm?, listen: listen?, code })
}

fn listen(flag: Option<&str>, on_stdio: bool, has_code: bool, problems: &mut Problems) -> Option<SocketAddr> {
    let Some(text) = flag else { return Some(DEFAULT_LISTEN) };
    if !on_stdio {
        problems.add(
            "--approvals-listen is for stdio: with --transport http the approval pages stand at --listen",
        );
        return None;
    }
    let Some(address) = super::listen::address(text) else {
        problems.add("--approvals-listen must be an address with a port, such as 127.0.0.1:0");
        return None;
    };
    if !address.ip().is_loopback() && !has_code {
        problems.add(format!(
            "--approvals-listen beyond loopback needs {}: nobody there could show that they are a person otherwise",
            APPROVAL_CODE.variable.name
        ));
        return None;
    }
    Some(address)
}

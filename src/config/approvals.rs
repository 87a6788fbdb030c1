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
) -> ApprovalSettings {
    // A client that starts the server with all flags of its form leaves those empty that nobody filled in.
    let is_given = |text: &&str| !(on_stdio && super::variables::unfilled(text).is_some());
    let confirm = match flags.confirm_writes.as_deref().filter(is_given) {
        None => None,
        Some("never") => Some(ConfirmWrites::Never),
        Some("auto") => Some(ConfirmWrites::Auto),
        Some("always") => Some(ConfirmWrites::Always),
        Some(_) => {
            problems.add("--confirm-writes must be never, auto or always");
            None
        }
    };
    // Four eyes would see nothing of a write that goes on without them.
    if needs_another(flags) && matches!(confirm, Some(ConfirmWrites::Never | ConfirmWrites::Auto)) {
        problems.add("--approvers other needs --confirm-writes always: with auto or never, writes go on without another person's yes");
    }
    let confirm = if needs_another(flags) { Some(ConfirmWrites::Always) } else { confirm };
    let before = problems.len();
    let code = secret(APPROVAL_CODE, variables, problems);
    let may_have_code = code.is_some() || problems.len() > before;
    let listen = listen(flags.approvals_listen.as_deref(), on_stdio, may_have_code, problems);
    ApprovalSettings { confirm, listen: listen.unwrap_or(DEFAULT_LISTEN), code }
}

fn needs_another(flags: &ServeFlags) -> bool {
    flags.approvers.as_deref() == Some("other")
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

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: (&str, &str) = ("FINTECTURE_APPROVAL_CODE", "correct horse battery");

    fn of(
        confirm: Option<&str>,
        listen: Option<&str>,
        on_stdio: bool,
        code: &[(&str, &str)],
    ) -> Result<ApprovalSettings, String> {
        let get =
            |name: &str| code.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let flags = ServeFlags {
            confirm_writes: confirm.map(str::to_owned),
            approvals_listen: listen.map(str::to_owned),
            ..ServeFlags::default()
        };
        let mut problems = Problems::default();
        let settings = read(&flags, on_stdio, &Variables::new(&get), &mut problems);
        problems.or(Some(settings)).map_err(|problems| problems.to_string())
    }

    #[test]
    fn writes_are_confirmed_as_said_or_as_the_environment_needs_it() {
        for (flag, confirm) in [
            ("never", ConfirmWrites::Never),
            ("auto", ConfirmWrites::Auto),
            ("always", ConfirmWrites::Always),
        ] {
            assert_eq!(of(Some(flag), None, true, &[]).unwrap().confirm, Some(confirm));
        }
        assert_eq!(of(None, None, true, &[]).unwrap().confirm, None);
        assert_eq!(ConfirmWrites::default_of(Environment::Simulator), ConfirmWrites::Auto);
        assert_eq!(ConfirmWrites::default_of(Environment::Sandbox), ConfirmWrites::Auto);
        assert_eq!(ConfirmWrites::default_of(Environment::Production), ConfirmWrites::Always);
        let refused = of(Some("sometimes"), None, true, &[]).unwrap_err();
        assert_eq!(refused, "--confirm-writes must be never, auto or always");
    }

    #[test]
    fn four_eyes_need_every_write_confirmed() {
        let of = |confirm: Option<&str>| {
            let flags = ServeFlags {
                confirm_writes: confirm.map(str::to_owned),
                approvers: Some("other".to_owned()),
                ..ServeFlags::default()
            };
            let mut problems = Problems::default();
            let settings = read(&flags, false, &Variables::new(&|_| None), &mut problems);
            problems
                .or(Some(settings))
                .map(|settings| settings.confirm)
                .map_err(|problems| problems.to_string())
        };
        assert_eq!(of(None), Ok(Some(ConfirmWrites::Always)));
        assert_eq!(of(Some("always")), Ok(Some(ConfirmWrites::Always)));
        for weaker in ["auto", "never"] {
            assert!(
                of(Some(weaker)).unwrap_err().starts_with("--approvers other needs --confirm-writes always")
            );
        }
    }

    #[test]
    fn the_pages_of_stdio_listen_beyond_loopback_with_a_code_alone() {
        assert_eq!(of(None, None, true, &[]).unwrap().listen.to_string(), "127.0.0.1:0");
        assert_eq!(of(None, Some("localhost:4000"), true, &[]).unwrap().listen.to_string(), "127.0.0.1:4000");
        assert_eq!(of(None, Some("0.0.0.0:4000"), true, &[CODE]).unwrap().listen.to_string(), "0.0.0.0:4000");
        let file = [("FINTECTURE_APPROVAL_CODE_FILE", "no-such-file")];
        for (listen, code, said) in [
            (
                "0.0.0.0:4000",
                &[][..],
                "--approvals-listen beyond loopback needs FINTECTURE_APPROVAL_CODE: nobody there could show that they are a person otherwise",
            ),
            ("4000", &[CODE], "--approvals-listen must be an address with a port, such as 127.0.0.1:0"),
            (
                "0.0.0.0:4000",
                &file,
                "FINTECTURE_APPROVAL_CODE_FILE: the file cannot be read: No such file or directory (os error 2)",
            ),
        ] {
            assert_eq!(of(None, Some(listen), true, code).unwrap_err(), said);
        }
        assert_eq!(
            of(None, Some("127.0.0.1:0"), false, &[]).unwrap_err(),
            "--approvals-listen is for stdio: with --transport http the approval pages stand at --listen"
        );
    }

    #[test]
    fn a_code_that_was_lost_on_the_way_is_noticed() {
        let blank = of(None, None, true, &[("FINTECTURE_APPROVAL_CODE", " ")]).unwrap_err();
        assert_eq!(blank, "FINTECTURE_APPROVAL_CODE is set, but empty: unset it, or give it its value");
        let both = [CODE, ("FINTECTURE_APPROVAL_CODE_FILE", "x")];
        let both = of(None, None, true, &both).unwrap_err();
        assert_eq!(
            both,
            "FINTECTURE_APPROVAL_CODE and FINTECTURE_APPROVAL_CODE_FILE are both set: unset one"
        );
    }
}

//! The person's browser: whether there is one, and how it is opened.
//!
//! The address that it is given holds a key: it is an argument of the browser's own program, goes through no shell
//! and stands in no log.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::config::variables;

/// A program that fails sooner than this has opened nothing, and the next one is tried.
const FAILS_WITHIN: Duration = Duration::from_secs(5);

/// How the person's browser is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Browser {
    /// By one of the commands of `$BROWSER`, the first that works.
    Named(Vec<String>),
    /// By what the desktop has for that.
    Desktop,
}

impl Browser {
    /// The browser of who runs this process; nothing where nobody would see it.
    pub(super) fn find() -> Option<Self> {
        Self::of(|name| std::env::var_os(name), cfg!(any(target_os = "macos", windows)))
    }

    fn of(read: impl Fn(&str) -> Option<OsString>, always_has_desktop: bool) -> Option<Self> {
        let is_set = |name: &str| read(name).is_some_and(|value| !value.is_empty());
        let named = read("BROWSER").and_then(|browser| browser.into_string().ok()).unwrap_or_default();
        let commands: Vec<String> = named
            .split(':')
            .map(str::trim)
            .filter(|command| !command.is_empty())
            .map(str::to_owned)
            .collect();
        if !commands.is_empty() {
            return Some(Self::Named(commands));
        }
        // Over ssh the desktop of this machine is not in front of the person, unless a display was brought along.
        let has_own_desktop = always_has_desktop && !is_set("SSH_CONNECTION");
        // Under WSL the desktop is that of Windows, and needs no display here.
        let has_desktop = has_own_desktop
            || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|name| is_set(name));
        has_desktop.then_some(Self::Desktop)
    }

    /// Opens it, beside everything else. The programs it takes are waited for, but by nobody who has something to do;
    /// where none of them works, `none_works` is set.
    pub(super) fn open(&self, address: &str, none_works: Arc<AtomicBool>) {
        let commands = self.commands(address);
        tokio::spawn(async move {
            for command in commands {
                if works(command).await {
                    return;
                }
            }
            none_works.store(true, Ordering::Relaxed);
            tracing::warn!(
                "no browser could be opened for an approval: set BROWSER to a command that opens one, or FINTECTURE_APPROVAL_CODE"
            );
        });
    }

    fn commands(&self, address: &str) -> Vec<Command> {
        match self {
            Self::Named(commands) => commands.iter().filter_map(|text| named(text, address)).collect(),
            Self::Desktop => open::commands(address).into_iter().map(Command::from).collect(),
        }
    }
}

/// A command of `$BROWSER`: words between spaces, of which `%s` stands for the address; without one it comes last.
fn named(text: &str, address: &str) -> Option<Command> {
    let is_one_program = text.contains('/') && Path::new(text).is_file();
    let words: Vec<&str> = if is_one_program { vec![text] } else { text.split_whitespace().collect() };
    let (program, words) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(words.iter().map(|word| word.replace("%s", address)));
    if !words.iter().any(|word| word.contains("%s")) {
        command.arg(address);
    }
    Some(command)
}

/// Runs a command to its end. Whether it could be started and did not fail at once.
async fn works(mut command: Command) -> bool {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(variables::PREFIX) {
            command.env_remove(name);
        }
    }
    // In a group of its own it outlives an interrupt from the terminal, which is meant for this process.
    #[cfg(unix)]
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let Ok(mut child) = command.spawn() else { return false };
    let ended = child.wait().await;
    ended.is_ok_and(|status| status.success()) || started.elapsed() >= FAILS_WITHIN
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn found(variables: &[(&str, &str)]) -> Option<Browser> {
        let read = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        Browser::of(read, false)
    }

    fn words(text: &str) -> Vec<String> {
        let command = named(text, "http://h/?key=a b;c").unwrap();
        let command = command.as_std();
        [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_browser_is_there_where_somebody_would_see_it() {
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[("DISPLAY", ""), ("BROWSER", ":")]), None);
        for desktop in ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"] {
            assert_eq!(found(&[(desktop, ":0")]), Some(Browser::Desktop), "{desktop}");
        }
        assert_eq!(Browser::of(|_| None, true), Some(Browser::Desktop));
        let over_ssh = |name: &str| (name == "SSH_CONNECTION").then(|| OsString::from("192.0.2.1 22"));
        assert_eq!(Browser::of(over_ssh, true), None);
        let both = found(&[("BROWSER", "firefox --new-window %s:lynx"), ("DISPLAY", ":0")]);
        assert_eq!(both, Some(Browser::Named(vec!["firefox --new-window %s".into(), "lynx".into()])));
    }

    #[test]
    fn the_address_is_one_argument_and_goes_through_no_shell() {
        assert_eq!(words("firefox"), ["firefox", "http://h/?key=a b;c"]);
        assert_eq!(words("firefox --url=%s -P x"), ["firefox", "--url=http://h/?key=a b;c", "-P", "x"]);
        assert!(named("  ", "x").is_none());
    }

    /// The whole way: the first command is not there, the second fails, the third gets the address.
    #[tokio::test]
    async fn the_next_command_is_tried_and_gets_the_address() {
        let folder = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let seen = folder.path().join("seen");
        let commands = vec![
            folder.path().join("none").to_str().unwrap().to_owned(),
            script("fails", "#!/bin/sh\nexit 1\n"),
            script(
                "with a space",
                &format!("#!/bin/sh\necho \"$1\" > {0}.new\nmv {0}.new {0}\n", seen.display()),
            ),
        ];
        let mut tried = Vec::new();
        for command in Browser::Named(commands).commands("http://127.0.0.1:1/approvals/x?key=k") {
            tried.push(works(command).await);
        }
        assert_eq!(tried, [false, false, true]);
        assert_eq!(std::fs::read_to_string(seen).unwrap(), "http://127.0.0.1:1/approvals/x?key=k\n");
    }
}

//! Opens the audit trail for a server, and reads trails for a person: `audit verify` and `audit unresolved`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failed, print, say};
use crate::audit::{self, AuditKey, Facts, OpenError, Trail, Unresolved, VerifyOptions};
use crate::capability::Capabilities;
use crate::cli::{AuditCommand, VerifyArgs};
use crate::config::{AuditSettings, Problems};
use crate::domain::Environment;
use crate::secret::Secret;

/// How often the head is logged while lines are written.
const LOG_HEAD_EVERY: Duration = Duration::from_mins(1);

/// The trail of these settings, or none.
pub(super) fn open(
    settings: Option<AuditSettings>,
    environment: Environment,
    capabilities: &Capabilities,
) -> Result<Trail, Failed> {
    let Some(AuditSettings { log, key }) = settings else { return Ok(Trail::off()) };
    if let Some(path) = key.as_ref().and_then(Secret::readable_by_others) {
        tracing::warn!(path = %path.display(), "others than its owner may read the audit key: chmod 600 it");
    }
    let key = key.as_ref().map(AuditKey::new).transpose();
    let key = key.map_err(|error| Failed::Usage(format!("--audit-key: the file {error}")))?;
    let files = capabilities.files().iter().map(|file| (file.name.as_str(), file.text.as_str()));
    let facts = Facts::new(environment.as_str(), files);
    Trail::open(&log, key.as_ref(), facts).map_err(|error| match error {
        OpenError::Held { .. } => Failed::Other(anyhow::anyhow!("--audit-log: {error}")),
        error => Failed::Usage(format!("--audit-log: {error}")),
    })
}

/// Logs the trail's head now and then, and goes on in a new file on SIGHUP.
pub(super) fn keep(trail: &Trail) -> anyhow::Result<()> {
    if !trail.is_on() {
        return Ok(());
    }
    let mut hangups = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    let trail = trail.clone();
    tokio::spawn(async move {
        let mut log = tokio::time::interval(LOG_HEAD_EVERY);
        loop {
            tokio::select! {
                hangup = hangups.recv() => match hangup {
                    Some(()) => trail.reopen().await,
                    None => return,
                },
                _ = log.tick() => trail.log_head(),
            }
        }
    });
    Ok(())
}

/// `audit ...`
pub(super) fn run(command: AuditCommand, problems: Problems) -> Result<(), Failed> {
    match command {
        AuditCommand::Verify(args) => verify(args, problems),
        AuditCommand::Unresolved { files } => {
            problems.or(Some(()))?;
            unresolved(&files)
        }
    }
}

fn verify(args: VerifyArgs, mut problems: Problems) -> Result<(), Failed> {
    let mut hash = |flag: &str, text: Option<String>| {
        let hash = text.map(|text| text.parse()).transpose();
        hash.map_err(|error| problems.add(format!("{flag} {error}"))).ok().flatten()
    };
    let (head, after) = (hash("--head", args.head), hash("--after", args.after));
    let key = args.audit_key.as_deref().map(read_key).transpose();
    let key = key.map_err(|error| problems.add(format!("--audit-key: the file {error}"))).ok().flatten();
    problems.or(Some(()))?;
    let options = VerifyOptions { key, head, after };
    let is_keyed = options.key.is_some();
    let verified = audit::verify(&args.files, &options).map_err(|found| told(&found.to_string()))?;
    let mut said = format!("{} lines, whole and in order.", verified.lines);
    if let Some(lines) = verified.after_head {
        let _ = write!(said, " The kept head is there, {lines} lines before the end.");
    }
    if let Some(bytes) = verified.torn_bytes {
        let _ = write!(
            said,
            " At the end stand {bytes} bytes that are no whole line: the server was killed, or is writing."
        );
    }
    let covers = match (is_keyed, verified.after_head) {
        (_, Some(0)) => None,
        (true, _) => {
            Some("Lines that were cut off the end are found with the head that was kept last (--head).")
        }
        (false, Some(_)) => Some("What follows the kept head could be rewritten: there is no key."),
        (false, None) => Some(
            "Without a key (--audit-key) or a kept head (--head) a file that was rewritten as a whole looks like this, too.",
        ),
    };
    print(&said);
    if let Some(covers) = covers {
        print(covers);
    }
    print(&format!("head {} {}", verified.head.seq, verified.head.hash));
    Ok(())
}

fn read_key(path: &Path) -> Result<AuditKey, String> {
    let secret = Secret::from_file(path).map_err(|error| error.to_string())?;
    AuditKey::new(&secret).map_err(|error| error.to_string())
}

fn unresolved(files: &[PathBuf]) -> Result<(), Failed> {
    let (open, broken) = audit::unresolved(files).map_err(|error| told(&error.to_string()))?;
    for write in &open {
        print(&in_words(write));
    }
    if open.is_empty() {
        print("Every write that is on record has a known outcome.");
    }
    if broken > 0 {
        return Err(told(&format!("{broken} lines could not be read: audit verify says more")));
    }
    Ok(())
}

fn in_words(write: &Unresolved) -> String {
    let mut line = format!("{} {} {} {}", write.time, write.principal, write.tool, write.action);
    for (name, id) in &write.targets {
        let _ = write!(line, " {name}={id}");
    }
    if let Some(id) = &write.request_id {
        let _ = write!(line, " request_id={id}");
    }
    let why =
        if write.is_told { "outcome unknown" } else { "no outcome: under way, or the server was killed" };
    let _ = write!(line, " (line {}, {why})", write.seq);
    line
}

/// Exit 1, with this on standard error.
fn told(text: &str) -> Failed {
    say(&mut std::io::stderr(), &format!("fintecture-mcp: {text}"));
    Failed::Told(1)
}

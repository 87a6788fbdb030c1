//! `setup`: the configuration of a client, shown or written.
//!
//! What is written is checked as the server will check it, so that a client never starts a server that refuses to run.

mod command;
mod kept;
mod secret_file;
mod server;
mod wsl;

use std::path::{Path, PathBuf};

use anyhow::Context;
use etcetera::{BaseStrategy, base_strategy::choose_native_strategy};

use super::{Failed, print, say};
use crate::cli::{SetupArgs, SetupClient, SetupScope};
use crate::config::{Problems, variables};
use crate::setup::{Client, ClientFile, Existing, Merged, Places, Scope, Wanted, create, existing, lock};

/// Longest name: clients put it before a tool's, and take 60 characters for both.
const MAX_NAME: usize = 32;

/// What is to be done, and to which file.
struct Plan {
    wanted: Wanted,
    file: PathBuf,
    notes: Vec<String>,
}

/// Shows the configuration, or writes it.
///
/// # Errors
/// Exit 2 where the flags are wrong, 1 where the client's file is left as it is.
pub(super) fn run(args: &SetupArgs, problems: Problems) -> Result<(), Failed> {
    let scope = match args.scope {
        SetupScope::User => Scope::User,
        SetupScope::Project => Scope::Project,
    };
    let mut plan = plan(args, scope, problems)?;
    if args.write {
        let _lock = lock(&plan.file).with_context(|| plan.file.display().to_string())?;
        // Another run may have been before this one: what stays of the entry is read again.
        plan = self::plan(args, scope, Problems::default())?;
        write(&plan.wanted, &plan.file, scope)?;
    } else {
        show(&plan.wanted, &plan.file)?;
    }
    for line in plan.notes {
        tell(args.write, &line);
    }
    Ok(())
}

fn plan(args: &SetupArgs, scope: Scope, mut problems: Problems) -> Result<Plan, Failed> {
    let client = client(args.client);
    let places = places()?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if args.name.is_empty() || args.name.len() > MAX_NAME || !args.name.chars().all(is_name) {
        problems.add("--name must have 1 to 32 letters, digits, dashes or underscores");
    }
    let file = args.file.clone().or_else(|| client.file(scope, &places));
    if file.is_none() {
        problems.add(format!("--scope project: {} has no file for a project", client.title()));
    }
    let there = file.as_deref().map(|file| entry_there(client, &args.name, file));
    let entry = there.as_ref().and_then(|there| there.as_ref().ok()).and_then(Option::as_ref);
    let server = server::read(args, client, scope, &places, entry, &mut problems);
    if let (None, Some(file), Some(planned)) = (&args.file, &file, &server) {
        wsl::refuse(client, scope, file, &planned.server, &mut problems);
    }
    let (server, file) = problems.or(server.zip(file))?;
    there.transpose()?;
    let wanted =
        Wanted { client, name: args.name.clone(), server: server.server, questions: server.questions };
    Ok(Plan { wanted, file, notes: server.notes })
}

/// What an entry of ours says that the file holds already.
fn entry_there(client: Client, name: &str, file: &Path) -> Result<Option<Existing>, anyhow::Error> {
    let named = || file.display().to_string();
    let Some(found) = ClientFile::read(file).with_context(named)? else { return Ok(None) };
    existing(client, name, found.text().with_context(named)?).with_context(named)
}

fn client(client: SetupClient) -> Client {
    match client {
        SetupClient::ClaudeDesktop => Client::ClaudeDesktop,
        SetupClient::ClaudeCode => Client::ClaudeCode,
        SetupClient::Cursor => Client::Cursor,
        SetupClient::Vscode => Client::VsCode,
    }
}

fn places() -> Result<Places, Failed> {
    let user = choose_native_strategy().context("the home folder of this user is not known")?;
    // On a Mac desktop programs keep their settings where their data is.
    let settings = if cfg!(target_os = "macos") { user.data_dir() } else { user.config_dir() };
    let claude = std::env::var_os("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let project = std::env::current_dir().context("the current folder")?;
    Ok(Places { home: user.home_dir().to_owned(), settings, project, claude })
}

/// The configuration goes to standard output by itself, so that it can be piped into a file.
fn show(wanted: &Wanted, file: &Path) -> Result<(), Failed> {
    print(&wanted.alone());
    let shown = file.display();
    let state = match merge(wanted, file)? {
        (_, Merged::Same) => format!("{shown} holds this already."),
        (None, _) => format!("--write makes {shown} with it."),
        (Some(_), Merged::Added(_)) => {
            format!("--write adds the server to {shown} and changes nothing else.")
        }
        (Some(_), Merged::Changed(_, changes)) => {
            format!("--write changes the server in {shown}: {}.", changes.join("; "))
        }
    };
    tell(false, &state);
    Ok(())
}

fn write(wanted: &Wanted, file: &Path, scope: Scope) -> Result<(), Failed> {
    let (existing, merged) = merge(wanted, file)?;
    let shown = file.display();
    let (text, changes) = match merged {
        Merged::Same => {
            tell(
                true,
                &format!("{shown} holds the server \"{}\" already: nothing was written.", wanted.name),
            );
            return Ok(());
        }
        Merged::Added(text) => (text, Vec::new()),
        Merged::Changed(text, changes) => (text, changes),
    };
    match existing {
        None => {
            create(file, &text, scope == Scope::User).with_context(|| shown.to_string())?;
            tell(true, &format!("Made {shown} with the server \"{}\".", wanted.name));
        }
        Some(existing) => {
            let backup = existing.replace(&text).with_context(|| shown.to_string())?;
            let did = if changes.is_empty() { "Added the server" } else { "Changed the server" };
            tell(true, &format!("{did} \"{}\" in {shown}.", wanted.name));
            for change in changes {
                tell(true, &format!("  {change}"));
            }
            tell(true, &format!("The file as it was: {}", backup.display()));
            let had = existing.text().unwrap_or_default();
            if variables::names_secret(had) {
                tell(true, "It may hold a secret in clear: remove it once everything works.");
            }
        }
    }
    tell(true, wanted.client.next_step(scope));
    Ok(())
}

/// The file as it is, and what becomes of it.
fn merge(wanted: &Wanted, file: &Path) -> Result<(Option<ClientFile>, Merged), Failed> {
    let named = || file.display().to_string();
    let existing = ClientFile::read(file).with_context(named)?;
    let text = existing.as_ref().map(ClientFile::text).transpose().with_context(named)?;
    let merged = wanted.merge(text.unwrap_or_default()).with_context(named)?;
    Ok((existing, merged))
}

/// A line for the person: on standard output, or beside the configuration that stands there.
fn tell(on_stdout: bool, line: &str) {
    if on_stdout { print(line) } else { say(&mut std::io::stderr(), line) }
}

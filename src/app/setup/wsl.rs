//! Under WSL this program runs in Linux, and most clients on Windows: they read no file of Linux, and start no program
//! of it without `wsl.exe`.

use std::path::Path;

use serde_json::Value;

use crate::config::Problems;
use crate::setup::{Client, Scope, Server};

/// What WSL tells every program that it runs: the name of the distribution.
const DISTRIBUTION: &str = "WSL_DISTRO_NAME";

/// Refuses a file that the client would not read, and says what to do by hand.
pub(super) fn refuse(client: Client, scope: Scope, file: &Path, server: &Server, problems: &mut Problems) {
    let is_wsl = std::env::var_os(DISTRIBUTION).is_some_and(|name| !name.is_empty());
    // Claude Code runs where it is started; a project's file is read where the project is.
    if is_wsl && scope == Scope::User && client != Client::ClaudeCode {
        problems.add(by_hand(client, file, server));
    }
}

fn by_hand(client: Client, file: &Path, server: &Server) -> String {
    let (title, file) = (client.title(), file.display());
    let way = match server {
        // It starts the servers of a project that is open in WSL there.
        _ if client == Client::VsCode => {
            "say --scope project, or --file with what `MCP: Open Remote User Configuration` opens".to_owned()
        }
        Server::Address { url, .. } => format!("add {url} to its file on Windows by hand"),
        Server::Program { command, arguments, variables, .. } => {
            // Variables of Windows do not come to Linux: `env` sets them there.
            let variables = variables.iter().map(|(name, value)| format!("{name}={value}"));
            let words = ["--exec", "env"].into_iter().map(str::to_owned).chain(variables);
            let words: Value = words.chain([command.clone()]).chain(arguments.iter().cloned()).collect();
            format!("add this to its file there by hand: \"command\": \"wsl.exe\", \"args\": {words}")
        }
    };
    format!(
        "under WSL {title} runs on Windows, and does not read {file}: {way}. If it runs in Linux, say --file {file}"
    )
}

//! The clients: which files they read, what they call things there, and how they refer to a secret that stands elsewhere.
//!
//! Claude Code was asked itself (2.1); the others by their documentation: modelcontextprotocol.io "Connect to local
//! MCP servers" (Claude Desktop), cursor.com/docs/mcp, code.visualstudio.com "MCP configuration reference".

use std::path::PathBuf;

use super::document::Dialect;

/// A client whose configuration this program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Claude Desktop.
    ClaudeDesktop,
    /// Claude Code.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    VsCode,
}

/// Whose configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This user's, in every project.
    User,
    /// The project's in the current folder, for everybody who works on it.
    Project,
}

/// Where this user's files are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The home folder.
    pub home: PathBuf,
    /// Where desktop programs keep their settings, such as `~/.config`.
    pub settings: PathBuf,
    /// The project's folder.
    pub project: PathBuf,
    /// The folder in `CLAUDE_CONFIG_DIR`, which Claude Code reads in place of the home folder.
    pub claude: Option<PathBuf>,
}

impl Client {
    /// Its name as people know it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::VsCode => "VS Code",
        }
    }

    /// The file that it reads; `None` where it has no such scope.
    #[must_use]
    pub fn file(self, scope: Scope, places: &Places) -> Option<PathBuf> {
        let Places { home, settings, project, claude } = places;
        Some(match (self, scope) {
            (Self::ClaudeDesktop, Scope::User) => settings.join("Claude").join("claude_desktop_config.json"),
            (Self::ClaudeDesktop, Scope::Project) => return None,
            (Self::ClaudeCode, Scope::User) => claude.as_ref().unwrap_or(home).join(".claude.json"),
            (Self::ClaudeCode, Scope::Project) => project.join(".mcp.json"),
            (Self::Cursor, Scope::User) => home.join(".cursor").join("mcp.json"),
            (Self::Cursor, Scope::Project) => project.join(".cursor").join("mcp.json"),
            (Self::VsCode, Scope::User) => settings.join("Code").join("User").join("mcp.json"),
            (Self::VsCode, Scope::Project) => project.join(".vscode").join("mcp.json"),
        })
    }

    /// Whether it connects to servers by their address. Claude Desktop ignores such servers in its file.
    #[must_use]
    pub fn takes_addresses(self) -> bool {
        self != Self::ClaudeDesktop
    }

    /// What stands in its file for a secret that it is to find in a variable, or to ask for; `None` where it can
    /// do neither. `id` names the question where it asks.
    #[must_use]
    pub fn reference(self, variable: &str, id: &str) -> Option<String> {
        match self {
            Self::ClaudeDesktop => None,
            Self::ClaudeCode => Some(format!("${{{variable}}}")),
            Self::Cursor => Some(format!("${{env:{variable}}}")),
            Self::VsCode => Some(format!("${{input:{id}}}")),
        }
    }

    /// Whether it asks for secrets itself, and keeps them.
    #[must_use]
    pub fn asks(self) -> bool {
        self == Self::VsCode
    }

    /// What stands in its file for the home folder of whoever reads it; `None` where no file of ours needs that.
    #[must_use]
    pub fn home(self) -> Option<&'static str> {
        match self {
            Self::ClaudeDesktop | Self::VsCode => None,
            Self::ClaudeCode => Some("${HOME}"),
            Self::Cursor => Some("${userHome}"),
        }
    }

    /// What a person does after its file has changed.
    #[must_use]
    pub fn next_step(self, scope: Scope) -> &'static str {
        match (self, scope) {
            (Self::ClaudeDesktop, _) => "Quit Claude Desktop and start it again.",
            (Self::ClaudeCode, Scope::User) => {
                "Start Claude Code anew; `claude mcp list` says whether it is connected."
            }
            (Self::ClaudeCode, Scope::Project) => {
                "Start `claude` in this folder; it asks once whether to use the server."
            }
            (Self::Cursor, _) => "Cursor starts it by itself; see Settings, MCP.",
            (Self::VsCode, _) => {
                "Run `MCP: List Servers` in VS Code and start it; it asks whether to trust it."
            }
        }
    }

    /// The member that holds the servers.
    pub(super) fn section(self) -> &'static str {
        if self == Self::VsCode { "servers" } else { "mcpServers" }
    }

    /// Whether it writes down how a server is reached, though it could tell.
    pub(super) fn names_transports(self) -> bool {
        matches!(self, Self::ClaudeCode | Self::VsCode)
    }

    /// What it takes for JSON. Claude Code puts a user's file aside, and starts with an empty one, where it finds
    /// a comment in it.
    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::ClaudeDesktop | Self::ClaudeCode => Dialect::Strict,
            Self::Cursor | Self::VsCode => Dialect::WithComments,
        }
    }
}

//! The shipped server, started as its users start it.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::process::{Running, logged};

/// What its HTTP server says when it is ready.
const READY: &str = "serving Streamable HTTP at http://";

/// The program as it is shipped, unless another one is given: built by the release profile, and not as a bench, which
/// `cargo bench` builds.
pub fn shipped(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given);
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let program: &Path = env!("CARGO_BIN_EXE_fintecture-mcp").as_ref();
    // Wherever cargo was told to build: DIR/release/fintecture-mcp.
    let folder = program.ancestors().nth(2).context("no folder of builds")?;
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "--bin", "fintecture-mcp", "--manifest-path", manifest]);
    build.arg("--target-dir").arg(folder);
    ensure!(build.status().context("cargo")?.success(), "the server could not be built");
    Ok(folder.join("release").join("fintecture-mcp"))
}

/// How a server is started. Every default is on; what a bench adds stands in `arguments` and `variables`.
#[derive(Clone)]
pub struct Start {
    /// The program.
    pub binary: PathBuf,
    /// Arguments of `serve` beside the transport.
    pub arguments: Vec<String>,
    /// Variables: the upstream and the credential for it, and whatever a bench adds.
    pub variables: Vec<(String, String)>,
}

impl Start {
    /// The server before this upstream, with a static token, as the sandbox.
    pub fn new(binary: &Path, upstream: &str) -> Self {
        let variables = [
            ("FINTECTURE_ENVIRONMENT", "sandbox"),
            ("FINTECTURE_BASE_URL", upstream),
            ("FINTECTURE_CUSTOMER_TOKEN", "token-of-the-bench"),
        ];
        Self {
            binary: binary.to_owned(),
            arguments: Vec::new(),
            variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        }
    }

    /// The command, with nothing of the surroundings that would change what it does.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("serve").args(words).args(&self.arguments).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it on a port of its own.
    pub fn http(&self, name: &str) -> anyhow::Result<HttpServer> {
        let log = Log::new()?;
        let mut command = self.command(&["--transport", "http", "--listen", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.open()?);
        let mut process = Running::start(name, command)?;
        let said = logged(&mut process, &log.path(), READY)?;
        let address = said.split('/').next().unwrap_or_default();
        let address = address.parse().with_context(|| format!("no address of {name}: {said}"))?;
        Ok(HttpServer { process, address, log })
    }

    /// Starts it on these standard streams.
    pub fn stdio(&self, name: &str, input: Stdio, output: Stdio) -> anyhow::Result<(Running, Log)> {
        let log = Log::new()?;
        let mut command = self.command(&[]);
        command.stdin(input).stdout(output).stderr(log.open()?);
        Ok((Running::start(name, command)?, log))
    }
}

/// A running HTTP server.
pub struct HttpServer {
    /// Its process.
    pub process: Running,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its log lines go.
    pub log: Log,
}

/// The file that takes the log lines of a server: nothing slow reads it, and writing to it costs what it costs.
pub struct Log(TempDir);

impl Log {
    /// An empty one, in a folder of its own.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    /// The folder, which goes when this is dropped.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder().join("stderr.log")
    }

    /// Opens the file, for a process to write to.
    pub fn open(&self) -> anyhow::Result<File> {
        // To append, so that it can be emptied under the server's hands.
        Ok(OpenOptions::new().create(true).append(true).open(self.path())?)
    }

    /// Forgets what it holds: a line a call fills a disk in time.
    pub fn empty(&self) -> anyhow::Result<()> {
        Ok(OpenOptions::new().write(true).open(self.path())?.set_len(0)?)
    }
}

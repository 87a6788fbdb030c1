//! How a server is started for a test.

use std::os::fd::OwnedFd;

use tokio::process::Command;

use super::agent::Agent;
use super::http_server::HttpServer;
use super::pipe::Pipe;
use super::process::{Process, program, program_by};

/// The bearer token that servers under test show to their upstream. No log may hold it.
pub(crate) const TOKEN: &str = "canary-token-5d41402a";

/// The application of servers under test.
pub(crate) const APP_ID: &str = "app-under-test";
/// Its secret. No log and no result may hold it.
pub(crate) const APP_SECRET: &str = "canary-app-secret-7c9e";

/// Flags and variables of a server to start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    flags: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Setup {
    /// What Claude Desktop starts: nothing set, so the embedded simulator.
    pub(crate) fn simulator() -> Self {
        Self::default()
    }

    /// The sandbox, with another server in its place.
    pub(crate) fn against(base_url: &str) -> Self {
        Self::without_credential(base_url).variable("FINTECTURE_CUSTOMER_TOKEN", TOKEN)
    }

    /// The same, with nothing to show to the upstream yet.
    pub(crate) fn without_credential(base_url: &str) -> Self {
        Self::default()
            .variable("FINTECTURE_ENVIRONMENT", "sandbox")
            .variable("FINTECTURE_BASE_URL", base_url)
    }

    /// The same, as an application that fetches its tokens.
    pub(crate) fn application(base_url: &str) -> Self {
        Self::without_credential(base_url)
            .variable("FINTECTURE_APP_ID", APP_ID)
            .variable("FINTECTURE_APP_SECRET", APP_SECRET)
    }

    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A second for each request to the upstream, the least that can be set.
    pub(crate) fn impatient(self) -> Self {
        self.variable("FINTECTURE_TIMEOUT_SECONDS", "1")
    }

    /// The running server.
    pub(crate) fn start(&self) -> Process {
        self.start_as(program())
    }

    /// The running server, with these as its standard input and output.
    pub(crate) fn start_on(&self, stdin: OwnedFd, stdout: OwnedFd) -> Process {
        let mut command = program();
        command.stdin(stdin).stdout(stdout);
        self.start_as(command)
    }

    fn start_as(&self, mut command: Command) -> Process {
        command.arg("serve").args(&self.flags);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Process::start(command)
    }

    /// The running server, started by another program that is given its path and its flags.
    pub(crate) fn start_by(&self, starter: &[&str]) -> Process {
        self.start_as(program_by(starter))
    }

    /// A client on standard input and output, with a server of its own.
    pub(crate) async fn agent(&self) -> Agent {
        Agent::on_stdio(self.start()).await
    }

    /// The same, spoken to line by line. Hands are not shaken yet.
    pub(crate) fn pipe(&self) -> Pipe {
        Pipe::to(self.start())
    }

    /// A server over HTTP.
    pub(crate) async fn http(&self) -> HttpServer {
        let mut setup = self.clone().flag("--transport").flag("http").flag("--listen").flag("127.0.0.1:0");
        if self.variables.is_empty() {
            setup = setup.flag("--environment").flag("simulator");
        }
        HttpServer::ready(setup.start()).await
    }
}

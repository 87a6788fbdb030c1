//! A real Redis server, which a test may kill and start again at its address.

use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::in_time;

/// A running server. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    port: u16,
    dir: TempDir,
    settings: Vec<String>,
}

impl Redis {
    /// One that keeps nothing on disk.
    pub(crate) async fn start() -> Self {
        Self::with(&["--appendonly", "no"]).await
    }

    /// One with these settings beside its own.
    pub(crate) async fn with(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        loop {
            // The port is free until somebody else takes it: then the server ends, and another one is tried.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = spawn(port, &dir, &settings);
            if is_up(port, &mut child).await {
                return Self { child, port, dir, settings };
            }
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it as a machine that fails would.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again where it was.
    pub(crate) async fn revive(&mut self) {
        self.child = spawn(self.port, &self.dir, &self.settings);
        assert!(is_up(self.port, &mut self.child).await, "the port is taken");
    }

    /// What it answers to a command, as it stands on the wire.
    pub(crate) async fn says(&self, command: &[&str]) -> Vec<u8> {
        ask(self.port, command).await.unwrap()
    }

    /// Everything that it keeps, keys and values, as its own dump has it.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        assert_eq!(self.says(&["CONFIG", "SET", "rdbcompression", "no"]).await, b"+OK\r\n");
        assert_eq!(self.says(&["SAVE"]).await, b"+OK\r\n");
        std::fs::read(self.dir.path().join("dump.rdb")).unwrap()
    }
}

fn spawn(port: u16, dir: &TempDir, settings: &[String]) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(dir.path())
        .args(settings)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("redis-server is needed for this test: apt-get install redis-server")
}

/// Whether it answers before it ends.
async fn is_up(port: u16, child: &mut Child) -> bool {
    in_time(async {
        loop {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            if ask(port, &["PING"])
                .await
                .is_ok_and(|said| said.starts_with(b"+") || said.starts_with(b"-NOAUTH"))
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
}

async fn ask(port: u16, command: &[&str]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let words: Vec<String> = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    let request = format!("*{}\r\n{}*1\r\n$4\r\nQUIT\r\n", words.len(), words.concat());
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let end = answer.len().saturating_sub(b"+OK\r\n".len());
    answer.truncate(end);
    Ok(answer)
}

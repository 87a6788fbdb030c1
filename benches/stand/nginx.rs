//! nginx as reverse proxy before the upstream, where it is installed.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::process::Running;
use super::server::{HttpServer, Log};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts one. Fails where it is not installed, or where another process is faster to take the port.
pub fn start(name: &str, upstream: SocketAddr) -> anyhow::Result<HttpServer> {
    let log = Log::new()?;
    // nginx cannot be told to take any port and say which.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    std::fs::write(log.folder().join("nginx.conf"), settings(address, upstream))?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(log.folder()).args(["-c", "nginx.conf", "-e", "stderr"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.open()?);
    let mut process = Running::start(name, command).context("is it installed?")?;
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        process.check().with_context(|| std::fs::read_to_string(log.path()).unwrap_or_default())?;
        if TcpStream::connect(address).is_ok() {
            return Ok(HttpServer { process, address, log });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("{name} does not listen")
}

fn settings(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off;
        pid nginx.pid;
        worker_processes auto;
        events {{ worker_connections 4096; }}
        http {{
            access_log off;
            client_body_temp_path body;
            proxy_temp_path proxy;
            fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi;
            scgi_temp_path scgi;
            keepalive_requests 1000000000;
            upstream behind {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; }}
            server {{
                listen {address};
                location / {{
                    proxy_pass http://behind;
                    proxy_http_version 1.1;
                    proxy_set_header Connection \"\";
                }}
            }}
        }}"
    )
}

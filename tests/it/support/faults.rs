//! An upstream that goes wrong on the wire, in ways that no well-behaved HTTP server can.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::in_time;

/// What happens once a request has arrived whole.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Nothing, with the connection open.
    Hang,
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Close,
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then the connection is reset.
    BytesThenReset(Vec<u8>),
    /// These bytes, then nothing more.
    BytesThenHang(Vec<u8>),
    /// A body that comes a byte at a time, for longer than anybody waits.
    Trickle,
    /// A body without end, as fast as it is read.
    Endless,
    /// These bytes, and the connection stays open for the next request.
    BytesThenMore(Vec<u8>),
}

/// The bytes of an answer with this body. It says that the connection ends: a client that kept it for the next
/// request might find that out too late.
pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

impl Fault {
    /// Whether only a timeout ends the wait for it.
    pub(crate) fn takes_for_ever(&self) -> bool {
        matches!(self, Self::Hang | Self::BytesThenHang(_) | Self::Trickle)
    }
}

/// A running upstream.
#[derive(Debug)]
pub(crate) struct Faulty {
    base_url: String,
    requests: watch::Receiver<usize>,
    fault: watch::Sender<Fault>,
    task: JoinHandle<()>,
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Faulty {
    /// Starts it.
    pub(crate) async fn with(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let (counter, requests) = watch::channel(0);
        let (fault, told) = watch::channel(fault);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (counter, told) = (counter.clone(), told.clone());
                tokio::spawn(async move {
                    let arrived = || counter.send_modify(|count| *count += 1);
                    // The other side may go at any time; that is what these tests are about.
                    let _ = serve(connection, arrived, told).await;
                });
            }
        });
        Self { base_url, requests, fault, task }
    }

    pub(crate) fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// How many requests have arrived whole.
    pub(crate) fn count(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn has_got(&mut self, count: usize) {
        in_time(self.requests.wait_for(|arrived| *arrived >= count)).await.unwrap();
    }

    /// Behaves differently from now on; requests that hang get this, too.
    pub(crate) fn now(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn serve(
    mut connection: TcpStream,
    arrived: impl Fn(),
    mut told: watch::Receiver<Fault>,
) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    while read_request(&mut connection).await? {
        arrived();
        let mut fault = told.borrow_and_update().clone();
        if matches!(fault, Fault::Hang) {
            let changed = told.wait_for(|fault| !matches!(fault, Fault::Hang)).await;
            fault = changed.map_err(std::io::Error::other)?.clone();
        }
        match fault {
            Fault::Hang => unreachable!("waited for another one"),
            Fault::Close => return Ok(()),
            Fault::Bytes(bytes) => {
                connection.write_all(&bytes).await?;
                return connection.shutdown().await;
            }
            Fault::BytesThenReset(bytes) => {
                connection.write_all(&bytes).await?;
                // A reset overtakes what the peer has not read: give it the time to.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return connection.set_zero_linger();
            }
            Fault::BytesThenHang(bytes) => {
                connection.write_all(&bytes).await?;
                std::future::pending::<()>().await;
            }
            Fault::Trickle => {
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await?;
                loop {
                    connection.write_all(b" ").await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Fault::Endless => {
                connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
                loop {
                    connection.write_all(&chunk).await?;
                }
            }
            Fault::BytesThenMore(bytes) => connection.write_all(&bytes).await?,
            Fault::Reset => return connection.set_zero_linger(),
        }
    }
    Ok(())
}

/// Reads one request with its body. False when the connection has ended before it.
async fn read_request(connection: &mut TcpStream) -> std::io::Result<bool> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) if head.is_empty() => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.map_or(0, |length| length.trim().parse().unwrap())];
    connection.read_exact(&mut body).await?;
    Ok(true)
}

/// An address at which nobody listens. The socket keeps the port, so that nobody else gets it meanwhile.
pub(crate) fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base_url = format!("http://{}", socket.local_addr().unwrap());
    (socket, base_url)
}

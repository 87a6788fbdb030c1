//! An upstream that speaks HTTP/2, frame by frame (RFC 9113), and gives requests back without a look at them.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;

use super::in_time;

const PREFACE: usize = 24;
/// Kinds of frames.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
/// Flags: of settings and pings, of headers and data, of headers.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200`, by its place in the static table of HPACK.
const STATUS_200: u8 = 0x88;

/// How the upstream gives a request back.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GivesBack {
    /// It ends the connection, before this request.
    Going,
    /// It has too many at once.
    Refused,
}

/// A running upstream.
pub(crate) struct Http2 {
    base_url: String,
    folder: TempDir,
    told: Arc<Told>,
    task: JoinHandle<()>,
}

/// What it is to do, and what it has done.
struct Told {
    body: String,
    gives_back: Mutex<VecDeque<GivesBack>>,
    holds: watch::Sender<bool>,
    arrived: watch::Sender<usize>,
    answered: AtomicUsize,
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Http2 {
    /// Answers every request with this body, but for those that it is told to give back.
    pub(crate) async fn saying(body: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![made.cert.der().clone()];
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let told = Arc::new(Told {
            body: body.to_owned(),
            gives_back: Mutex::default(),
            holds: watch::Sender::new(false),
            arrived: watch::Sender::new(0),
            answered: AtomicUsize::new(0),
        });
        let orders = Arc::clone(&told);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, orders) = (tls.clone(), Arc::clone(&orders));
                tokio::spawn(async move {
                    // The other side may go at any time.
                    let _ = serve(tls.accept(stream).await?, &orders).await;
                    io::Result::Ok(())
                });
            }
        });
        Self { base_url, folder, told, task }
    }

    pub(crate) fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// The file of its certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Gives the next requests back, one after the other in these ways.
    pub(crate) fn give_back(&self, ways: impl IntoIterator<Item = GivesBack>) {
        self.told.gives_back.lock().unwrap().extend(ways);
    }

    /// Keeps requests waiting from now on, or no more.
    pub(crate) fn hold(&self, holds: bool) {
        self.told.holds.send_replace(holds);
    }

    /// Waits until so many requests have arrived.
    pub(crate) async fn has_got(&self, count: usize) {
        in_time(self.told.arrived.subscribe().wait_for(|arrived| *arrived >= count)).await.unwrap();
    }

    /// How many requests have arrived.
    pub(crate) fn arrived(&self) -> usize {
        *self.told.arrived.borrow()
    }

    /// How many of them it has answered.
    pub(crate) fn answered(&self) -> usize {
        self.told.answered.load(Ordering::SeqCst)
    }
}

impl Told {
    /// What to do with a request that has arrived.
    async fn next(&self) -> Option<GivesBack> {
        self.arrived.send_modify(|count| *count += 1);
        self.holds.subscribe().wait_for(|holds| !holds).await.unwrap();
        let way = self.gives_back.lock().unwrap().pop_front();
        self.answered.fetch_add(usize::from(way.is_none()), Ordering::SeqCst);
        way
    }
}

async fn serve(mut client: impl AsyncRead + AsyncWrite + Unpin, told: &Told) -> io::Result<()> {
    client.read_exact(&mut [0; PREFACE]).await?;
    client.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    loop {
        let mut head = [0; 9];
        client.read_exact(&mut head).await?;
        let [high, middle, low, kind, flags, stream @ ..] = head;
        let (length, stream) = (u32::from_be_bytes([0, high, middle, low]), u32::from_be_bytes(stream));
        let mut payload = vec![0; length as usize];
        client.read_exact(&mut payload).await?;
        let says = match kind {
            SETTINGS | PING if flags & ACK == 0 => {
                frame(kind, ACK, 0, if kind == PING { &payload } else { &[] })
            }
            HEADERS | DATA if flags & END_STREAM != 0 => match told.next().await {
                // None was looked at; no error.
                Some(GivesBack::Going) => frame(GOAWAY, 0, 0, &[0; 8]),
                Some(GivesBack::Refused) => frame(RST_STREAM, 0, stream, &7_u32.to_be_bytes()),
                None => [
                    frame(HEADERS, END_HEADERS, stream, &[STATUS_200]),
                    frame(DATA, END_STREAM, stream, told.body.as_bytes()),
                ]
                .concat(),
            },
            _ => Vec::new(),
        };
        client.write_all(&says).await?;
        client.flush().await?;
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

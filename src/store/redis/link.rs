//! The connection to the Redis server: one for all, made when it is needed, and made anew when it is lost.
//!
//! Nobody waits long for it: while the server cannot be reached, whoever asks hears so at once. Nothing is asked twice:
//! what was asked on a connection that broke may have been done.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, TlsCertificates,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::StoreError;
use crate::measures;
use crate::secret::Secret;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest wait for an answer; a connection that has none by then is taken for dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time for both and for waiting one's turn.
const IN_ALL: Duration = Duration::from_secs(2);
/// How long after a failure nobody tries to connect.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Link {
    url: Secret,
    /// Root certificates, PEM; none: those of the system.
    roots: Option<Vec<u8>>,
    place: Mutex<Place>,
    /// The address is another one now.
    has_moved: AtomicBool,
}

/// What there is of a connection.
enum Place {
    /// None was made yet, or the last one is lost.
    Empty {
        was_up: bool,
    },
    Up(MultiplexedConnection, u64),
    /// The last attempt failed.
    Down(Instant),
}

impl Link {
    /// `roots` are trusted beside those of the system.
    pub(super) fn new(url: Secret, roots: Option<Vec<u8>>) -> Self {
        let roots = roots.map(beside_the_systems);
        let place = Mutex::new(Place::Empty { was_up: true });
        Self { url, roots, place, has_moved: AtomicBool::new(false) }
    }

    /// Asks the server something.
    pub(super) async fn ask<T, F>(
        &self,
        ask: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let asked = async {
            let (connection, number) = self.connection().await?;
            match ask(connection).await {
                Ok(answer) => Ok(answer),
                Err(error) => {
                    if is_lost(&error) {
                        self.lost(number).await;
                    }
                    Err(said(&error))
                }
            }
        };
        let answer = timeout(IN_ALL, asked).await.unwrap_or(Err(StoreError::Gone));
        if let Err(error) = answer {
            measures::store_error(match error {
                StoreError::Gone => "gone",
                StoreError::Full => "full",
            });
        }
        answer
    }

    /// Reads the file of the address again, where it stands in one.
    pub(super) fn reload(&self) {
        match self.url.reload(|url| client(&SecretString::from(url), None).is_ok()) {
            Ok(true) => {
                self.has_moved.store(true, Ordering::SeqCst);
                tracing::info!("the address of the store is another one now");
            }
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the address of the store stays as it was: its file"),
        }
    }

    /// The connection, made now where there is none; with a number that tells it from others.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), StoreError> {
        let mut place = self.place.lock().await;
        if self.has_moved.swap(false, Ordering::SeqCst) {
            *place = Place::Empty { was_up: true };
        }
        let was_up = match &*place {
            Place::Up(connection, number) => return Ok((connection.clone(), *number)),
            Place::Down(since) if since.elapsed() < PAUSE => return Err(StoreError::Gone),
            Place::Down(_) => false,
            Place::Empty { was_up } => *was_up,
        };
        // Until it is known to be there; whoever waits in line may be dropped meanwhile, and so may this.
        *place = Place::Empty { was_up };
        match self.connect().await {
            Ok(connection) => {
                if !was_up {
                    tracing::info!("the store is there again");
                }
                let number = fastrand::u64(..);
                *place = Place::Up(connection.clone(), number);
                Ok((connection, number))
            }
            Err(error) => {
                if was_up {
                    tracing::warn!(%error, "the store cannot be reached: what needs it is refused until it can");
                }
                *place = Place::Down(Instant::now());
                Err(StoreError::Gone)
            }
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let client = client(&self.url.get(), self.roots.as_deref())?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        warn_of_eviction(&mut connection).await;
        Ok(connection)
    }

    /// This connection is no good any more; another may be there by now.
    async fn lost(&self, number: u64) {
        let mut place = self.place.lock().await;
        if matches!(&*place, Place::Up(_, current) if *current == number) {
            *place = Place::Empty { was_up: true };
        }
    }
}

/// What would connect to this address.
pub(super) fn client(url: &SecretString, roots: Option<&[u8]>) -> RedisResult<Client> {
    let url = url.expose_secret();
    match roots {
        Some(roots) if url.starts_with("rediss:") => {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(roots.to_vec()) };
            Client::build_with_tls(url, certificates)
        }
        _ => Client::open(url),
    }
}

/// These root certificates and those of the system, as PEM.
fn beside_the_systems(mut pem: Vec<u8>) -> Vec<u8> {
    for certificate in rustls_native_certs::load_native_certs().certs {
        let text = STANDARD.encode(&certificate);
        pem.extend_from_slice(b"\n-----BEGIN CERTIFICATE-----\n");
        pem.extend(text.as_bytes().chunks(64).flat_map(|line| line.iter().chain(b"\n")));
        pem.extend_from_slice(b"-----END CERTIFICATE-----\n");
    }
    pem
}

/// A server that drops values to make room forgets what was sent, and it would be sent twice.
async fn warn_of_eviction(connection: &mut MultiplexedConnection) {
    let asked: RedisResult<Vec<String>> =
        redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy").query_async(connection).await;
    // Managed servers forbid the question.
    let Ok(answer) = asked else { return };
    if answer.get(1).is_some_and(|policy| policy != "noeviction") {
        tracing::warn!(
            "the store drops values when its memory is full, and a write could be sent twice then: set maxmemory-policy noeviction"
        );
    }
}

/// Whether another connection is needed after this: any failure but the server's word on one question.
fn is_lost(error: &RedisError) -> bool {
    match error.kind() {
        // It is no longer the one that takes writes; the address may lead to another by now.
        ErrorKind::Server(ServerErrorKind::ReadOnly) => true,
        ErrorKind::Server(_) | ErrorKind::UnexpectedReturnType => false,
        ErrorKind::Extension => error.code() == Some("NOAUTH"),
        _ => true,
    }
}

fn said(error: &RedisError) -> StoreError {
    let is_full = error.code() == Some("OOM") || error.detail().is_some_and(|detail| detail.contains("OOM "));
    if is_full {
        return StoreError::Full;
    }
    tracing::debug!(%error, "the store failed");
    StoreError::Gone
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link(..)")
    }
}

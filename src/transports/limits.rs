//! Every limit of the transports, named once, with its unit.

use std::time::Duration;

/// Longest message: a line on stdio, a request body over HTTP. In bytes.
pub const MESSAGE_BYTES: usize = 1024 * 1024;

/// Longest `initialize`, and longest `_meta` of a request: what a client says of itself is kept as long as its session.
/// In bytes.
pub const KEPT_BYTES: usize = 64 * 1024;

/// Most messages in one JSON-RPC batch.
pub const BATCH_MESSAGES: usize = 100;

/// How long calls in flight may take to finish once the input has ended or the server shuts down. Longer than
/// the 50 s that one call may take.
pub const GRACE: Duration = Duration::from_mins(1);

/// Requests of one stdio or legacy SSE connection that are served at once; answers that the client has not read
/// count, too. With this many of those alone the connection is not read, so that a client that does not read stops
/// being served instead of filling the memory.
pub const CALLS_IN_FLIGHT: usize = 128;

/// Answers that are due together are written to stdout together up to this, which a pipe holds on Linux. In bytes.
pub const WRITTEN_AT_ONCE: usize = 64 * 1024;

/// Further requests of such a connection that are held back until there is room, while all other messages pass them.
/// Beyond, the connection is not read; a batch that begins below goes in whole.
pub const CALLS_HELD_BACK: usize = 128;

/// Sessions of Streamable HTTP open at once, about 55 kB each.
pub const SESSIONS: usize = 2_000;

/// After this long without a message a session of Streamable HTTP ends; a call in flight keeps it open.
pub const SESSION_IDLE: Duration = Duration::from_mins(30);

/// Of these, of one principal.
pub const SESSIONS_PER_PRINCIPAL: usize = 500;

/// After this long a session or stream ends, whatever it does.
pub const SESSION_LIFE: Duration = Duration::from_hours(24);

/// Longest pause between two looks for sessions that are over.
pub const SESSION_LOOK: Duration = Duration::from_secs(30);

/// Event streams open at once: those of sessions, subscriptions, and legacy SSE.
pub const STREAMS: usize = 5_000;

/// Of these, of one principal.
pub const STREAMS_PER_PRINCIPAL: usize = 1_000;

/// Pause between two comments on an idle event stream, below the idle limit of common proxies.
pub const SSE_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait for a legacy SSE client to read them. Beyond, its answers wait where they are made.
pub const SSE_EVENTS_WAITING: usize = 64;

/// Messages that wait for a legacy SSE session to take them in.
pub const SSE_MESSAGES_WAITING: usize = 32;

/// How long a POST of legacy SSE waits for room in its session before it is answered 503.
pub const SSE_POST_WAIT: Duration = Duration::from_secs(5);

/// TCP connections open at once. Beyond, new ones wait in the kernel's queue.
pub const CONNECTIONS: usize = 10_000;

/// Of these, from one client address that no trusted proxy stands for. Beyond, they are closed at once.
pub const CONNECTIONS_PER_ADDRESS: usize = 1_024;

/// How long a client may take to send the head of a request, its TLS handshake before that.
pub const HEAD_WAIT: Duration = Duration::from_secs(15);

/// After this long without a request a connection is closed.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(75);

/// How long a client may leave what is written to it unread, once the buffers of the kernel are full.
pub const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Longest head of a request, in bytes.
pub const HEAD_BYTES: u32 = 16 * 1024;

/// Requests of one HTTP/2 connection at once; whoever needs more opens another one.
pub const HTTP2_STREAMS: u32 = 64;

/// What an HTTP/2 client may send of one body before any of it is read, in bytes.
pub const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;

/// The same of all bodies on its connection.
pub const HTTP2_WINDOW: u32 = 128 * 1024;

/// What is kept of an answer that an HTTP/2 client does not take, in bytes.
pub const HTTP2_UNSENT: usize = 64 * 1024;

/// Bytes of request bodies that are held at once, until their requests are answered.
pub const BODIES_BYTES: usize = 64 * 1024 * 1024;

/// Of these, of one authenticated principal.
pub const BODIES_BYTES_PER_PRINCIPAL: usize = 16 * 1024 * 1024;

/// Pause between two pings to an HTTP/2 client, and how long it may take to answer one.
pub const HTTP2_PING: Duration = Duration::from_secs(20);

/// TCP connections of a page server of its own that are open at once.
pub const PAGE_CONNECTIONS: usize = 64;

/// How long such a connection may take to send the head of its request.
pub const PAGE_HEAD_WAIT: Duration = Duration::from_secs(15);

/// How long such a connection may last in all, its one request and the answer included.
pub const PAGE_CONNECTION_LIFE: Duration = Duration::from_secs(30);

/// How long a client may take to send a request body.
pub const BODY_WAIT: Duration = Duration::from_secs(30);

/// The same once the server is told to end.
pub const LAST_BODY_WAIT: Duration = Duration::from_secs(2);

/// How long the server goes on as before once it is told to end, with `/health/ready` saying so: time for a balancer to
/// look elsewhere, and for clients to close their connections. Part of the grace period.
pub const LEAVE_WAIT: Duration = Duration::from_millis(500);

/// How long connections may take to close once every answer is out.
pub const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What `Retry-After` says on a 429 or 503, in seconds.
pub const RETRY_AFTER_SECONDS: u16 = 5;

/// The limits of the HTTP server that an application, or a test, may set.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Longest request body, in bytes ([`MESSAGE_BYTES`]).
    pub body_bytes: usize,
    /// Bytes of all bodies at once ([`BODIES_BYTES`]).
    pub bodies_bytes: usize,
    /// Of these, of one principal ([`BODIES_BYTES_PER_PRINCIPAL`]).
    pub bodies_bytes_per_principal: usize,
    /// Time for such a body ([`BODY_WAIT`]).
    pub body_wait: Duration,
    /// Time for the head of a request ([`HEAD_WAIT`]).
    pub head_wait: Duration,
    /// Sessions of Streamable HTTP open at once ([`SESSIONS`]).
    pub sessions: usize,
    /// Of these, of one principal ([`SESSIONS_PER_PRINCIPAL`]).
    pub sessions_per_principal: usize,
    /// Idle time after which such a session ends ([`SESSION_IDLE`]).
    pub session_idle: Duration,
    /// Time after which a session or stream ends in any case ([`SESSION_LIFE`]).
    pub session_life: Duration,
    /// Event streams open at once ([`STREAMS`]).
    pub streams: usize,
    /// Of these, of one principal ([`STREAMS_PER_PRINCIPAL`]).
    pub streams_per_principal: usize,
    /// TCP connections open at once ([`CONNECTIONS`]).
    pub connections: usize,
    /// Of these, from one address ([`CONNECTIONS_PER_ADDRESS`]).
    pub connections_per_address: usize,
    /// Time for calls in flight to finish at the end ([`GRACE`]).
    pub grace: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: MESSAGE_BYTES,
            bodies_bytes: BODIES_BYTES,
            bodies_bytes_per_principal: BODIES_BYTES_PER_PRINCIPAL,
            body_wait: BODY_WAIT,
            head_wait: HEAD_WAIT,
            sessions: SESSIONS,
            sessions_per_principal: SESSIONS_PER_PRINCIPAL,
            session_idle: SESSION_IDLE,
            session_life: SESSION_LIFE,
            streams: STREAMS,
            streams_per_principal: STREAMS_PER_PRINCIPAL,
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            grace: GRACE,
        }
    }
}

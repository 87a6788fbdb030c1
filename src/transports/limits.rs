//! Every limit of the transports, named once, with its unit.

use std::time::Duration;

/// Longest message: a line on stdio, a request body over HTTP. In bytes.
pub const MESSAGE_BYTES: usize = 1024 * 1024;

/// Most messages in one JSON-RPC batch.
pub const BATCH_MESSAGES: usize = 100;

/// How long calls in flight may take to finish once the input has ended or the server shuts down. Longer than
/// the 50 s that one call may take.
pub const GRACE: Duration = Duration::from_mins(1);

/// Requests of one stdio or legacy SSE connection that are served at once; answers that the client has not read
/// count, too. With this many of those alone the connection is not read, so that a client that does not read stops
/// being served instead of filling the memory.
pub const CALLS_IN_FLIGHT: usize = 128;

/// Further requests of such a connection that are held back until there is room, while all other messages pass them.
/// Beyond, the connection is not read; a batch that begins below goes in whole.
pub const CALLS_HELD_BACK: usize = 128;

/// Sessions of Streamable HTTP open at once, about 55 kB each.
pub const SESSIONS: usize = 2_000;

/// After this long without a message a session of Streamable HTTP ends. Above the longest wait of a call, 300 s,
/// since rmcp counts calls in flight as idle time.
pub const SESSION_IDLE: Duration = Duration::from_mins(30);

/// Streams of legacy SSE open at once.
pub const SSE_STREAMS: usize = 1_000;

/// Pause between two comments on an idle event stream, below the idle limit of common proxies.
pub const SSE_KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Events that wait for a legacy SSE client to read them. Beyond, its answers wait where they are made.
pub const SSE_EVENTS_WAITING: usize = 64;

/// Messages that wait for a legacy SSE session to take them in.
pub const SSE_MESSAGES_WAITING: usize = 32;

/// How long a POST of legacy SSE waits for room in its session before it is answered 503.
pub const SSE_POST_WAIT: Duration = Duration::from_secs(5);

/// TCP connections open at once. Beyond, new ones wait in the kernel's queue.
pub const CONNECTIONS: usize = 4_096;

/// TCP connections of a page server of its own that are open at once.
pub const PAGE_CONNECTIONS: usize = 64;

/// How long such a connection may take to send the head of its request.
pub const PAGE_HEAD_WAIT: Duration = Duration::from_secs(15);

/// How long such a connection may last in all, its one request and the answer included.
pub const PAGE_CONNECTION_LIFE: Duration = Duration::from_secs(30);

/// How long a client may take to send a request body.
pub const BODY_WAIT: Duration = Duration::from_secs(30);

/// How long connections may take to close once every answer is out.
pub const CLOSE_WAIT: Duration = Duration::from_secs(2);

/// What `Retry-After` says on a 503, in seconds.
pub const RETRY_AFTER_SECONDS: u16 = 5;

/// The limits of the HTTP server that an application, or a test, may set.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Longest request body, in bytes ([`MESSAGE_BYTES`]).
    pub body_bytes: usize,
    /// Sessions of Streamable HTTP open at once ([`SESSIONS`]).
    pub sessions: usize,
    /// Idle time after which such a session ends ([`SESSION_IDLE`]).
    pub session_idle: Duration,
    /// Streams of legacy SSE open at once ([`SSE_STREAMS`]).
    pub sse_streams: usize,
    /// TCP connections open at once ([`CONNECTIONS`]).
    pub connections: usize,
    /// Time for calls in flight to finish at the end ([`GRACE`]).
    pub grace: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes: MESSAGE_BYTES,
            sessions: SESSIONS,
            session_idle: SESSION_IDLE,
            sse_streams: SSE_STREAMS,
            connections: CONNECTIONS,
            grace: GRACE,
        }
    }
}

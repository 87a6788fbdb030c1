//! MCP over stdin and stdout: one JSON-RPC message a line.
//!
//! Knows lines and their limit. Knows nothing of sessions, which are the wire's.

use std::{future::ready, sync::Arc, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use rmcp::ServerHandler;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::{
    codec::{
        AnyDelimiterCodec, AnyDelimiterCodecError, Decoder, FramedRead, FramedWrite, LinesCodec,
        LinesCodecError,
    },
    sync::CancellationToken,
};

use super::{
    TransportError,
    connection::{self, Ending},
    ledger::Ledger,
    limits::{GRACE, MESSAGE_BYTES, WRITTEN_AT_ONCE},
    message::{self, Refusal},
    short_lines::ShortLines,
    standard,
    workers::Workers,
};
use crate::mcp::Short;

/// Serves one client on stdin and stdout until stdin ends or `shutdown` is cancelled, and every answer is out
/// (for at most [`GRACE`]). The end of stdin cancels `shutdown`, too, so that calls that only wait end early. The caller must not write to stdout meanwhile.
/// `short` is the short route of the server, for calls that rmcp need not see; `workers` are threads for those of them that
/// one thread does not carry alone.
///
/// When stdin is neither a pipe nor a socket it is read on a thread of its own, and a read that waits there keeps the runtime from
/// ending by itself: end it with [`tokio::runtime::Runtime::shutdown_background`] afterwards.
///
/// # Errors
///
/// [`TransportError::Write`] when stdout fails for another reason than a client that has gone;
/// [`TransportError::Session`] and [`TransportError::Task`] when rmcp gives up.
pub async fn serve_stdio<S>(
    server: S,
    short: Option<Short>,
    workers: Workers,
    shutdown: CancellationToken,
) -> Result<(), TransportError>
where
    S: ServerHandler,
{
    let short_lines = ShortLines::new(short).spread_over(workers);
    serve_lines((server, short_lines), standard::input(), standard::output(), shutdown, GRACE).await
}

/// The same over any pair of byte streams.
pub(crate) async fn serve_lines<S, R, W>(
    server: (S, ShortLines),
    read: R,
    write: W,
    shutdown: CancellationToken,
    grace: Duration,
) -> Result<(), TransportError>
where
    S: ServerHandler,
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let input = FramedRead::new(read, LineDecoder::default()).filter_map(|line| {
        ready(match line {
            Ok(Line::Whole(bytes)) if bytes.trim_ascii().is_empty() => None,
            Ok(Line::Whole(bytes)) => Some(message::read(&bytes)),
            Ok(Line::TooLong) => Some(Err(Refusal::invalid(Refusal::TOO_LARGE))),
            // The stream ends after an error, so this is the end of input.
            Err(error) if connection::is_gone(&error) => None,
            Err(error) => {
                tracing::warn!(%error, "reading stdin failed");
                None
            }
        })
    });
    // Nobody will ask for anything more, so what only waits must hear of it; everything else goes on to its answer.
    let ended = shutdown.clone();
    let input = input.chain(stream::poll_fn(move |_| {
        ended.cancel();
        Poll::Ready(None)
    }));
    let mut output = FramedWrite::new(write, LinesCodec::new());
    output.set_backpressure_boundary(WRITTEN_AT_ONCE);
    let ending = Ending { shutdown, end: CancellationToken::new(), grace };
    connection::serve(server, input, output, Arc::new(Ledger::default()), ending).await
}

impl From<LinesCodecError> for TransportError {
    fn from(error: LinesCodecError) -> Self {
        match error {
            LinesCodecError::Io(error) => Self::Write(error),
            // Only reading has a limit.
            LinesCodecError::MaxLineLengthExceeded => Self::Write(std::io::ErrorKind::InvalidData.into()),
        }
    }
}

#[derive(Debug)]
enum Line {
    Whole(Bytes),
    TooLong,
}

/// Lines of bounded length. One that is too long is reported once and skipped, and is no error: an error would
/// end the stream.
#[derive(Debug)]
struct LineDecoder(AnyDelimiterCodec);

impl Default for LineDecoder {
    fn default() -> Self {
        Self(AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), b"\n".to_vec(), MESSAGE_BYTES))
    }
}

impl LineDecoder {
    fn item(decoded: Result<Option<Bytes>, AnyDelimiterCodecError>) -> Result<Option<Line>, std::io::Error> {
        match decoded {
            Ok(line) => Ok(line.map(Line::Whole)),
            Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => Ok(Some(Line::TooLong)),
            Err(AnyDelimiterCodecError::Io(error)) => Err(error),
        }
    }
}

impl Decoder for LineDecoder {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        Self::item(self.0.decode(buffer))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        Self::item(self.0.decode_eof(buffer))
    }
}

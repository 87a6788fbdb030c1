//! Standard input and output that are sockets, as Node's clients hand them over, pipes, or one of each: all the same
//! to the client, and nothing is done to a stream that others may hold as well.

use std::collections::HashSet;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Socket;

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::support::faults::{Fault, Faulty, answer};
use crate::support::in_time;
use crate::support::pipe::Pipe;
use crate::support::setup::Setup;

/// What the server gets as standard input and output.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Streams {
    Pipes,
    /// Two sockets, as Node has it.
    Sockets,
    /// One for both, as socat has it.
    OneSocket,
    SocketAndPipe,
    PipeAndSocket,
}

const ALL: [Streams; 5] =
    [Streams::Pipes, Streams::Sockets, Streams::OneSocket, Streams::SocketAndPipe, Streams::PipeAndSocket];

/// Our end of a new socket, and the server's. What is dropped of ours is closed in its direction.
fn socket() -> (OwnedReadHalf, OwnedWriteHalf, Socket) {
    let (ours, theirs) = Socket::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let (read, write) = UnixStream::from_std(ours).unwrap().into_split();
    (read, write, theirs)
}

fn start(setup: &Setup, streams: Streams) -> Pipe {
    let socket_in = || {
        let (_, ours, theirs) = socket();
        (ours, OwnedFd::from(theirs))
    };
    let socket_out = || {
        let (ours, write, theirs) = socket();
        // Kept open: nothing is ever written to it.
        write.forget();
        (ours, OwnedFd::from(theirs))
    };
    let pipe_in = || {
        let (theirs, ours) = io::pipe().unwrap();
        (Sender::from_owned_fd(ours.into()).unwrap(), OwnedFd::from(theirs))
    };
    let pipe_out = || {
        let (ours, theirs) = io::pipe().unwrap();
        (Receiver::from_owned_fd(ours.into()).unwrap(), OwnedFd::from(theirs))
    };
    match streams {
        Streams::Pipes => {
            let ((input, stdin), (output, stdout)) = (pipe_in(), pipe_out());
            Pipe::over(setup.start_on(stdin, stdout), input, output)
        }
        Streams::Sockets => {
            let ((input, stdin), (output, stdout)) = (socket_in(), socket_out());
            Pipe::over(setup.start_on(stdin, stdout), input, output)
        }
        Streams::OneSocket => {
            let (output, input, theirs) = socket();
            let again = theirs.try_clone().unwrap();
            Pipe::over(setup.start_on(theirs.into(), again.into()), input, output)
        }
        Streams::SocketAndPipe => {
            let ((input, stdin), (output, stdout)) = (socket_in(), pipe_out());
            Pipe::over(setup.start_on(stdin, stdout), input, output)
        }
        Streams::PipeAndSocket => {
            let ((input, stdin), (output, stdout)) = (pipe_in(), socket_out());
            Pipe::over(setup.start_on(stdin, stdout), input, output)
        }
    }
}

fn get() -> serde_json::Value {
    json!({"name": "manage_customers", "arguments": {"action": "get", "customer_id": "cus_1"}})
}

fn good() -> Fault {
    Fault::Bytes(answer("200 OK", br#"{"id":"cus_1"}"#))
}

/// The end of the input, which for one socket is half of it, and the answers that are still owed.
#[tokio::test]
async fn whatever_the_streams_are_the_end_of_the_input_waits_for_the_answers() {
    // More than one thread carries.
    const CALLS: usize = 40;
    for streams in ALL {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let mut pipe = start(&Setup::against(&upstream.base_url()), streams);
        pipe.initialize("2025-11-25").await;
        let mut owed = HashSet::new();
        for _ in 0..CALLS {
            owed.insert(pipe.send("tools/call", get()).await);
        }
        upstream.has_got(CALLS).await;
        pipe.close();
        upstream.now(good());
        for _ in 0..CALLS {
            let answer = pipe.read().await.unwrap_or_else(|| panic!("{streams:?}: each call is answered"));
            assert!(owed.remove(&answer["id"].as_u64().unwrap()), "{streams:?}");
            assert_eq!(pipe.check("manage_customers", &answer).good()["customer"]["id"], "cus_1");
        }
        assert_eq!(pipe.read().await, None, "{streams:?}");
        assert_eq!(pipe.process.ended().await.0.code(), Some(0), "{streams:?}");
    }
}

#[tokio::test]
async fn a_signal_waits_for_the_answer_on_sockets_too() {
    for streams in [Streams::Sockets, Streams::OneSocket] {
        let mut upstream = Faulty::with(Fault::Hang).await;
        let mut pipe = start(&Setup::against(&upstream.base_url()), streams);
        pipe.initialize("2025-11-25").await;
        let id = pipe.send("tools/call", get()).await;
        upstream.has_got(1).await;
        pipe.process.signal(Signal::SIGTERM);
        pipe.process.logged("stopping: calls in flight are answered first").await;
        upstream.now(good());
        assert_eq!(pipe.read().await.expect("the call is answered")["id"], id);
        assert_eq!(pipe.read().await, None, "nothing follows");
        assert_eq!(pipe.process.ended().await.0.code(), Some(0), "{streams:?}");
    }
}

/// The flag belongs to the open stream, not to the process: it would reach the shell that started us, or our own
/// standard error, and stay there when we are gone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_stream_is_made_non_blocking_for_those_who_share_it() {
    const NON_BLOCKING: u32 = 0o4000;
    for streams in ALL {
        let mut pipe = start(&Setup::simulator(), streams);
        pipe.initialize("2025-11-25").await;
        for descriptor in [0, 1] {
            let path = format!("/proc/{}/fdinfo/{descriptor}", pipe.process.id());
            let info = std::fs::read_to_string(path).unwrap();
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
            let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
            assert_eq!(flags & NON_BLOCKING, 0, "{streams:?}, {descriptor}: {info}");
        }
        pipe.close();
        assert_eq!(pipe.process.ended().await.0.code(), Some(0));
    }
}

/// More than a stream holds, asked for before anything is read: each line comes whole, once.
#[tokio::test]
async fn a_client_that_reads_late_loses_nothing() {
    const QUESTIONS: usize = 200;
    for streams in ALL {
        let mut pipe = start(&Setup::simulator(), streams);
        pipe.initialize("2025-11-25").await;
        let mut asked = HashSet::new();
        for _ in 0..QUESTIONS {
            asked.insert(pipe.send("tools/list", json!({})).await);
        }
        while !asked.is_empty() {
            let answer = pipe.read().await.expect("the server lives on");
            assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 3, "{streams:?}");
            assert!(asked.remove(&answer["id"].as_u64().unwrap()), "{streams:?}: answered twice");
        }
        pipe.close();
        assert_eq!(pipe.read().await, None);
        assert_eq!(pipe.process.ended().await.0.code(), Some(0), "{streams:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_unread_answers_ends_the_server() {
    for streams in ALL {
        let mut pipe = start(&Setup::simulator(), streams);
        pipe.initialize("2025-11-25").await;
        for _ in 0..200 {
            pipe.send("tools/list", json!({})).await;
        }
        let process = pipe.leave();
        assert_eq!(process.ended().await.0.code(), Some(0), "{streams:?}");
    }
}

#[tokio::test]
async fn a_line_that_comes_in_pieces_or_is_too_long_is_the_same_over_a_socket() {
    let mut pipe = start(&Setup::simulator(), Streams::Sockets);
    pipe.initialize("2025-11-25").await;
    for piece in [r#"{"jsonrpc":"2.0","#, r#""id":7,"me"#, r#"thod":"ping"}"#] {
        pipe.write_piece(piece).await;
    }
    pipe.write("").await;
    assert_eq!(pipe.read().await.unwrap()["id"], 7);
    pipe.write(&"x".repeat(3 * 1024 * 1024)).await;
    let refused = in_time(pipe.read()).await.unwrap();
    assert_eq!(refused["error"]["message"], "request larger than 1 MiB");
    assert!(pipe.request("ping", json!({})).await["result"].is_object());
}

//! What one connection still owes its client: requests without an answer, batches that wait for their last
//! answer, lines on their way out.
//!
//! Knows JSON-RPC ids and rmcp's message types. Knows nothing of bytes, sockets or time.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, JsonRpcRequest, ProtocolVersion, RequestId,
    ServerJsonRpcMessage, ServerResult,
};
use tokio::sync::watch;

use super::{
    limits::CALLS_IN_FLIGHT,
    message::{Member, Refusal},
};

/// The books of one connection, shared by those who read from it and those who write to it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    load: watch::Sender<Load>,
}

#[derive(Debug, Default)]
struct Books {
    revision: Option<ProtocolVersion>,
    open: HashMap<RequestId, Open>,
    batches: HashMap<u64, Batch>,
    next_batch: u64,
    writing: usize,
}

#[derive(Debug)]
struct Open {
    batch: Option<u64>,
    /// Whether rmcp has it. Until then it is held back, and takes no handler.
    is_served: bool,
    /// A subscription is answered when it ends, which may be never: nobody waits for it.
    is_subscription: bool,
}

#[derive(Debug, Default)]
struct Batch {
    waiting: HashSet<RequestId>,
    answers: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Load {
    /// Answers and lines that a drain waits for.
    owed: usize,
    /// Requests that are served, subscriptions and answered members of a batch among them: what takes memory.
    served: usize,
    /// Lines that the client has not taken yet.
    writing: usize,
}

/// A line for the client, counted as owed until it is dropped.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    _writing: Writing,
}

#[derive(Debug)]
struct Writing(Arc<Ledger>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.change(|books| books.writing -= 1);
    }
}

impl Ledger {
    /// Whether `initialize` settled on the revision that has batches.
    pub(crate) fn takes_batches(&self) -> bool {
        self.lock().revision == Some(ProtocolVersion::V_2025_03_26)
    }

    /// Notes a request. False when its id belongs to a call in flight: rmcp would answer only one of the two.
    pub(crate) fn open(&self, request: &JsonRpcRequest<ClientRequest>) -> bool {
        self.change(|books| books.open(request, None))
    }

    /// Notes the requests of a batch. Returns what to hand on, and the answer when there is nothing to wait for.
    pub(crate) fn open_batch(
        self: &Arc<Self>,
        members: Vec<Member>,
    ) -> (Vec<ClientJsonRpcMessage>, Option<Line>) {
        let (messages, done) = self.change(|books| {
            let number = books.next_batch;
            books.next_batch += 1;
            let (mut batch, mut messages) = (Batch::default(), Vec::new());
            for member in members {
                match member.map(|message| *message) {
                    Ok(JsonRpcMessage::Request(request)) if !books.open(&request, Some(number)) => {
                        batch.answers.push(Refusal::duplicate_id().to_json());
                    }
                    Ok(message) => {
                        if let JsonRpcMessage::Request(request) = &message {
                            batch.waiting.insert(request.id.clone());
                        }
                        messages.push(message);
                    }
                    Err(refusal) => batch.answers.push(refusal.to_json()),
                }
            }
            books.batches.insert(number, batch);
            (messages, books.finish_batch(number))
        });
        (messages, done.map(|text| self.line(text)))
    }

    /// Takes an outgoing message, which `text` spells. Nothing comes back while its batch waits for more.
    pub(crate) fn outgoing(self: &Arc<Self>, message: &ServerJsonRpcMessage, text: String) -> Option<Line> {
        let id = match message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        self.change(|books| {
            if let JsonRpcMessage::Response(response) = message
                && let ServerResult::InitializeResult(result) = &response.result
            {
                books.revision = Some(result.protocol_version.clone());
            }
            let Some(id) = id else { return Some(text) };
            if let Some(number) = books.open.get(id).and_then(|open| open.batch)
                && let Some(batch) = books.batches.get_mut(&number)
            {
                batch.waiting.remove(id);
                batch.answers.push(text);
                return books.finish_batch(number);
            }
            books.open.remove(id);
            Some(text)
        })
        .map(|text| self.line(text))
    }

    /// Forgets a call that the client cancelled, since rmcp drops its answer. May complete a batch.
    pub(crate) fn cancelled(self: &Arc<Self>, id: &RequestId) -> Option<Line> {
        self.change(|books| {
            let number = books.open.remove(id)?.batch?;
            books.batches.get_mut(&number)?.waiting.remove(id);
            books.finish_batch(number)
        })
        .map(|text| self.line(text))
    }

    /// Notes that a request is handed on to be served.
    pub(crate) fn serve(&self, id: &RequestId) {
        self.change(|books| {
            if let Some(open) = books.open.get_mut(id) {
                open.is_served = true;
            }
        });
    }

    /// Counts a line as owed from now on.
    pub(crate) fn line(self: &Arc<Self>, text: String) -> Line {
        self.change(|books| books.writing += 1);
        Line { text, _writing: Writing(Arc::clone(self)) }
    }

    /// Waits until every answer is out.
    pub(crate) async fn idle(&self) {
        self.wait_for(|load| load.owed == 0).await;
    }

    /// Waits until one more request may be served.
    pub(crate) async fn room(&self) {
        self.wait_for(Load::has_room).await;
    }

    pub(crate) fn has_room(&self) -> bool {
        self.load.borrow().has_room()
    }

    /// Waits until the client has read enough of its lines to be listened to.
    pub(crate) async fn until_read(&self) {
        self.wait_for(Load::is_read).await;
    }

    pub(crate) fn is_read(&self) -> bool {
        self.load.borrow().is_read()
    }

    /// How many answers and lines are not out yet.
    pub(crate) fn owed(&self) -> usize {
        self.load.borrow().owed
    }

    async fn wait_for(&self, condition: impl Fn(&Load) -> bool) {
        // The sender lives in self, so the only error there is cannot happen.
        let _ = self.load.subscribe().wait_for(condition).await;
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change goes through here, so that the load never disagrees with the books.
    fn change<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        let mut books = self.lock();
        let result = change(&mut books);
        let subscriptions = books.open.values().filter(|open| open.is_subscription).count();
        let served = books.open.values().filter(|open| open.is_served).count();
        let owed = books.open.len() + books.writing - subscriptions;
        self.load.send_replace(Load { owed, served, writing: books.writing });
        result
    }
}

impl Load {
    fn has_room(&self) -> bool {
        self.served + self.writing < CALLS_IN_FLIGHT
    }

    /// Calls that wait do not count: what they wait for may be the client's next message.
    fn is_read(&self) -> bool {
        self.writing < CALLS_IN_FLIGHT
    }
}

impl Books {
    fn open(&mut self, request: &JsonRpcRequest<ClientRequest>, batch: Option<u64>) -> bool {
        if self.open.contains_key(&request.id) {
            return false;
        }
        let is_subscription = matches!(request.request, ClientRequest::SubscriptionsListenRequest(_));
        self.open.insert(request.id.clone(), Open { batch, is_served: false, is_subscription });
        true
    }

    /// The array of a batch that waits for nothing more, unless nothing is to be said.
    fn finish_batch(&mut self, number: u64) -> Option<String> {
        if !self.batches.get(&number)?.waiting.is_empty() {
            return None;
        }
        let mut batch = self.batches.remove(&number)?;
        self.open.retain(|_, open| open.batch != Some(number));
        let answers = mem::take(&mut batch.answers);
        (!answers.is_empty()).then(|| format!("[{}]", answers.join(",")))
    }
}

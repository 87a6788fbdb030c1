//! What one connection still owes its client: requests without an answer, batches that wait for their last
//! answer, lines on their way out.
//!
//! Knows JSON-RPC ids and rmcp's message types. Knows nothing of bytes, sockets or time.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, JsonRpcRequest, ProtocolVersion, RequestId,
    ServerJsonRpcMessage, ServerResult,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    limits::CALLS_IN_FLIGHT,
    message::{Member, Refusal},
};

/// The books of one connection, shared by those who read from it and those who write to it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    /// Told when a wait may be over.
    news: Notify,
}

#[derive(Debug, Default)]
struct Books {
    revision: Option<ProtocolVersion>,
    open: HashMap<RequestId, Open>,
    batches: HashMap<u64, Batch>,
    next_batch: u64,
    load: Load,
}

#[derive(Debug)]
struct Open {
    batch: Option<u64>,
    /// Whether it is handed on. Until then it is held back, and takes no handler.
    is_served: bool,
    /// Whether its answer is waited for: not that of a subscription, which may never end, nor of a request that was cancelled.
    is_owed: bool,
    /// Its answer does not go out. Its id stays taken all the same: another request with it could get that answer.
    is_cancelled: bool,
    /// Cancels what serves it.
    token: Option<CancellationToken>,
}

#[derive(Debug, Default)]
struct Batch {
    waiting: HashSet<RequestId>,
    answered: Vec<RequestId>,
    answers: Vec<String>,
}

/// How much there is of each, kept beside the books, since counting them costs more than a call's other entries.
#[derive(Debug, Default, Clone, Copy)]
struct Load {
    /// Requests whose answer is waited for.
    unanswered: usize,
    /// Requests that are served, cancelled ones and answered members of a batch among them: what takes memory.
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
        self.0.change(|books| books.load.writing -= 1);
    }
}

impl Ledger {
    /// Whether `initialize` settled on the revision that has batches.
    pub(crate) fn takes_batches(&self) -> bool {
        self.lock().revision == Some(ProtocolVersion::V_2025_03_26)
    }

    /// Notes a request. False when its id belongs to a call in flight: rmcp would answer only one of the two.
    pub(crate) fn open(&self, request: &JsonRpcRequest<ClientRequest>) -> bool {
        self.change(|books| books.open_request(request, None))
    }

    /// Notes a call that rmcp does not see. False as above.
    pub(crate) fn open_plain(&self, id: &RequestId) -> bool {
        self.change(|books| books.open(id, None, false))
    }

    /// Notes the requests of a batch. Returns what to hand on, and the answer when there is nothing to wait for.
    pub(crate) fn open_batch(
        self: &Arc<Self>,
        members: Vec<Member>,
    ) -> (Vec<ClientJsonRpcMessage>, Option<Line>) {
        let mut messages = Vec::new();
        let answer = self.line_by(|books| {
            let number = books.next_batch;
            books.next_batch += 1;
            let mut batch = Batch::default();
            for member in members {
                match member.map(|message| *message) {
                    Ok(JsonRpcMessage::Request(request)) if !books.open_request(&request, Some(number)) => {
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
            books.finish_batch(number)
        });
        (messages, answer)
    }

    /// Takes an outgoing message, which `text` spells. Nothing comes back while its batch waits for more.
    pub(crate) fn outgoing(self: &Arc<Self>, message: &ServerJsonRpcMessage, text: String) -> Option<Line> {
        let id = match message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        self.line_by(|books| {
            if let JsonRpcMessage::Response(response) = message
                && let ServerResult::InitializeResult(result) = &response.result
            {
                books.revision = Some(result.protocol_version.clone());
            }
            match id {
                Some(id) => books.answer(id, text),
                None => Some(text),
            }
        })
    }

    /// Takes the answer to a call that rmcp does not see.
    pub(crate) fn answered(self: &Arc<Self>, id: &RequestId, text: String) -> Option<Line> {
        self.line_by(|books| books.answer(id, text))
    }

    /// Cancels a request that is served: it is owed no more, which may complete a batch.
    pub(crate) fn cancel(self: &Arc<Self>, id: &RequestId) -> Option<Line> {
        self.line_by(|books| books.cancel(id))
    }

    /// Forgets a request that was cancelled before it was served. May complete a batch.
    pub(crate) fn forget(self: &Arc<Self>, id: &RequestId) -> Option<Line> {
        self.line_by(|books| {
            let number = books.close(id)?.batch?;
            books.batches.get_mut(&number)?.waiting.remove(id);
            books.finish_batch(number)
        })
    }

    /// Notes that a request is handed on to be served.
    pub(crate) fn serve(&self, id: &RequestId) {
        self.change(|books| {
            books.serve(id);
        });
    }

    /// Notes that a request is served by what `token` cancels.
    pub(crate) fn begin(&self, id: &RequestId, token: CancellationToken) {
        self.change(|books| books.begin(id, token));
    }

    /// Counts a line as owed from now on.
    pub(crate) fn line(self: &Arc<Self>, text: String) -> Line {
        self.change(|books| books.load.writing += 1);
        Line { text, _writing: Writing(Arc::clone(self)) }
    }

    /// The line that a change makes due, counted in the same step: in between, nothing would seem owed.
    fn line_by(self: &Arc<Self>, change: impl FnOnce(&mut Books) -> Option<String>) -> Option<Line> {
        let text = self.change(|books| {
            let text = change(books)?;
            books.load.writing += 1;
            Some(text)
        })?;
        Some(Line { text, _writing: Writing(Arc::clone(self)) })
    }

    /// Waits until every answer is out.
    pub(crate) async fn idle(&self) {
        self.wait_for(|load| load.owed() == 0).await;
    }

    /// Waits until one more request may be served.
    pub(crate) async fn room(&self) {
        self.wait_for(Load::has_room).await;
    }

    pub(crate) fn has_room(&self) -> bool {
        self.lock().load.has_room()
    }

    pub(crate) fn serves_more_than(&self, requests: usize) -> bool {
        self.lock().load.served > requests
    }

    /// Waits until the client has read enough of its lines to be listened to.
    pub(crate) async fn until_read(&self) {
        self.wait_for(Load::is_read).await;
    }

    pub(crate) fn is_read(&self) -> bool {
        self.lock().load.is_read()
    }

    /// How many answers and lines are not out yet.
    pub(crate) fn owed(&self) -> usize {
        self.lock().load.owed()
    }

    async fn wait_for(&self, condition: impl Fn(&Load) -> bool) {
        loop {
            // Before the look, so that no change between the two is missed.
            let news = self.news.notified();
            if condition(&self.lock().load) {
                return;
            }
            news.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change goes through here, so that whoever waits hears of it.
    fn change<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        let mut books = self.lock();
        let before = books.load.state();
        let result = change(&mut books);
        let is_news = books.load.state() != before;
        drop(books);
        if is_news {
            self.news.notify_waiters();
        }
        result
    }
}

impl Load {
    /// All that anybody waits for.
    fn state(&self) -> [bool; 3] {
        [self.owed() == 0, self.has_room(), self.is_read()]
    }

    /// Answers and lines that a drain waits for.
    fn owed(&self) -> usize {
        self.unanswered + self.writing
    }

    fn has_room(&self) -> bool {
        self.served + self.writing < CALLS_IN_FLIGHT
    }

    /// Calls that wait do not count: what they wait for may be the client's next message.
    fn is_read(&self) -> bool {
        self.writing < CALLS_IN_FLIGHT
    }
}

impl Books {
    fn open_request(&mut self, request: &JsonRpcRequest<ClientRequest>, batch: Option<u64>) -> bool {
        let is_subscription = matches!(request.request, ClientRequest::SubscriptionsListenRequest(_));
        self.open(&request.id, batch, is_subscription)
    }

    fn open(&mut self, id: &RequestId, batch: Option<u64>, is_subscription: bool) -> bool {
        let Entry::Vacant(place) = self.open.entry(id.clone()) else { return false };
        let is_owed = !is_subscription;
        place.insert(Open { batch, is_served: false, is_owed, is_cancelled: false, token: None });
        self.load.unanswered += usize::from(is_owed);
        true
    }

    fn serve(&mut self, id: &RequestId) -> Option<&mut Open> {
        let open = self.open.get_mut(id)?;
        self.load.served += usize::from(!mem::replace(&mut open.is_served, true));
        Some(open)
    }

    fn begin(&mut self, id: &RequestId, token: CancellationToken) {
        let Some(open) = self.serve(id) else { return };
        // The cancellation may come between the request and whoever serves it.
        if open.is_cancelled {
            token.cancel();
        }
        open.token = Some(token);
    }

    fn answer(&mut self, id: &RequestId, text: String) -> Option<String> {
        if let Some(number) = self.open.get(id).and_then(|open| open.batch)
            && let Some(batch) = self.batches.get_mut(&number)
        {
            batch.answered.extend(batch.waiting.take(id));
            batch.answers.push(text);
            return self.finish_batch(number);
        }
        let was_cancelled = self.close(id).is_some_and(|open| open.is_cancelled);
        (!was_cancelled).then_some(text)
    }

    fn cancel(&mut self, id: &RequestId) -> Option<String> {
        let open = self.open.get_mut(id).filter(|open| open.is_served)?;
        if let Some(batch) = open.batch.and_then(|number| self.batches.get_mut(&number))
            && !batch.waiting.remove(id)
        {
            // Too late: its answer waits for those of its batch.
            return None;
        }
        open.is_cancelled = true;
        self.load.unanswered -= usize::from(mem::take(&mut open.is_owed));
        if let Some(token) = &open.token {
            token.cancel();
        }
        let number = open.batch.take()?;
        self.finish_batch(number)
    }

    fn close(&mut self, id: &RequestId) -> Option<Open> {
        let open = self.open.remove(id)?;
        self.load.unanswered -= usize::from(open.is_owed);
        self.load.served -= usize::from(open.is_served);
        Some(open)
    }

    /// The array of a batch that waits for nothing more, unless nothing is to be said.
    fn finish_batch(&mut self, number: u64) -> Option<String> {
        if !self.batches.get(&number)?.waiting.is_empty() {
            return None;
        }
        let batch = self.batches.remove(&number)?;
        for id in &batch.answered {
            self.close(id);
        }
        (!batch.answers.is_empty()).then(|| format!("[{}]", batch.answers.join(",")))
    }
}

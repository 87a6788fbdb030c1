//! What one connection still owes its client: requests without an answer, batches that wait for their last
//! answer, lines on their way out. `books` has the entries, and this hears of each change.
//!
//! Knows JSON-RPC ids and rmcp's message types. Knows nothing of bytes, sockets or time.

mod books;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, JsonRpcRequest, RequestId, ServerJsonRpcMessage,
    ServerResult,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::message::Member;
use books::{Books, Load};

/// The books of one connection, shared by those who read from it and those who write to it.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
    /// Told when a wait may be over.
    news: Notify,
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
        self.lock().takes_batches()
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
            let (to_serve, answer) = books.open_batch(members);
            messages = to_serve;
            answer
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
                books.settle(result.protocol_version.clone());
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
        self.line_by(|books| books.forget(id))
    }

    /// Notes that a request is handed on to be served.
    pub(crate) fn serve(&self, id: &RequestId) {
        self.change(|books| books.hand_on(id));
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

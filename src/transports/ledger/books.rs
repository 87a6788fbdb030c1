//! The entries of a [`Ledger`](super::Ledger), and the answers of a batch put together.
//!
//! Knows JSON-RPC ids and rmcp's message types. Knows nothing of whoever waits for a change.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    mem,
};

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, JsonRpcRequest, ProtocolVersion, RequestId,
};
use tokio_util::sync::CancellationToken;

use crate::transports::{
    limits::CALLS_IN_FLIGHT,
    message::{Member, Refusal},
};

/// What is open on a connection, and how much of it.
#[derive(Debug, Default)]
pub(super) struct Books {
    revision: Option<ProtocolVersion>,
    open: HashMap<RequestId, Open>,
    batches: HashMap<u64, Batch>,
    next_batch: u64,
    pub(super) load: Load,
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
pub(super) struct Load {
    /// Requests whose answer is waited for.
    unanswered: usize,
    /// Requests that are served, cancelled ones and answered members of a batch among them: what takes memory.
    pub(super) served: usize,
    /// Lines that the client has not taken yet.
    pub(super) writing: usize,
}

impl Load {
    /// All that anybody waits for.
    pub(super) fn state(&self) -> [bool; 3] {
        [self.owed() == 0, self.has_room(), self.is_read()]
    }

    /// Answers and lines that a drain waits for.
    pub(super) fn owed(&self) -> usize {
        self.unanswered + self.writing
    }

    pub(super) fn has_room(&self) -> bool {
        self.served + self.writing < CALLS_IN_FLIGHT
    }

    /// Calls that wait do not count: what they wait for may be the client's next message.
    pub(super) fn is_read(&self) -> bool {
        self.writing < CALLS_IN_FLIGHT
    }
}

impl Books {
    /// Notes what `initialize` settled on.
    pub(super) fn settle(&mut self, revision: ProtocolVersion) {
        self.revision = Some(revision);
    }

    pub(super) fn takes_batches(&self) -> bool {
        self.revision == Some(ProtocolVersion::V_2025_03_26)
    }

    pub(super) fn open_request(
        &mut self,
        request: &JsonRpcRequest<ClientRequest>,
        batch: Option<u64>,
    ) -> bool {
        let is_subscription = matches!(request.request, ClientRequest::SubscriptionsListenRequest(_));
        self.open(&request.id, batch, is_subscription)
    }

    pub(super) fn open(&mut self, id: &RequestId, batch: Option<u64>, is_subscription: bool) -> bool {
        let Entry::Vacant(place) = self.open.entry(id.clone()) else { return false };
        let is_owed = !is_subscription;
        place.insert(Open { batch, is_served: false, is_owed, is_cancelled: false, token: None });
        self.load.unanswered += usize::from(is_owed);
        true
    }

    /// Notes the requests of a batch. Returns what to hand on, and the answer when there is nothing to wait for.
    pub(super) fn open_batch(&mut self, members: Vec<Member>) -> (Vec<ClientJsonRpcMessage>, Option<String>) {
        let number = self.next_batch;
        self.next_batch += 1;
        let (mut messages, mut batch) = (Vec::new(), Batch::default());
        for member in members {
            match member.map(|message| *message) {
                Ok(JsonRpcMessage::Request(request)) if !self.open_request(&request, Some(number)) => {
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
        self.batches.insert(number, batch);
        (messages, self.finish_batch(number))
    }

    pub(super) fn hand_on(&mut self, id: &RequestId) {
        self.serve(id);
    }

    fn serve(&mut self, id: &RequestId) -> Option<&mut Open> {
        let open = self.open.get_mut(id)?;
        self.load.served += usize::from(!mem::replace(&mut open.is_served, true));
        Some(open)
    }

    pub(super) fn begin(&mut self, id: &RequestId, token: CancellationToken) {
        let Some(open) = self.serve(id) else { return };
        // The cancellation may come between the request and whoever serves it.
        if open.is_cancelled {
            token.cancel();
        }
        open.token = Some(token);
    }

    pub(super) fn answer(&mut self, id: &RequestId, text: String) -> Option<String> {
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

    pub(super) fn cancel(&mut self, id: &RequestId) -> Option<String> {
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

    pub(super) fn forget(&mut self, id: &RequestId) -> Option<String> {
        let number = self.close(id)?.batch?;
        self.batches.get_mut(&number)?.waiting.remove(id);
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

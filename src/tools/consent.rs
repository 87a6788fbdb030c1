//! The errors of asking a person: nothing was sent, and what to do next.

use std::time::Duration;

use super::error::{ApprovalPage, ErrorKind, Outcome, ToolError};

impl ToolError {
    /// The person said no.
    pub(crate) fn declined() -> Self {
        Self::new(ErrorKind::Declined, "the person declined this write: nothing was sent")
            .with_hint("Do not send it again by yourself. Ask the person what they want instead.")
            .nothing_sent()
    }

    /// The person closed the question without an answer.
    pub(crate) fn dismissed() -> Self {
        Self::new(ErrorKind::Cancelled, "the person dismissed the question: nothing was sent")
            .with_hint("Ask the person whether the write is wanted; the same call puts the question again.")
            .nothing_sent()
    }

    /// The client gave the call up before anything was sent.
    pub(crate) fn given_up(write: bool) -> Self {
        let error = Self::new(ErrorKind::Cancelled, "the call was cancelled before anything was sent")
            .with_hint("Call again if it is still wanted.");
        if write { error.nothing_sent() } else { error }
    }

    /// A page waits for the person.
    pub(crate) fn page_waits(page: ApprovalPage) -> Self {
        let error = Self::new(
            ErrorKind::ConfirmationRequired,
            "a person must approve this write: nothing was sent",
        )
        .with_hint(
            "Give the person approval.url to open; where the server runs on their own computer, its window may have \
             opened by itself. Only they can approve there, and opening it yourself does nothing. When they say that \
             they have approved, call again with the same arguments.",
        );
        Self { approval: Some(page), ..error.nothing_sent() }
    }

    /// A person must be asked, and there is no way to.
    pub(crate) fn nobody_to_ask() -> Self {
        Self::new(
            ErrorKind::ConfirmationRequired,
            "a person must approve this write, and this server has no way to ask one: nothing was sent",
        )
        .with_hint(
            "Tell the operator to set FINTECTURE_APPROVAL_CODE, which a person then types on the approval page; where \
             people sign in at an issuer, --oauth-client-id; on stdio a client that can ask its user (elicitation) \
             does, too.",
        )
        .nothing_sent()
    }

    /// There is a way to approve, and no page to do it on.
    pub(crate) fn pages_unserved() -> Self {
        Self::new(
            ErrorKind::ConfirmationRequired,
            "a person must approve this write, and the approval pages cannot be served: nothing was sent",
        )
        .with_hint(
            "Tell the operator: the server's log says why. Another server may have the address of --approvals-listen; \
             once it is free, or another one is given, call again.",
        )
        .nothing_sent()
    }

    /// What a person decided cannot be looked up or written down now.
    pub(crate) fn approvals_unreachable() -> Self {
        Self::new(
            ErrorKind::Internal,
            "the store that approvals are kept in cannot be used now, and this write needs one: nothing was sent",
        )
        .with_hint("Try again in a minute; if it goes on, tell the operator to look at the store (--store).")
        .nothing_sent()
    }

    /// The person did not answer while the call could wait.
    pub(crate) fn no_answer_in_time() -> Self {
        Self::new(
            ErrorKind::ConfirmationRequired,
            "the person has not answered in the time that the call had: nothing was sent",
        )
        .with_hint(
            "Ask the person whether the write is still wanted. Only then call again with the same arguments: that \
             puts the question again.",
        )
        .nothing_sent()
    }

    /// An answer came that is not the person's to this question.
    pub(crate) fn answer_is_not_theirs() -> Self {
        Self::new(
            ErrorKind::ConfirmationRequired,
            "the answer that came with the call is too late, was used before, or belongs to another write: nothing \
             was sent",
        )
        .with_hint("Call again with the same arguments and without that answer: the person is then asked afresh.")
        .nothing_sent()
    }

    /// As many approvals wait as one principal may have.
    pub(crate) fn too_many_approvals(retry_after_seconds: u64) -> Self {
        let error =
            Self::new(ErrorKind::RateLimited, "too many writes wait for a person already: nothing was sent")
                .with_hint("Let the person decide about the writes that wait, then call again.");
        Self { retryable: true, retry_after_seconds: Some(retry_after_seconds), ..error.nothing_sent() }
    }

    /// The same write is with another call, for longer than this one could wait.
    pub(crate) fn under_way() -> Self {
        let error = Self::new(
            ErrorKind::OutcomeUnknown,
            "another call of the same write is under way: it waits for a person or for the upstream",
        )
        .with_hint(
            "Do not start it in another way. Call again with the same arguments: you get what it came to.",
        );
        Self { outcome: Some(Outcome::Unknown), ..error }
    }

    /// Another write with the same `external_id` goes first, for longer than this one could wait.
    pub(crate) fn not_its_turn() -> Self {
        let error = Self::new(
            ErrorKind::RateLimited,
            "another write with the same external_id is under way: nothing was sent",
        )
        .with_hint("Wait for retry_after_seconds, then call again: the customer may exist by then.");
        Self { retryable: true, retry_after_seconds: Some(5), ..error.nothing_sent() }
    }

    /// What replicas share cannot be reached, and without it the write could be sent twice.
    pub(crate) fn store_gone() -> Self {
        let error = Self::new(
            ErrorKind::Internal,
            "the store that this server shares with others cannot be reached: nothing was sent",
        )
        .with_hint("Call again in some seconds with the same arguments. If it stays so, tell the operator.");
        Self { retryable: true, ..error.nothing_sent() }
    }

    /// What replicas share has lost what it knew of the writes before.
    pub(crate) fn store_lost_memory(left: Duration) -> Self {
        let error = Self::new(
            ErrorKind::Internal,
            "the store that this server shares with others has lost its memory, and a write that was sent lately could \
             be sent twice: nothing was sent",
        )
        .with_hint("Wait for retry_after_seconds, look whether it was done meanwhile, then call again. Tell the operator.");
        let wait = Some(left.as_secs() + 1);
        Self { retryable: true, retry_after_seconds: wait, ..error.nothing_sent() }
    }

    /// What replicas share knows of this write no more.
    pub(crate) fn store_forgot() -> Self {
        let error = Self::new(
            ErrorKind::Internal,
            "the store that this server shares with others lost sight of this write before it left: nothing was sent",
        )
        .with_hint("Call again with the same arguments: it is sent, or you get what it came to elsewhere.");
        Self { retryable: true, ..error.nothing_sent() }
    }

    /// The customer that a write is for came back as another one.
    pub(super) fn another_customer() -> Self {
        Self::new(
            ErrorKind::UpstreamUnavailable,
            "the upstream answered about another customer than the one that was asked for: nothing was sent",
        )
        .with_hint("Do not send the write. Tell the operator.")
        .nothing_sent()
    }

    fn nothing_sent(self) -> Self {
        Self { outcome: Some(Outcome::NotApplied), ..self }
    }
}

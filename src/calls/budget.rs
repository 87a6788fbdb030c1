//! How long a call may take, questions to a person and waiting included.

use std::time::Duration;

use tokio::time::Instant;

/// Longest call of a client that is not told how far it is: such clients give up at 60 s.
const UNTOLD: Duration = Duration::from_secs(50);
/// What is kept of that for sending what the person agreed to.
const FOR_SENDING: Duration = Duration::from_secs(5);
/// Longest wait for a person where the client is told how far the call is.
const FOR_AN_ANSWER: Duration = Duration::from_mins(10);

/// The time of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// When it began.
    pub(super) began: Instant,
    /// When the call is over; none where the client is told how far it is.
    pub(super) end: Option<Instant>,
}

impl Budget {
    /// That of a call that begins now.
    pub(super) fn new(is_told: bool) -> Self {
        let began = Instant::now();
        Self { began, end: (!is_told).then(|| began + UNTOLD) }
    }

    /// Until when a person's answer is waited for.
    pub(super) fn answer_by(self) -> Instant {
        self.end.map_or_else(|| Instant::now() + FOR_AN_ANSWER, |end| end - FOR_SENDING)
    }
}

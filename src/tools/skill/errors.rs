//! What each kind of error means for an agent, and what it asks for.

use crate::tools::ErrorKind;

/// When there is such an error, and what to do then.
pub(super) fn advice(kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::InvalidInput => (
            "An argument is missing or wrong; nothing was sent.",
            "Correct every entry of `problems`, ask the person for values that you do not know, and call again.",
        ),
        ErrorKind::NotFound => (
            "Nothing has this id.",
            "Take ids from results of a list, never from memory. Ask the person which one they mean.",
        ),
        ErrorKind::Conflict => (
            "What was to be written is there already, or clashes with what is.",
            "Where `customer_id` is given, read that customer and ask the person whether to go on with it. Create nobody twice.",
        ),
        ErrorKind::ReadOnly => (
            "Writes are switched off; nothing was sent.",
            "Go on with what only reads, and say that nothing was written. Ask the operator whether writes will be let through.",
        ),
        ErrorKind::InsufficientScope => (
            "Whoever this client is signed in as lacks the right that `scope` names; nothing was sent.",
            "Ask the operator for it. Trying again does not help.",
        ),
        ErrorKind::ConfirmationRequired => (
            "A person has to approve this write first; nothing was sent.",
            "Give the person the address in `approval` and until when it holds; never open it yourself. Wait for them, then call again with exactly the same arguments. Without `approval`, tell them what `hint` says.",
        ),
        ErrorKind::Declined => (
            "The person said no; nothing was sent.",
            "Stop. Do not ask again by yourself, and do not look for another way.",
        ),
        ErrorKind::Cancelled => (
            "The person dismissed the question, or the call was cancelled before anything was sent.",
            "Ask the person whether they still want it.",
        ),
        ErrorKind::RateLimited => (
            "Too many calls, here or at Fintecture.",
            "Wait for `retry_after_seconds`, or a minute where none is given, then make the same call once.",
        ),
        ErrorKind::UpstreamUnavailable => (
            "Fintecture could not be reached or did not answer; nothing was changed.",
            "Try again in some seconds, three times at most; then tell the person.",
        ),
        ErrorKind::OutcomeUnknown => (
            "The answer to a write got lost: it may have been applied.",
            "Do not send it again. Do what `hint` says to find out, tell the person, and let them decide.",
        ),
        ErrorKind::UpstreamRejected => (
            "Fintecture refused the request.",
            "Read what it says, correct the arguments, and do not send the same again.",
        ),
        ErrorKind::Unauthorized => (
            "Fintecture refused the server's own credentials.",
            "Nothing that you can correct: tell the operator.",
        ),
        ErrorKind::Forbidden => (
            "The server's own credentials lack the right for that at Fintecture.",
            "Nothing that you can correct: tell the operator.",
        ),
        ErrorKind::Internal => (
            "A fault of the server.",
            "Tell the operator, whose log says more. For a write, look at `outcome` before anything else.",
        ),
    }
}

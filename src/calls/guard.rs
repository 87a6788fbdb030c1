//! A panic in a call becomes an error of the contract. Without this the client would wait for ever.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// Runs a call; a panic in it is answered with `panicked`. No `async fn`, which would hold room for the call twice.
pub(super) fn catch<T, E>(
    call: impl Future<Output = Result<T, E>>,
    panicked: E,
) -> impl Future<Output = Result<T, E>> {
    AssertUnwindSafe(call).catch_unwind().map(|ended| {
        ended.unwrap_or_else(|_| {
            tracing::error!("a tool call panicked");
            Err(panicked)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{ErrorKind, ToolError};

    #[tokio::test]
    async fn a_panic_is_answered() {
        let panicking = async { if true { panic!("secret detail") } else { Ok(()) } };
        let error = catch(panicking, ToolError::panicked(true)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(!error.message.contains("secret"));
    }
}

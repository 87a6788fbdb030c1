//! A panic in a call becomes an error of the contract. Without this the client would wait for ever.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::tools::{Fields, ToolError};

/// Runs a call; a panic in it is answered as `internal`.
pub(super) async fn catch(
    call: impl Future<Output = Result<Fields, ToolError>>,
) -> Result<Fields, ToolError> {
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a tool call panicked");
        Err(ToolError::internal("the call failed inside the server; a write may have been sent before that"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::ErrorKind;

    #[tokio::test]
    async fn a_panic_is_answered() {
        let error = catch(async { panic!("secret detail") }).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(!error.message.contains("secret"));
    }
}

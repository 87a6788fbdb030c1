//! A call over HTTP on its way: where its client leaves, it hears of that and goes on by itself to its end, so that what
//! became of it is on record.
//!
//! Knows nothing of what is called.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// What a call comes to; nothing where it panicked. Dropping this cancels `left`, and the call goes on in a task of its
/// own: only then does it cost one.
pub(crate) async fn to_its_end<T, F>(
    left: CancellationToken,
    call: impl FnOnce(CancellationToken) -> F,
) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let call = AssertUnwindSafe(call(left.clone())).catch_unwind().map(Result::ok);
    UnderWay { call: Some(call.boxed()), left }.await
}

struct UnderWay<T: Send + 'static> {
    /// Until it has ended.
    call: Option<BoxFuture<'static, Option<T>>>,
    left: CancellationToken,
}

impl<T: Send + 'static> Future for UnderWay<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(call) = &mut self.call else { return Poll::Ready(None) };
        let polled = call.as_mut().poll(context);
        if polled.is_ready() {
            self.call = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for UnderWay<T> {
    fn drop(&mut self) {
        if let (Some(call), Ok(runtime)) = (self.call.take(), Handle::try_current()) {
            self.left.cancel();
            runtime.spawn(call);
        }
    }
}

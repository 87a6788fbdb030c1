//! An upstream that answers as it is told and remembers what it was asked.

use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The upstream of a test. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Upstream(MockServer);

impl Upstream {
    /// Answers every request in the same way, or as a function of it says.
    pub(crate) async fn answering(answer: impl Respond + 'static) -> Self {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        Self(server)
    }

    /// Answers every request with 200 and this JSON.
    pub(crate) async fn saying(body: Value) -> Self {
        Self::answering(ResponseTemplate::new(200).set_body_json(body)).await
    }

    /// Answers differently from now on.
    pub(crate) async fn now_answering(&self, answer: impl Respond + 'static) {
        self.0.reset().await;
        Mock::given(any()).respond_with(answer).mount(&self.0).await;
    }

    /// Its address, without a slash at the end.
    pub(crate) fn base_url(&self) -> String {
        self.0.uri()
    }

    /// Everything that it was asked since the last change of its answers.
    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.0.received_requests().await.unwrap()
    }

    /// How many of its requests were writes.
    pub(crate) async fn writes(&self) -> usize {
        self.requests().await.iter().filter(|request| request.method == "POST").count()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn is_asked(&self, times: usize) {
        super::in_time(async {
            while self.count().await < times {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// How often it was asked.
    pub(crate) async fn count(&self) -> usize {
        self.requests().await.len()
    }
}

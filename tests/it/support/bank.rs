//! An upstream whose verifications stay pending until the test decides, and that says what it was asked for.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::watch;
use wiremock::{Request, ResponseTemplate};

use super::in_time;
use super::upstream::Upstream;

/// A running one.
#[derive(Debug)]
pub(crate) struct Bank {
    upstream: Upstream,
    /// The last part of the path of each read, in their order.
    asked: watch::Receiver<Vec<String>>,
    answer: Arc<Mutex<Option<ResponseTemplate>>>,
}

impl Bank {
    /// Starts it. What is started has the id `ver_1`.
    pub(crate) async fn undecided() -> Self {
        let (tell, asked) = watch::channel(Vec::new());
        let answer: Arc<Mutex<Option<ResponseTemplate>>> = Arc::default();
        let told = Arc::clone(&answer);
        let upstream = Upstream::answering(move |request: &Request| {
            if request.method.as_str() == "POST" {
                return ResponseTemplate::new(201).set_body_json(json!({"id": "ver_1", "status": "pending"}));
            }
            let id = request.url.path_segments().unwrap().next_back().unwrap().to_owned();
            let pending = ResponseTemplate::new(200).set_body_json(json!({"id": id, "status": "pending"}));
            let answer = told.lock().unwrap().clone().unwrap_or(pending);
            // Last: whoever hears of this request may decide what the next one is answered with.
            tell.send_modify(|asked| asked.push(id));
            answer
        })
        .await;
        Self { upstream, asked, answer }
    }

    pub(crate) fn base_url(&self) -> String {
        self.upstream.base_url()
    }

    /// Answers every read so from now on.
    pub(crate) fn answers(&self, answer: ResponseTemplate) {
        *self.answer.lock().unwrap() = Some(answer);
    }

    /// Decides the verification `ver_1`.
    pub(crate) fn decides(&self) {
        self.answers(ResponseTemplate::new(200).set_body_json(json!({"id": "ver_1", "status": "verified"})));
    }

    /// How often it was asked for this verification.
    pub(crate) fn count(&self, id: &str) -> usize {
        self.asked.borrow().iter().filter(|asked| *asked == id).count()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn is_asked(&self, id: &str, times: usize) {
        let enough = |asked: &Vec<String>| asked.iter().filter(|asked| *asked == id).count() >= times;
        in_time(self.asked.clone().wait_for(enough)).await.unwrap();
    }

    /// Waits until it is asked once more.
    pub(crate) async fn is_asked_again(&self, id: &str) {
        self.is_asked(id, self.count(id) + 1).await;
    }
}

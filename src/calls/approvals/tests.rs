//! The rules of approvals, one by one, in paused time.

mod codes;
mod lives;
mod people;
mod proofs;
mod replicas;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::code::hashed;
use super::*;
use crate::secret::Secret;
use crate::tools::Fact;

const CODE: &str = "correct horse battery";
const MINUTE: Duration = Duration::from_mins(1);

/// A desk that writes down what it opens.
#[derive(Debug, Default)]
struct Notes {
    has_browser: bool,
    cannot_serve: AtomicBool,
    opened: Mutex<Vec<String>>,
}

impl Notes {
    fn opened(&self) -> Vec<String> {
        self.opened.lock().unwrap().clone()
    }
}

impl Desk for Notes {
    fn origin(&self) -> BoxFuture<'_, Option<String>> {
        let serves = !self.cannot_serve.load(Ordering::SeqCst);
        Box::pin(async move { serves.then(|| "http://127.0.0.1:4000".to_owned()) })
    }

    fn has_browser(&self) -> bool {
        self.has_browser
    }

    fn open(&self, address: &str) {
        self.opened.lock().unwrap().push(address.to_owned());
    }
}

fn code() -> Code {
    Code::new(Secret::fixed(&hashed(CODE))).unwrap()
}

fn with_code() -> Arc<Approvals> {
    with_code_on(Store::memory())
}

/// A replica on this store.
fn with_code_on(store: Store) -> Arc<Approvals> {
    Approvals::new(Some(code()), Arc::new(Notes::default()), store)
}

fn with_browser() -> (Arc<Approvals>, Arc<Notes>) {
    let notes = Arc::new(Notes { has_browser: true, ..Notes::default() });
    (Approvals::new(None, Arc::clone(&notes) as Arc<dyn Desk>, Store::memory()), notes)
}

fn question() -> Question {
    let fact = Fact { label: "IBAN".into(), value: "FR76 3000".into(), beside: None };
    Question { title: "Attach a bank account".into(), facts: vec![fact] }
}

async fn opened(approvals: &Arc<Approvals>, write: u8) -> Ticket {
    approvals.open("local", [write; 32], question()).await.unwrap()
}

async fn proven(approvals: &Arc<Approvals>, id: &ApprovalId) -> Proof {
    approvals.prove_by_code(id, CODE.to_owned()).await.unwrap()
}

async fn view(approvals: &Approvals, id: &ApprovalId, proof: &Proof) -> View {
    let Sight::Proven(view) = approvals.sight(id, Some(proof.as_str())).await.unwrap() else {
        panic!("no view")
    };
    *view
}

/// Proves and presses.
async fn answered(approvals: &Arc<Approvals>, id: &ApprovalId, decision: Decision) -> Proof {
    let proof = proven(approvals, id).await;
    let token = view(approvals, id, &proof).await.token;
    approvals.decide(id, Some(proof.as_str()), &token, decision).await.unwrap();
    proof
}

async fn pass(time: Duration) {
    tokio::time::advance(time).await;
    // What was waiting for that moment runs now.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

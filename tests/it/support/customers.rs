//! An upstream that knows customers and ignores every filter, and a server before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::agent::Agent;
use super::contract::Answer;
use super::operations::create_with_external_id;
use super::setup::Setup;
use super::upstream::Upstream;

/// A server before an upstream that ignores the filter.
pub(crate) struct World {
    pub(crate) agent: Agent,
    pub(crate) upstream: Upstream,
}

/// An upstream's pages of customers, before the write and after it.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    pub(crate) before: Vec<Vec<Value>>,
    pub(crate) after: Vec<Vec<Value>>,
}

impl World {
    pub(crate) async fn new(pages: Pages, written: ResponseTemplate) -> Self {
        let is_written = Arc::new(AtomicBool::new(false));
        let upstream = Upstream::answering(move |request: &Request| {
            if request.method.as_str() == "POST" {
                is_written.store(true, Ordering::SeqCst);
                return written.clone();
            }
            let pages = if is_written.load(Ordering::SeqCst) { &pages.after } else { &pages.before };
            let page = pages.get(number(request) - 1).cloned().unwrap_or_default();
            ResponseTemplate::new(200).set_body_json(json!({"data": page, "meta": {"count": 1}}))
        })
        .await;
        Self { agent: Setup::against(&upstream.base_url()).agent().await, upstream }
    }

    pub(crate) async fn create(&self) -> Answer {
        let create = create_with_external_id();
        self.agent.call(create.tool, create.arguments).await
    }

    /// The numbers of the pages that were asked for, with `0` for the write.
    pub(crate) async fn asked(&self) -> Vec<usize> {
        let requests = self.upstream.requests().await;
        requests
            .iter()
            .map(|request| if request.method.as_str() == "POST" { 0 } else { number(request) })
            .collect()
    }
}

/// The page that a request asks for.
pub(crate) fn number(request: &Request) -> usize {
    let (_, number) = request.url.query_pairs().find(|(name, _)| name == "page[number]").unwrap();
    number.parse().unwrap()
}

/// A full page of customers whose ids nobody else has.
pub(crate) fn others(page: usize) -> Vec<Value> {
    (0..100)
        .map(|n| json!({"id": format!("cus_{page}_{n}"), "external_id": format!("crm-{page}{n}")}))
        .collect()
}

/// The customer that the write makes.
pub(crate) fn written() -> Value {
    let mut customer = create_with_external_id().body;
    customer["id"] = json!("cus_new");
    customer
}

pub(crate) fn created() -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(written())
}

pub(crate) fn lost() -> ResponseTemplate {
    ResponseTemplate::new(502)
}

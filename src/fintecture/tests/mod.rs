//! The pipeline against a server that is told what to answer.

mod credentials;
mod retries;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::*;
use crate::capability::{Capabilities, Source};
use crate::secret::Secret;

/// The upstream of a test, and a client for it.
struct World {
    server: MockServer,
    fintecture: Fintecture,
    context: CallContext,
}

impl World {
    async fn with_token() -> Self {
        let server = MockServer::start().await;
        let credentials = Credentials::Token(Secret::fixed("token-0"));
        Self::new(server, credentials, None)
    }

    async fn with_application() -> Self {
        let server = MockServer::start().await;
        let credentials = Credentials::Application(Application {
            id: "app".to_owned(),
            secret: Secret::fixed("app-secret"),
            token_url: format!("{}/oauth/accesstoken", server.uri()).parse().unwrap(),
            scope: "PIS".to_owned(),
        });
        Self::new(server, credentials, None)
    }

    fn new(server: MockServer, credentials: Credentials, signer: Option<Signer>) -> Self {
        let client = Client::new(ClientConfig {
            base_url: server.uri().parse().unwrap(),
            credentials,
            signer,
            timeout: Duration::from_secs(5),
            requests_per_second: None,
            ca_file: None,
        });
        let capabilities = Capabilities::load(&Source::BuiltIn, &crate::tools::needs()).unwrap();
        let fintecture = Fintecture::new(client.unwrap(), Arc::new(capabilities));
        Self { server, fintecture, context: CallContext::new(None) }
    }

    fn upstream(&self) -> Upstream<'_> {
        self.fintecture.on_behalf_of(&self.context)
    }

    async fn get(&self) -> Result<Record, Failure> {
        self.upstream().customer(&"c1".parse().unwrap()).await
    }

    async fn create(&self) -> Result<Record, Failure> {
        self.upstream().create_customer(&customer()).await
    }

    /// Requests that came in for paths that end so.
    async fn requests(&self, path_end: &str) -> Vec<wiremock::Request> {
        let requests = self.server.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.url.path().ends_with(path_end)).collect()
    }
}

fn customer() -> NewCustomer {
    NewCustomer {
        first_name: "Zoé".parse().unwrap(),
        last_name: "山田".parse().unwrap(),
        email: "zoe@example.com".parse().unwrap(),
        company_name: None,
        phone: None,
        external_id: None,
    }
}

fn found() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "id": "c1" }))
}

fn token(number: usize, seconds: u64) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(
        json!({ "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": seconds }),
    )
}

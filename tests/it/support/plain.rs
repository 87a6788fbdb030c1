//! An agent that has plain HTTP alone; it holds every answer to the OpenAPI description that it was given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::http_server::{HttpServer, http};
use super::in_time;

/// The agent.
#[derive(Debug)]
pub(crate) struct Plain {
    url: String,
    token: Option<String>,
    pub(crate) description: Value,
    /// The schema of each answer that came, by its place in the description.
    schemas: Mutex<HashMap<String, Arc<Validator>>>,
}

/// An answer that keeps what the description promises.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Plain {
    /// One that shows this token, if any.
    pub(crate) async fn to(server: &HttpServer, token: Option<&str>) -> Self {
        let url = server.url("");
        let plain = Self {
            url,
            token: token.map(str::to_owned),
            description: Value::Null,
            schemas: Mutex::default(),
        };
        let said = in_time(plain.with_token(http().get(server.url("/openapi.json"))).send()).await.unwrap();
        assert_eq!(
            (said.status().as_u16(), &said.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        Self { description: said.json().await.unwrap(), ..plain }
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The request that calls a tool, with nothing in it yet.
    pub(crate) fn post(&self, tool: &str) -> RequestBuilder {
        self.with_token(http().post(format!("{}/v1/tools/{tool}", self.url)))
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, tool: &str, arguments: &Value) -> Answered {
        self.send(tool, self.post(tool).json(arguments)).await
    }

    /// Sends such a request. `tool` is where the description has it.
    pub(crate) async fn send(&self, tool: &str, request: RequestBuilder) -> Answered {
        self.check(tool, in_time(request.send()).await.unwrap()).await
    }

    async fn check(&self, tool: &str, response: Response) -> Answered {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        assert_eq!(headers["content-type"], "application/json");
        let body: Value = in_time(response.json()).await.unwrap();
        let place = format!("/paths/~1v1~1tools~1{tool}/post/responses/{status}");
        let said =
            self.description.pointer(&place).unwrap_or_else(|| panic!("{status} is not described: {body}"));
        let place = match said.get("$ref") {
            Some(place) => place.as_str().unwrap().trim_start_matches('#').to_owned(),
            None => place,
        };
        if let Err(error) = self.schema(&place).validate(&body) {
            panic!("an answer of {status} is not as it was described: {error}\n{body}");
        }
        Answered { status, headers, body }
    }

    fn schema(&self, place: &str) -> Arc<Validator> {
        let mut schemas = self.schemas.lock().unwrap();
        let compile = || {
            let mut whole = self.description.clone();
            whole["$ref"] = json!(format!("#{place}/content/application~1json/schema"));
            Arc::new(jsonschema::draft202012::new(&whole).unwrap())
        };
        Arc::clone(schemas.entry(place.to_owned()).or_insert_with(compile))
    }
}

impl Answered {
    /// The status and the kind of its error.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (
            self.status,
            self.body["error"]["kind"].as_str().unwrap_or_else(|| panic!("no error: {}", self.body)),
        )
    }

    /// The result of a call that went well.
    pub(crate) fn good(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

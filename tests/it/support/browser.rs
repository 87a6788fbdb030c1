//! A person's browser, as far as approval pages need one: it keeps cookies, follows links, presses buttons.

use reqwest::StatusCode;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use url::Url;

use super::in_time;

/// One browser.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    cookies: Vec<String>,
}

/// What a browser got.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Where it is, after redirects.
    pub(crate) address: Url,
}

impl Page {
    /// The token that the page's buttons carry.
    pub(crate) fn token(&self) -> Option<String> {
        let (_, rest) = self.text.split_once(r#"name="token" value=""#)?;
        Some(rest.split('"').next()?.to_owned())
    }
}

impl Browser {
    /// One that has been nowhere yet.
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(Policy::none())
            .build()
            .unwrap();
        Self { client, cookies: Vec::new() }
    }

    /// Opens an address.
    pub(crate) async fn open(&mut self, address: &str) -> Page {
        self.send(self.client.get(address), address).await
    }

    /// Sends a form from a page of this origin.
    pub(crate) async fn submit(&mut self, address: &str, origin: &str, fields: &[(&str, &str)]) -> Page {
        let form: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(address)
            .header("content-type", "application/x-www-form-urlencoded")
            .header(ORIGIN, origin)
            .body(form);
        self.send(request, address).await
    }

    /// Types the code on the page.
    pub(crate) async fn types(&mut self, page: &str, code: &str) -> Page {
        self.submit(&format!("{page}/code"), &origin(page), &[("code", code)]).await
    }

    /// Signs in with a token on the way to this page.
    pub(crate) async fn signs_in(&mut self, page: &str, token: &str) -> Page {
        let to = page.rsplit('/').next().unwrap();
        let form = format!("{}/approvals/sign-in", origin(page));
        self.submit(&form, &origin(&form), &[("to", to), ("token", token)]).await
    }

    /// Presses a button of the page: `approve` or `decline`.
    pub(crate) async fn presses(&mut self, page: &str, decision: &str) -> Page {
        let token = self.open(page).await.token().expect("the page shows its buttons");
        self.submit(page, &origin(page), &[("token", &token), ("decision", decision)]).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder, address: &str) -> Page {
        let mut request = request;
        let mut address = Url::parse(address).unwrap();
        loop {
            let cookies = self.cookies.join("; ");
            let response = in_time(request.header(COOKIE, cookies).send()).await.unwrap();
            let headers = response.headers().clone();
            for cookie in headers.get_all(SET_COOKIE) {
                self.cookies.push(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
            }
            let Some(location) = headers.get(LOCATION) else {
                let status = response.status();
                return Page { status, headers, text: in_time(response.text()).await.unwrap(), address };
            };
            address = address.join(location.to_str().unwrap()).unwrap();
            request = self.client.get(address.clone());
        }
    }
}

/// The origin of an address.
pub(crate) fn origin(address: &str) -> String {
    Url::parse(address).unwrap().origin().ascii_serialization()
}

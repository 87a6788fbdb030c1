//! A request to the upstream, from top to bottom: permit → token → sign → send → read (bounded) → decode, with the
//! retries around it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use url::Url;

use super::attempt::Attempt;
use super::body;
use super::breaker::Admitted;
use super::client::Client;
use super::context::CallContext;
use super::credentials::Bearer;
use super::failure::{Failure, FailureKind, Reach};
use super::retry;
use super::signature::{Signed, Signer};
use super::watched::Watched;
use crate::capability::Operation;

/// How long a request waits for its turn before it is refused.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// What a refused call is told to wait, in seconds.
const BUSY_RETRY_AFTER_SECONDS: u64 = 2;

/// A request as it will go out, again and again where it must.
#[derive(Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) operation: Operation,
    /// The path with its placeholders left standing.
    pub(super) template: &'a str,
    pub(super) method: &'a Method,
    pub(super) url: Url,
    pub(super) body: Option<Bytes>,
}

impl Outgoing<'_> {
    fn is_write(&self) -> bool {
        *self.method != Method::GET
    }

    /// Path and query exactly as they go over the wire.
    fn target(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }
}

impl Client {
    /// Sends a request, again where that is safe, and decodes its answer.
    ///
    /// # Errors
    /// The last [`Failure`], which says how far the request came.
    pub(super) async fn send<T>(
        &self,
        request: &Outgoing<'_>,
        decode: fn(&[u8]) -> Option<T>,
        context: &CallContext,
    ) -> Result<T, Failure> {
        let mut renewed = false;
        let mut attempts = 0;
        let mut resends = 0;
        loop {
            let key = self.signer.as_ref().map(Signer::changes);
            let (failure, used) = match self.attempt(request, resends, decode, context).await {
                Ok(decoded) => return Ok(decoded),
                Err(failed) => failed,
            };
            // Without a token to blame, nothing was sent.
            resends += u32::from(used.is_some());
            if !context.asks_again() {
                return Err(failure);
            }
            // A 401 means that nothing was done, so even a write may go out again, with another token or key.
            if let Some(bearer) = used.filter(|_| failure.status == Some(401) && !renewed)
                && self.renew(&bearer, key)
            {
                renewed = true;
                continue;
            }
            attempts += 1;
            let Some(pause) = retry::pause(&failure, attempts, request.is_write(), &self.retries) else {
                return Err(failure);
            };
            if pause >= context.left() {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Told that the upstream refused a request with this token, signed after so many changes of the key. True where
    /// there is another one of them.
    fn renew(&self, bearer: &Arc<Bearer>, key: Option<u64>) -> bool {
        if let Some(signer) = &self.signer {
            signer.reload();
        }
        let has_other_key = self.signer.as_ref().map(Signer::changes) != key;
        self.tokens.refused(bearer) || has_other_key
    }

    /// One attempt. A failure comes with the token that was sent, where one was.
    async fn attempt<T>(
        &self,
        request: &Outgoing<'_>,
        resends: u32,
        decode: fn(&[u8]) -> Option<T>,
        context: &CallContext,
    ) -> Result<T, (Failure, Option<Arc<Bearer>>)> {
        let attempt = Attempt::new(context.request_id());
        let (_permit, admitted) = self.permit(&attempt, context).await.map_err(|failure| (failure, None))?;
        let bearer = match self.time_for_one(&attempt, context) {
            Ok(timeout) => self.tokens.bearer(&self.token_http, timeout).await,
            Err(failure) => Err(failure),
        };
        let bearer = bearer.map_err(|failure| (attempt.named(failure), None))?;
        // The token may have taken its time.
        let timeout = self.time_for_one(&attempt, context).map_err(|failure| (failure, None))?;
        if request.is_write() {
            may_leave(&attempt, context).map_err(|failure| (failure, None))?;
        }
        context.attempted(&attempt.request_id);
        let watched = Watched::begin(request, resends, &attempt.request_id, context);
        let result = self
            .exchange(&attempt, request, &bearer, timeout, context, &watched)
            .await
            .and_then(|body| decode(&body).ok_or_else(|| attempt.undecodable(context.seen().status)));
        watched.ended(&result);
        if request.is_write() && result.as_ref().is_err_and(|failure| failure.reach == Reach::NotSent) {
            context.write_stayed();
        }
        match &result {
            Ok(_) => {
                self.breaker.succeeded();
                self.retries.succeeded();
            }
            Err(failure) if is_outage(failure) => self.breaker.failed(),
            Err(_) => self.breaker.succeeded(),
        }
        result.map_err(|failure| {
            // A probe in vain is not repeated: the next call is the next probe.
            let is_fail_fast = failure.is_fail_fast || admitted == Admitted::AsProbe;
            (Failure { is_fail_fast, ..failure }, Some(bearer))
        })
    }

    /// Longest time for one request now, within what is left of the call's.
    fn time_for_one(&self, attempt: &Attempt, context: &CallContext) -> Result<Duration, Failure> {
        let timeout = self.timeout.min(context.left());
        if timeout.is_zero() {
            return Err(attempt.not_sent("the time of this call was used up before the request left"));
        }
        Ok(timeout)
    }

    /// A place among the requests of the moment; refused at once while the upstream keeps failing.
    async fn permit(
        &self,
        attempt: &Attempt,
        context: &CallContext,
    ) -> Result<(tokio::sync::SemaphorePermit<'_>, Admitted), Failure> {
        let wait = MAX_WAIT.min(context.left());
        let turn = async {
            let permit = self.permits.acquire().await;
            if let Some(rate) = &self.rate {
                rate.until_ready().await;
            }
            permit
        };
        let Ok(Ok(permit)) = tokio::time::timeout(wait, turn).await else {
            return Err(Failure {
                kind: FailureKind::RateLimited,
                retry_after_seconds: Some(BUSY_RETRY_AFTER_SECONDS),
                ..attempt.not_sent("this server has too many requests to the upstream under way")
            });
        };
        let admitted = self.breaker.admit(context.left()).await.map_err(|wait| Failure {
            retry_after_seconds: Some(wait.as_secs() + 1),
            is_fail_fast: true,
            ..attempt.not_sent("the upstream has failed too often in a row and is asked again in a moment")
        })?;
        Ok((permit, admitted))
    }

    async fn exchange(
        &self,
        attempt: &Attempt,
        request: &Outgoing<'_>,
        bearer: &Bearer,
        timeout: Duration,
        context: &CallContext,
        watched: &Watched,
    ) -> Result<Bytes, Failure> {
        let (http, mut turn) =
            self.pools.turn().map_err(|_| attempt.not_sent("the HTTP client cannot start"))?;
        let mut outgoing = http
            .request(request.method.clone(), request.url.clone())
            .timeout(timeout)
            .header(AUTHORIZATION, bearer.header.clone())
            .header("X-Request-ID", &attempt.request_id);
        if let Some(signer) = &self.signer {
            let signed = Signed {
                method: request.method.as_str(),
                target: &request.target(),
                body: request.body.as_deref(),
                request_id: &attempt.request_id,
                date: SystemTime::now(),
            };
            let headers =
                signer.sign(&signed).ok_or_else(|| attempt.not_sent("the request could not be signed"))?;
            outgoing = outgoing.headers(headers);
        }
        for (name, value) in watched.headers() {
            outgoing = outgoing.header(name, value);
        }
        if let Some(body) = &request.body {
            outgoing = outgoing
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        }
        let response = turn.send(outgoing.send()).await.map_err(|error| attempt.not_answered(&error))?;
        let status = response.status().as_u16();
        context.answered(status);
        watched.answered(status);
        if !response.status().is_success() {
            return Err(attempt.refused(response, bearer).await);
        }
        let body = body::read(response).await.map_err(|error| attempt.unreadable(status, &error))?;
        Ok(body::without_secret(body.freeze(), bearer.token()))
    }
}

/// The last look before a write leaves: after this nobody can call it back.
fn may_leave(attempt: &Attempt, context: &CallContext) -> Result<(), Failure> {
    let (kind, reason) = if context.writes_are_stopped() {
        (FailureKind::Stopped, "the operator has stopped all writes")
    } else if !context.let_write_leave() {
        (FailureKind::GivenUp, "the call was given up before the write left")
    } else {
        return Ok(());
    };
    Err(Failure { kind, ..attempt.not_sent(reason) })
}

/// Whether a failure says that the upstream is not well. A 4xx does not, whatever it means for the call; nor does an
/// answer that cannot be read, which may be that of one odd record; nor does a request that it gave back.
fn is_outage(failure: &Failure) -> bool {
    let answered_well = |status: u16| (200..300).contains(&status) || (400..500).contains(&status);
    let is_well = failure.is_given_back || failure.status.is_some_and(answered_well);
    failure.kind == FailureKind::Unavailable && !is_well
}

//! Who gets in: the bearer token of a request.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::Refusal;
use super::shared::Shared;

/// Lets a request through that carries a token which opens the API.
///
/// # Errors
/// [`Refusal::NoToken`] or [`Refusal::WrongToken`].
pub(super) async fn require_bearer(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let token = credentials(request.headers(), "Bearer").ok_or(Refusal::NoToken)?;
    if !shared.tokens().accept(token, shared.clock.now()) {
        return Err(Refusal::WrongToken);
    }
    Ok(next.run(request).await)
}

/// What follows the scheme in the one `Authorization` header; `None` when it is missing, empty, of another
/// scheme or there twice.
pub(super) fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (named, rest) = value.to_str().ok()?.trim().split_once(' ')?;
    let rest = rest.trim_start();
    (named.eq_ignore_ascii_case(scheme) && !rest.is_empty() && !rest.contains(' ')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        credentials(&headers, "Bearer").map(str::to_owned)
    }

    #[test]
    fn one_token_of_the_right_scheme_is_read() {
        assert_eq!(bearer(&["Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(bearer(&["bearer   abc "]).as_deref(), Some("abc"));
        for bad in [&[][..], &[""], &["Bearer"], &["Bearer "], &["Basic abc"], &["abc"], &["Bearer a b"]] {
            assert_eq!(bearer(bad), None, "{bad:?}");
        }
        assert_eq!(bearer(&["Bearer abc", "Bearer abc"]), None);
        assert_eq!(bearer(&["Bearer é"]), None);
    }
}

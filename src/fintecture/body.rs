//! Reading an answer's body within bounds, and an error's detail out of whatever shape it has.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::text::clean_detail;

/// Largest answer that is read, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Shortest secret that is looked for in what the upstream says: a shorter one would be found in plain words.
const MIN_SECRET_BYTES: usize = 12;

/// Why a body could not be read whole.
pub(super) enum BodyError {
    TooLarge,
    TimedOut,
    Broken,
}

/// Reads a body of at most [`MAX_ANSWER_BYTES`]; memory never grows past that, whatever the headers claim.
pub(super) async fn read(mut response: reqwest::Response) -> Result<BytesMut, BodyError> {
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(BodyError::TooLarge),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(BodyError::TimedOut),
            Err(_) => return Err(BodyError::Broken),
        }
    }
}

/// An answer in which the upstream does not repeat what it was asked with.
pub(super) fn without_secret(body: Bytes, secret: &str) -> Bytes {
    if secret.len() < MIN_SECRET_BYTES {
        return body;
    }
    match std::str::from_utf8(&body) {
        Ok(text) if text.contains(secret) => text.replace(secret, "[secret]").into(),
        _ => body,
    }
}

/// What an error answer says about itself: `errors[].detail|title|code`, `message`, `error_description`,
/// `error` or, where it is plain text, the text. HTML is left out: it is a page for people. A secret that the upstream
/// repeats from the request is blotted out.
pub(super) fn detail(body: &[u8], secrets: &[&str]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let mut said = match serde_json::from_str::<Value>(text) {
        Ok(body) => said_in_json(&body)?,
        Err(_) if text.is_empty() || text.starts_with(['<', '{', '[']) => return None,
        Err(_) => text.to_owned(),
    };
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_SECRET_BYTES) {
        said = said.replace(secret, "[secret]");
    }
    Some(clean_detail(&said)).filter(|detail| !detail.is_empty())
}

fn said_in_json(body: &Value) -> Option<String> {
    let listed: Vec<String> = body
        .get("errors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(said_of_error)
        .collect();
    if !listed.is_empty() {
        return Some(listed.join("; "));
    }
    ["detail", "message", "error_description", "error", "title"]
        .into_iter()
        .find_map(|member| body.get(member).and_then(Value::as_str))
        .or_else(|| body.as_str())
        .map(str::to_owned)
}

/// One entry of `errors`: an object as the SDKs show it, or a bare text.
fn said_of_error(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str() {
        return Some(text.to_owned());
    }
    let member = |name| error.get(name).and_then(Value::as_str).filter(|text: &&str| !text.trim().is_empty());
    let said = ["detail", "message", "title"].into_iter().find_map(member);
    match (member("code"), said) {
        (Some(code), Some(said)) => Some(format!("{code}: {said}")),
        (code, said) => said.or(code).map(str::to_owned),
    }
}

/// A network error without the URL that reqwest puts into it, and with the cause that it leaves out.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    clean_detail(&innermost.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_found_in_every_known_shape() {
        let of = |body: &str| detail(body.as_bytes(), &["a-long-secret"]);
        assert_eq!(
            of(r#"{"errors":[{"status":"422","code":"invalid_iban","title":"Bad","detail":"No such IBAN"},{"title":"Two"}]}"#)
                .unwrap(),
            "invalid_iban: No such IBAN; Two"
        );
        assert_eq!(of(r#"{"errors":[{"code":"x","message":"m"}]}"#).unwrap(), "x: m");
        assert_eq!(of(r#"{"message":"Nope","status":400}"#).unwrap(), "Nope");
        assert_eq!(of(r#"{"error":"invalid_client","error_description":"Wrong id"}"#).unwrap(), "Wrong id");
        assert_eq!(of("slow down\r\nplease").unwrap(), "slow down please");
        assert_eq!(of("\"just text\"").unwrap(), "just text");
        for silent in
            ["", "  ", "<html><h1>502</h1></html>", "{}", "{\"half", "[]", "null", "{\"errors\":[]}"]
        {
            assert_eq!(of(silent), None, "{silent}");
        }
        assert_eq!(detail(&[0xff, 0xfe], &[]), None);
        assert_eq!(of("no such token: Bearer a-long-secret").unwrap(), "no such token: Bearer [secret]");
        assert_eq!(detail(b"a short word", &["a", "short"]).unwrap(), "a short word");
    }
}

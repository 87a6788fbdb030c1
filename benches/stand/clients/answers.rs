//! What a right answer is, on each wire.

use std::borrow::Cow;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::requests::customer_id;

/// The answer to a tool call over JSON-RPC.
#[derive(Deserialize)]
struct Answer<'a> {
    id: u64,
    #[serde(borrow)]
    result: Option<Outcome<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    #[serde(borrow)]
    structured_content: Result<'a>,
    #[serde(borrow)]
    content: Vec<Content<'a>>,
    #[serde(default)]
    is_error: bool,
}

#[derive(Deserialize)]
struct Content<'a> {
    /// Of links there is none.
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

/// The result of a call: what REST answers with, too.
#[derive(Deserialize)]
struct Result<'a> {
    #[serde(borrow)]
    environment: Cow<'a, str>,
    #[serde(borrow)]
    customer: Option<Customer<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// The passthrough's answer.
#[derive(Deserialize)]
struct Passed<'a> {
    id: u64,
    #[serde(borrow)]
    result: Customer<'a>,
}

/// The number of the call that this answers, over JSON-RPC; everything else about it is right.
pub fn call(body: &[u8]) -> anyhow::Result<u64> {
    let check = || {
        let answer: Answer = serde_json::from_slice(body)?;
        let outcome = answer.result.context("it has no result")?;
        ensure!(!outcome.is_error, "it is an error");
        result(&outcome.structured_content, answer.id)?;
        let wanted = customer_id(answer.id);
        let told = outcome.content.first().is_some_and(|content| content.text.contains(&wanted));
        ensure!(told, "its text is about another customer");
        Ok(answer.id)
    };
    check().with_context(|| shown(body))
}

/// Fails where this is not the answer of REST to this call.
pub fn rest(body: &[u8], number: u64) -> anyhow::Result<()> {
    let check = || result(&serde_json::from_slice(body)?, number);
    check().with_context(|| shown(body))
}

/// Fails where this is not the passthrough's answer to this call.
pub fn passed(body: &[u8], number: u64) -> anyhow::Result<()> {
    let check = || {
        let answer: Passed = serde_json::from_slice(body)?;
        ensure!(answer.id == number, "it answers another call");
        about(&answer.result, number)
    };
    check().with_context(|| shown(body))
}

/// Fails where this is not the upstream's own answer about the customer of this call.
pub fn bare(body: &[u8], number: u64) -> anyhow::Result<()> {
    let check = || about(&serde_json::from_slice(body)?, number);
    check().with_context(|| shown(body))
}

/// The one message in the body of an answer: the body itself, or the data of its one event. Events without data, which
/// keep a stream alive or say where to go on, mean nothing here.
pub fn data(events: &[u8]) -> anyhow::Result<&[u8]> {
    if events.first() == Some(&b'{') {
        return Ok(events);
    }
    let lines = events.split(|&byte| byte == b'\n');
    let mut data =
        lines.filter_map(|line| line.strip_prefix(b"data:")).filter(|data| !data.trim_ascii().is_empty());
    match (data.next(), data.next()) {
        (Some(data), None) => Ok(data),
        _ => bail!("not one message in {}", shown(events)),
    }
}

fn result(result: &Result, number: u64) -> anyhow::Result<()> {
    ensure!(result.error.is_none(), "it is an error");
    ensure!(result.environment == "sandbox", "it is of another environment");
    about(result.customer.as_ref().context("it has no customer")?, number)
}

fn about(customer: &Customer, number: u64) -> anyhow::Result<()> {
    ensure!(customer.id == customer_id(number), "it is about another customer");
    Ok(())
}

fn shown(body: &[u8]) -> String {
    format!("a wrong answer: {}", String::from_utf8_lossy(body))
}

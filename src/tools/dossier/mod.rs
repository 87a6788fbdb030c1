//! The dossier: everything that the upstream has on one customer, side by side, for a person who decides.
//!
//! Three reads make one JSON object, and the Markdown for people is made of that object alone:
//!
//! | member | holds |
//! |---|---|
//! | `customer_id`, `environment` | who was asked for, and where: the dossier may be read without its envelope |
//! | `customer`, `bank_accounts`, `verifications` | the records as the upstream sent them, unknown fields included |
//! | `beside` | what the upstream sent beside the records of a list (`meta`, `links`), where it did |
//! | `name_comparisons` | each account's holder against each name of the customer (see `names`) |
//! | `contradictions`, `gaps` | what does not go together and what is not there (see `findings`): `code`, `message`, `ids` |
//! | `not_checked` | what nothing here proves |
//! | `sources` | for each member read: its operation, and `read_at`, when the answer was there |
//!
//! There is no verdict, no overall status and no score of our own: nothing that the records do not carry. Texts
//! of the upstream are data; no sentence of ours quotes one. It does not know whether its result is masked.

mod comparisons;
mod findings;
mod markdown;
mod names;
mod records;
mod vocabulary;
mod words;

use futures_util::future::join3;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub use markdown::markdown;

use super::error::{Context, ToolError};
use super::output::Fields;
use crate::capability::Operation;
use crate::domain::{CustomerId, Environment};
use crate::fintecture::{Failure, Listing, Record, Upstream};
use findings::Facts;
use records::List;

/// What a dossier reads, in the order in which it names them.
pub(super) const OPERATIONS: [Operation; 3] = [
    Operation::GetCustomerById,
    Operation::ListAllCustomerBankAccounts,
    Operation::ListAllCustomerVerifications,
];

/// The members that those operations fill.
const MEMBERS: [&str; 3] = ["customer", "bank_accounts", "verifications"];

/// What nothing in a dossier proves.
pub(super) const NOT_CHECKED: &str = "Not checked: documents, sanctions lists and ownership (of the account or of a company). A verification is a \
     name match by account information and nothing else. match_score is passed on as the upstream gives it: no \
     range and no pass mark is documented. The API documents no account, no expected name and no start time in a \
     verification: unless a record here says it itself, it is not known which account or which name was checked, \
     or which verification is the latest. Nor does it document what the field verified of a bank account means. Names were compared as texts: equal names do not prove one person, different ones not two.";

/// An answer, and when it was there.
struct Read<T> {
    answer: T,
    at: Timestamp,
}

/// Reads and puts together.
///
/// # Errors
/// The failure of a read fails the whole: a dossier with a hole could be taken for one that says there is
/// nothing. Of several failures the first in the order of [`OPERATIONS`] is told, whichever came first.
pub(super) async fn read(
    customer_id: &CustomerId,
    upstream: Upstream<'_>,
    environment: Environment,
) -> Result<Fields, ToolError> {
    let (customer, accounts, verifications) = join3(
        timed(upstream.customer(customer_id)),
        timed(upstream.list_bank_accounts(customer_id)),
        timed(upstream.list_verifications(customer_id)),
    )
    .await;
    let [customer_read, accounts_read, verifications_read] = OPERATIONS;
    let customer = told(customer, customer_read)?;
    let accounts = told(accounts, accounts_read)?;
    let verifications = told(verifications, verifications_read)?;
    let dossier = assemble(customer_id.as_str(), environment, customer, accounts, verifications);
    Ok(Map::from_iter([("dossier".to_owned(), Value::Object(dossier))]))
}

async fn timed<T>(read: impl Future<Output = Result<T, Failure>>) -> Result<Read<T>, Failure> {
    let answer = read.await?;
    Ok(Read { answer, at: Timestamp::now() })
}

fn told<T>(read: Result<Read<T>, Failure>, operation: Operation) -> Result<Read<T>, ToolError> {
    read.map_err(|failure| {
        let mut error = ToolError::upstream(failure, Context::Customer);
        error.add_hint(&format!(
            "{operation} failed, and a dossier is given whole or not at all: what is missing could be taken for \
             what does not exist."
        ));
        error
    })
}

fn assemble(
    asked: &str,
    environment: Environment,
    customer: Read<Record>,
    accounts: Read<Listing>,
    verifications: Read<Listing>,
) -> Map<String, Value> {
    let times = [customer.at, accounts.at, verifications.at];
    let customer = customer.answer.into_fields();
    let accounts = List::new(accounts.answer);
    let verifications = List::new(verifications.answer);
    let compared = comparisons::compare(&customer, &accounts.records);
    let findings = findings::find(&Facts {
        asked,
        customer: &customer,
        accounts: &accounts,
        verifications: &verifications,
        nearest: &comparisons::nearest(&compared),
        read_at: times.into_iter().max().unwrap_or_default(),
    });
    let sources = OPERATIONS.iter().zip(MEMBERS).zip(times).map(|((operation, member), at)| {
        json!({"member": member, "operation": operation.id(), "read_at": format!("{at:.3}")})
    });
    let beside: Map<String, Value> = [("bank_accounts", &accounts), ("verifications", &verifications)]
        .into_iter()
        .filter(|(_, list)| !list.beside.is_empty())
        .map(|(member, list)| (member.to_owned(), Value::Object(list.beside.clone())))
        .collect();
    let mut dossier = Map::from_iter([
        ("customer_id".to_owned(), json!(asked)),
        ("environment".to_owned(), json!(environment.as_str())),
        ("contradictions".to_owned(), findings.contradictions()),
        ("gaps".to_owned(), findings.gaps()),
        ("not_checked".to_owned(), json!(NOT_CHECKED)),
        ("name_comparisons".to_owned(), compared.iter().map(comparisons::Compared::to_json).collect()),
        ("sources".to_owned(), sources.collect()),
        ("customer".to_owned(), Value::Object(customer)),
        ("bank_accounts".to_owned(), accounts.records.into_iter().map(Value::Object).collect()),
        ("verifications".to_owned(), verifications.records.into_iter().map(Value::Object).collect()),
    ]);
    if !beside.is_empty() {
        dossier.insert("beside".to_owned(), Value::Object(beside));
    }
    dossier
}

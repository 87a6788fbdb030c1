//! What goes over the wire, as the API description has it.
//!
//! These types are the simulator's own. Absent optional fields are left out, never null: the description has
//! no nullable field. Requests are not here: `request` reads them field by field, to name every problem at once.

use jiff::Timestamp;
use serde::Serialize;

/// `Customer`.
#[derive(Clone, Serialize)]
pub(super) struct Customer {
    pub(super) id: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) company_name: Option<String>,
    pub(super) email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_id: Option<String>,
    pub(super) created_at: Timestamp,
}

/// The address of a `Customer`. It cannot be created over the API: only seeded customers have one.
#[derive(Clone, Serialize)]
pub(super) struct Address {
    pub(super) line1: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line2: Option<&'static str>,
    pub(super) postal_code: &'static str,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
}

/// `CustomerList`.
#[derive(Serialize)]
pub(super) struct CustomerList {
    pub(super) data: Vec<Customer>,
    pub(super) meta: Meta,
}

/// The `meta` of a `CustomerList`.
#[derive(Serialize)]
pub(super) struct Meta {
    /// All customers that match, on whatever page.
    pub(super) count: usize,
}

/// A list that comes whole.
#[derive(Serialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
}

/// `CustomerBankAccount`.
#[derive(Serialize)]
pub(super) struct BankAccount {
    pub(super) id: String,
    pub(super) iban: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bic: Option<String>,
    pub(super) holder_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    pub(super) verified: bool,
}

/// `CustomerVerification`.
#[derive(Serialize)]
pub(super) struct Verification {
    pub(super) id: String,
    pub(super) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) match_score: Option<f64>,
    pub(super) provider_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verified_at: Option<Timestamp>,
}

/// The `status` of a `CustomerVerification`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Pending,
    Verified,
    Unverified,
    Failed,
}

/// The answer of the token endpoint.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 6749, section 5.1")]
pub(super) struct AccessToken {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    /// Seconds.
    pub(super) expires_in: i64,
    pub(super) scope: String,
}

/// Every refusal.
#[derive(Serialize)]
pub(super) struct Errors {
    pub(super) errors: Vec<OneError>,
}

/// One reason of a refusal.
#[derive(Serialize)]
pub(super) struct OneError {
    /// The HTTP status, as text.
    pub(super) status: String,
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: String,
}

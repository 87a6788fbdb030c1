//! The nine operations as typed calls. Method and path come from the capability files.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::client::Client;
use super::context::CallContext;
use super::decode;
use super::failure::Failure;
use super::models::{Listing, Record};
use super::sending::Outgoing;
use crate::capability::{Capabilities, Operation};
use crate::domain::{
    AccountId, Bic, Currency, CustomerId, Email, ExternalId, Iban, Name, PageNumber, PageSize, Phone,
    ProviderId, VerificationId,
};

/// Which customers to list. The upstream may ignore `external_id`, which its contract does not declare.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    /// Goes out as `page[number]`.
    pub page: Option<PageNumber>,
    /// Goes out as `page[size]`.
    pub page_size: Option<PageSize>,
    /// Goes out as `external_id`.
    pub external_id: Option<ExternalId>,
}

/// A customer to register.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the OpenAPI")]
pub struct NewCustomer {
    pub first_name: Name,
    pub last_name: Name,
    pub email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

/// A bank account to attach to a customer.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the OpenAPI")]
pub struct NewBankAccount {
    pub iban: Iban,
    pub holder_name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bic: Option<Bic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// An identity verification to start.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of the OpenAPI")]
pub struct NewVerification {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_name: Option<Name>,
}

/// The upstream with its operations: a connection and the routes of the capability files.
#[derive(Debug)]
pub struct Fintecture {
    client: Client,
    capabilities: Arc<Capabilities>,
}

impl Fintecture {
    /// Joins a connection with the routes to use on it.
    #[must_use]
    pub fn new(client: Client, capabilities: Arc<Capabilities>) -> Self {
        Self { client, capabilities }
    }

    /// The operations, in the name of one tool call.
    #[must_use]
    pub fn on_behalf_of<'a>(&'a self, context: &'a CallContext) -> Upstream<'a> {
        Upstream { fintecture: self, context }
    }

    /// The connection.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads secrets that live in files again.
    pub fn reload_secrets(&self) {
        self.client.reload_secrets();
    }
}

/// The nine operations, as one tool call uses them: within its time, and on its record.
#[derive(Debug, Clone, Copy)]
pub struct Upstream<'a> {
    fintecture: &'a Fintecture,
    context: &'a CallContext,
}

type Path<'a> = &'a [(&'a str, &'a str)];

#[expect(clippy::missing_errors_doc, reason = "every operation fails with a Failure, which documents itself")]
impl Upstream<'_> {
    /// How much time the call has left.
    #[must_use]
    pub fn time_left(&self) -> std::time::Duration {
        self.context.left()
    }

    /// `listAllCustomers`
    pub async fn list_customers(&self, filter: &CustomerFilter) -> Result<Listing, Failure> {
        let page = filter.page.map(|page| page.get().to_string());
        let size = filter.page_size.map(|size| size.get().to_string());
        let query: Vec<(&str, &str)> = [
            ("page[number]", page.as_deref()),
            ("page[size]", size.as_deref()),
            ("external_id", filter.external_id.as_ref().map(ExternalId::as_str)),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect();
        self.read(Operation::ListAllCustomers, &[], &query, decode::listing).await
    }

    /// `createCustomer`
    pub async fn create_customer(&self, customer: &NewCustomer) -> Result<Record, Failure> {
        self.write(Operation::CreateCustomer, &[], customer).await
    }

    /// `getCustomerById`
    pub async fn customer(&self, customer: &CustomerId) -> Result<Record, Failure> {
        let path = [("customer_id", customer.as_str())];
        self.read(Operation::GetCustomerById, &path, &[], decode::record).await
    }

    /// `listAllCustomerBankAccounts`
    pub async fn list_bank_accounts(&self, customer: &CustomerId) -> Result<Listing, Failure> {
        let path = [("customer_id", customer.as_str())];
        self.read(Operation::ListAllCustomerBankAccounts, &path, &[], decode::listing).await
    }

    /// `createCustomerBankAccount`
    pub async fn create_bank_account(
        &self,
        customer: &CustomerId,
        account: &NewBankAccount,
    ) -> Result<Record, Failure> {
        self.write(Operation::CreateCustomerBankAccount, &[("customer_id", customer.as_str())], account).await
    }

    /// `getBankAccountById`
    pub async fn bank_account(&self, customer: &CustomerId, account: &AccountId) -> Result<Record, Failure> {
        let path = [("customer_id", customer.as_str()), ("account_id", account.as_str())];
        self.read(Operation::GetBankAccountById, &path, &[], decode::record).await
    }

    /// `initiateCustomerVerification`
    pub async fn start_verification(
        &self,
        customer: &CustomerId,
        check: &NewVerification,
    ) -> Result<Record, Failure> {
        self.write(Operation::InitiateCustomerVerification, &[("customer_id", customer.as_str())], check)
            .await
    }

    /// `listAllCustomerVerifications`
    pub async fn list_verifications(&self, customer: &CustomerId) -> Result<Listing, Failure> {
        let path = [("customer_id", customer.as_str())];
        self.read(Operation::ListAllCustomerVerifications, &path, &[], decode::listing).await
    }

    /// `getCustomerVerificationById`
    pub async fn verification(
        &self,
        customer: &CustomerId,
        verification: &VerificationId,
    ) -> Result<Record, Failure> {
        let path = [("customer_id", customer.as_str()), ("verification_id", verification.as_str())];
        self.read(Operation::GetCustomerVerificationById, &path, &[], decode::record).await
    }

    async fn read<T>(
        &self,
        operation: Operation,
        path: Path<'_>,
        query: &[(&str, &str)],
        decode: fn(&[u8]) -> Option<T>,
    ) -> Result<T, Failure> {
        self.send(operation, path, query, None, decode).await
    }

    async fn write(
        &self,
        operation: Operation,
        path: Path<'_>,
        body: &impl Serialize,
    ) -> Result<Record, Failure> {
        // These bodies are plain structs of texts, which serialize without fail; an empty body would be refused.
        let body = serde_json::to_vec(body).unwrap_or_default();
        self.send(operation, path, &[], Some(body.into()), decode::record).await
    }

    async fn send<T>(
        &self,
        operation: Operation,
        path: Path<'_>,
        query: &[(&str, &str)],
        body: Option<Bytes>,
        decode: fn(&[u8]) -> Option<T>,
    ) -> Result<T, Failure> {
        let Fintecture { client, capabilities } = self.fintecture;
        let route = capabilities.route(operation);
        let outgoing = Outgoing {
            operation,
            template: route.template(),
            method: &route.method,
            url: client.url(&route.path(path), query),
            body,
        };
        client.send(&outgoing, decode, self.context).await
    }
}

//! The nine operations of the API description, named by their operation ids.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::operation::Operation;
use super::paging::CustomerQuery;
use super::record::{Effect, RequestId};
use super::records::{NewAccount, NewCustomer, NewVerification};
use super::refusal::Refusal;
use super::request::{Fields, Ids};
use super::shared::Shared;
use super::wire::{BankAccount, Customer, CustomerList, List, Meta, Verification};

type Answer<T> = Result<Json<T>, Refusal>;
type Created<T> = Result<(StatusCode, Json<T>), Refusal>;
type World = State<Arc<Shared>>;

pub(super) async fn list_all_customers(State(shared): World, query: CustomerQuery) -> Json<CustomerList> {
    let store = shared.store();
    let matching = store.customers(query.external_id.as_deref());
    let meta = Meta { count: matching.len() };
    Json(CustomerList { data: query.page_of(matching.into_iter().cloned()).collect(), meta })
}

pub(super) async fn create_customer(
    State(shared): World,
    RequestId(request_id): RequestId,
    mut fields: Fields,
) -> Created<Customer> {
    let new = NewCustomer {
        first_name: fields.required("first_name"),
        last_name: fields.required("last_name"),
        company_name: fields.optional("company_name"),
        email: fields.required_email("email"),
        phone: fields.optional("phone"),
        external_id: fields.optional("external_id"),
    };
    fields.finish()?;
    let mut store = shared.store();
    let customer = store.create_customer(new, shared.clock.now())?;
    // Still under the lock of the store, so that effects stand in the order of the records. So do the next two.
    let (id, external_id) = (customer.id.clone(), customer.external_id.clone());
    let effect = Effect { operation: Operation::CreateCustomer, id, request_id, external_id };
    shared.record.took_effect(effect);
    Ok((StatusCode::CREATED, Json(customer)))
}

pub(super) async fn get_customer_by_id(State(shared): World, Ids(id): Ids<String>) -> Answer<Customer> {
    Ok(Json(shared.store().customer(&id)?.details.clone()))
}

pub(super) async fn list_all_customer_bank_accounts(
    State(shared): World,
    Ids(id): Ids<String>,
) -> Answer<List<BankAccount>> {
    let now = shared.clock.now();
    let data = shared.store().customer(&id)?.accounts.iter().map(|account| account.at(now)).collect();
    Ok(Json(List { data }))
}

pub(super) async fn create_customer_bank_account(
    State(shared): World,
    Ids(id): Ids<String>,
    RequestId(request_id): RequestId,
    mut fields: Fields,
) -> Created<BankAccount> {
    let new = NewAccount {
        iban: fields.required("iban"),
        bic: fields.optional("bic"),
        holder_name: fields.required("holder_name"),
        currency: fields.optional("currency"),
    };
    fields.finish()?;
    let mut store = shared.store();
    let account = store.create_account(&id, new, shared.clock.now())?;
    let operation = Operation::CreateCustomerBankAccount;
    let effect = Effect { operation, id: account.id.clone(), request_id, external_id: None };
    shared.record.took_effect(effect);
    Ok((StatusCode::CREATED, Json(account)))
}

pub(super) async fn get_bank_account_by_id(
    State(shared): World,
    Ids((customer_id, account_id)): Ids<(String, String)>,
) -> Answer<BankAccount> {
    let store = shared.store();
    let accounts = &store.customer(&customer_id)?.accounts;
    let found = accounts.iter().find(|account| account.id == account_id);
    let account = found.ok_or(Refusal::NotFound("bank account of this customer"))?;
    Ok(Json(account.at(shared.clock.now())))
}

pub(super) async fn initiate_customer_verification(
    State(shared): World,
    Ids(id): Ids<String>,
    RequestId(request_id): RequestId,
    mut fields: Fields,
) -> Created<Verification> {
    let new = NewVerification {
        provider_id: fields.optional("provider_id"),
        expected_name: fields.optional("expected_name"),
    };
    fields.finish()?;
    let mut store = shared.store();
    let verification = store.create_verification(&id, new, shared.clock.now())?;
    let operation = Operation::InitiateCustomerVerification;
    let effect = Effect { operation, id: verification.id.clone(), request_id, external_id: None };
    shared.record.took_effect(effect);
    Ok((StatusCode::CREATED, Json(verification)))
}

pub(super) async fn list_all_customer_verifications(
    State(shared): World,
    Ids(id): Ids<String>,
) -> Answer<List<Verification>> {
    let now = shared.clock.now();
    let store = shared.store();
    let verifications = &store.customer(&id)?.verifications;
    Ok(Json(List { data: verifications.iter().map(|verification| verification.at(now)).collect() }))
}

pub(super) async fn get_customer_verification_by_id(
    State(shared): World,
    Ids((customer_id, verification_id)): Ids<(String, String)>,
) -> Answer<Verification> {
    let store = shared.store();
    let verifications = &store.customer(&customer_id)?.verifications;
    let found = verifications.iter().find(|verification| verification.id == verification_id);
    let verification = found.ok_or(Refusal::NotFound("verification of this customer"))?;
    Ok(Json(verification.at(shared.clock.now())))
}

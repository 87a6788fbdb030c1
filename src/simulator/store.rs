//! The memory: customers in order of creation, found by id, never dropped. Knows nothing of HTTP.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::records::{Account, Customer, NewAccount, NewCustomer, NewVerification};
use super::refusal::Refusal;
use super::wire;

/// Most customers, accounts and verifications that are kept, all together.
pub const MAX_RECORDS: usize = 200_000;
/// Most accounts of a customer, and as many verifications: their lists come whole.
pub const MAX_RECORDS_PER_CUSTOMER: usize = 10_000;
/// Most text that is kept, in bytes: a single name may fill a body.
pub const MAX_TEXT_BYTES: usize = 256 << 20;

/// All that the simulator remembers.
pub(super) struct Store {
    customers: Vec<Customer>,
    /// Where in `customers` an id stands. Places never change, since nothing is removed.
    places: HashMap<String, usize>,
    by_external_id: HashMap<String, Vec<usize>>,
    room: Room,
}

/// How much may still be kept.
struct Room {
    records: usize,
    text_bytes: usize,
}

impl Room {
    /// Takes the room of one record with these texts.
    fn take<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Refusal> {
        let bytes = texts.into_iter().map(str::len).sum();
        let left = (self.records.checked_sub(1), self.text_bytes.checked_sub(bytes));
        let (Some(records), Some(text_bytes)) = left else { return Err(Refusal::Full) };
        *self = Self { records, text_bytes };
        Ok(())
    }
}

impl Store {
    /// A store that holds these customers.
    pub(super) fn new(seeds: impl IntoIterator<Item = Customer>) -> Self {
        let room = Room { records: MAX_RECORDS, text_bytes: MAX_TEXT_BYTES };
        let mut store =
            Self { customers: Vec::new(), places: HashMap::new(), by_external_id: HashMap::new(), room };
        for customer in seeds {
            store.insert(customer);
        }
        store
    }

    fn insert(&mut self, customer: Customer) {
        let place = self.customers.len();
        self.places.insert(customer.details.id.clone(), place);
        if let Some(external_id) = &customer.details.external_id {
            self.by_external_id.entry(external_id.clone()).or_default().push(place);
        }
        self.customers.push(customer);
    }

    /// Customers in order of creation: all, or those with exactly this external id.
    pub(super) fn customers(&self, external_id: Option<&str>) -> Vec<&wire::Customer> {
        let matching: Vec<&Customer> = match external_id {
            None => self.customers.iter().collect(),
            Some(external_id) => {
                let places = self.by_external_id.get(external_id).map_or(&[][..], Vec::as_slice);
                places.iter().filter_map(|place| self.customers.get(*place)).collect()
            }
        };
        matching.into_iter().map(|customer| &customer.details).collect()
    }

    /// One customer.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub(super) fn customer(&self, id: &str) -> Result<&Customer, Refusal> {
        let place = self.places.get(id).copied();
        place.and_then(|place| self.customers.get(place)).ok_or(Refusal::NotFound("customer"))
    }

    fn customer_mut(&mut self, id: &str) -> Result<&mut Customer, Refusal> {
        let place = self.places.get(id).copied();
        place.and_then(|place| self.customers.get_mut(place)).ok_or(Refusal::NotFound("customer"))
    }

    /// Adds a customer.
    ///
    /// # Errors
    /// [`Refusal::Full`].
    pub(super) fn create_customer(
        &mut self,
        new: NewCustomer,
        now: Timestamp,
    ) -> Result<wire::Customer, Refusal> {
        let NewCustomer { first_name, last_name, company_name, email, phone, external_id } = new;
        let optional = [&company_name, &phone, &external_id].into_iter().filter_map(Option::as_deref);
        self.room.take([&*first_name, &*last_name, &*email].into_iter().chain(optional))?;
        let details = wire::Customer {
            id: new_id("cus"),
            first_name,
            last_name,
            company_name,
            email,
            phone,
            address: None,
            external_id,
            created_at: now,
        };
        self.insert(Customer { details: details.clone(), accounts: Vec::new(), verifications: Vec::new() });
        Ok(details)
    }

    /// Attaches a bank account.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] or [`Refusal::Full`].
    pub(super) fn create_account(
        &mut self,
        customer_id: &str,
        new: NewAccount,
        now: Timestamp,
    ) -> Result<wire::BankAccount, Refusal> {
        if self.customer(customer_id)?.accounts.len() >= MAX_RECORDS_PER_CUSTOMER {
            return Err(Refusal::Full);
        }
        let optional = [&new.bic, &new.currency].into_iter().filter_map(Option::as_deref);
        self.room.take([&*new.iban, &*new.holder_name].into_iter().chain(optional))?;
        let account = Account { id: new_id("acc"), details: new, verified_from: None };
        let seen = account.at(now);
        self.customer_mut(customer_id)?.accounts.push(account);
        Ok(seen)
    }

    /// Starts a verification.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] or [`Refusal::Full`].
    pub(super) fn create_verification(
        &mut self,
        customer_id: &str,
        new: NewVerification,
        now: Timestamp,
    ) -> Result<wire::Verification, Refusal> {
        if self.customer(customer_id)?.verifications.len() >= MAX_RECORDS_PER_CUSTOMER {
            return Err(Refusal::Full);
        }
        self.room.take(new.provider_id.as_deref())?;
        Ok(self.customer_mut(customer_id)?.verify(new_id("ver"), new, now))
    }
}

/// An id that no other record has. The prefix says to every reader that it is made up.
fn new_id(kind: &str) -> String {
    format!("sim_{kind}_{}", Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(first_name: &str) -> NewCustomer {
        NewCustomer {
            first_name: first_name.to_owned(),
            last_name: String::new(),
            company_name: None,
            email: String::new(),
            phone: None,
            external_id: Some("twice".to_owned()),
        }
    }

    #[test]
    fn a_full_store_refuses_and_keeps_what_it_has() {
        let mut store = Store::new([]);
        store.room = Room { records: 2, text_bytes: 100 };
        let too_long = "x".repeat(101);
        assert!(matches!(store.create_customer(named(&too_long), Timestamp::UNIX_EPOCH), Err(Refusal::Full)));
        for name in ["one", "two"] {
            store.create_customer(named(name), Timestamp::UNIX_EPOCH).unwrap();
        }
        assert!(matches!(store.create_customer(named("three"), Timestamp::UNIX_EPOCH), Err(Refusal::Full)));
        let kept: Vec<_> = store.customers(Some("twice")).iter().map(|one| one.first_name.as_str()).collect();
        assert_eq!(kept, ["one", "two"]);
    }

    #[test]
    fn a_customer_has_only_so_many_verifications() {
        let mut store = Store::new([]);
        let id = store.create_customer(named("one"), Timestamp::UNIX_EPOCH).unwrap().id;
        let mut verify = || {
            let new = NewVerification { provider_id: None, expected_name: None };
            store.create_verification(&id, new, Timestamp::UNIX_EPOCH).map(|_| ())
        };
        for _ in 0..MAX_RECORDS_PER_CUSTOMER {
            verify().unwrap();
        }
        assert_eq!(verify(), Err(Refusal::Full));
    }
}

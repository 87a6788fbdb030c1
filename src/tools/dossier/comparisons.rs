//! Each account's holder against each name that the customer has.

use serde_json::{Map, Value, json};

use super::names::{self, Comparison, Form, Kind, Outcome};
use super::records::{Fields, own_id, text};

/// One comparison of a dossier.
pub(super) struct Compared {
    /// Place of the account in its list: an id may be there twice.
    pub(super) account: usize,
    pub(super) account_id: String,
    pub(super) holder: Option<String>,
    pub(super) customer: Option<String>,
    pub(super) kind: Kind,
    pub(super) comparison: Comparison,
}

/// A customer's names: as a person, as a company; an absent one as a person where there is neither.
fn names_of(customer: &Fields) -> Vec<(Kind, Option<String>)> {
    let parts: Vec<&str> =
        ["first_name", "last_name"].into_iter().filter_map(|field| text(customer, field)).collect();
    let person = (!parts.is_empty()).then(|| (Kind::Person, Some(parts.join(" "))));
    let company = text(customer, "company_name").map(|name| (Kind::Company, Some(name.to_owned())));
    let names: Vec<_> = person.into_iter().chain(company).collect();
    if names.is_empty() { vec![(Kind::Person, None)] } else { names }
}

/// Compares every holder with every name.
pub(super) fn compare(customer: &Fields, accounts: &[Fields]) -> Vec<Compared> {
    let names = names_of(customer);
    let one = |place: usize, account: &Fields, kind: Kind, name: &Option<String>| {
        let holder = text(account, "holder_name");
        let comparison =
            names::compare(holder.unwrap_or_default(), name.as_deref().unwrap_or_default(), kind);
        Compared {
            account: place,
            account_id: own_id(account),
            holder: holder.map(str::to_owned),
            customer: name.clone(),
            kind,
            comparison,
        }
    };
    let mut compared = Vec::new();
    for (place, account) in accounts.iter().enumerate() {
        compared.extend(names.iter().map(|(kind, name)| one(place, account, *kind, name)));
    }
    compared
}

/// The nearest comparison of each account, over all names of the customer, in the order of the accounts.
pub(super) fn nearest(compared: &[Compared]) -> Vec<&Compared> {
    let of_one_account = compared.chunk_by(|one, next| one.account == next.account);
    of_one_account.filter_map(|group| group.iter().max_by_key(|one| one.comparison.outcome)).collect()
}

impl Compared {
    pub(super) fn is(&self, outcome: Outcome) -> bool {
        self.comparison.outcome == outcome
    }

    pub(super) fn to_json(&self) -> Value {
        let mut entry = Map::from_iter([("account_id".to_owned(), json!(self.account_id))]);
        if let Some(holder) = &self.holder {
            entry.insert("holder_name".to_owned(), json!(holder));
        }
        let field = match self.kind {
            Kind::Person => "first_name and last_name",
            Kind::Company => "company_name",
        };
        if let Some(customer) = &self.customer {
            entry.insert("customer_name".to_owned(), json!(customer));
        }
        entry.insert("customer_field".to_owned(), json!(field));
        entry.insert("result".to_owned(), json!(self.comparison.outcome.as_str()));
        if let Some(why) = self.comparison.why {
            entry.insert("why".to_owned(), json!(why.as_str()));
        }
        if let Some([holder, customer]) = &self.comparison.forms {
            entry.insert(
                "normalised".to_owned(),
                json!({"holder": holder.spellings, "customer": customer.spellings}),
            );
            let aside = |form: &Form| !form.set_aside.is_empty();
            if aside(holder) || aside(customer) {
                entry.insert(
                    "set_aside".to_owned(),
                    json!({"holder": holder.set_aside, "customer": customer.set_aside}),
                );
            }
        }
        Value::Object(entry)
    }
}

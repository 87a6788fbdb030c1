//! The customers that are there from the start. They are listed in the simulator's own documentation.

use jiff::Timestamp;

use super::records::{Account, Customer, NewAccount, Verification};
use super::verdict::{Verdict, provider};
use super::wire::{self, Address};

/// When the first seeded customer was created: 2026-01-05T09:00:00Z, in seconds since 1970.
const FIRST_CREATED: i64 = 1_767_603_600;
const DAY: i64 = 86_400;

/// The seeded customers, a day apart, the same in every run.
pub(super) fn customers() -> Vec<Customer> {
    let mut oscar = customer(6, "oscar", ["Oscar", "Nilsen"], None);
    oscar.accounts = vec![Account {
        verified_from: Some(day(8)),
        ..account("oscar", "NO9386011117947", "DNBANOKK", "Oscar Nilsen", "NOK")
    }];
    oscar.verifications = oscars_verifications();
    let mut seeds = vec![
        with_account(
            customer(1, "ada", ["Ada", "Byron"], None),
            account("ada", "FR7630006000011234567890189", "AGRIFRPP", "Ada Byron", "EUR"),
        ),
        with_account(
            customer(2, "charles", ["Charles", "Babbage"], None),
            account("charles", "DE89370400440532013000", "COBADEFF", "Georgiana Whitmore", "EUR"),
        ),
        with_account(
            customer(3, "engines", ["Luigi", "Menabrea"], Some("Analytical Engines SARL")),
            account("engines", "FR1420041010050500013M02606", "PSSTFRPP", "Analytical Engines SARL", "EUR"),
        ),
        with_account(
            customer(4, "zoe", ["Zoé", "Müller-Lefèvre"], None),
            account("zoe", "GB82WEST12345698765432", "WESTGB2L", "LEFEVRE MULLER ZOE", "GBP"),
        ),
        customer(5, "noor", ["Noor", "Haddad"], None),
        oscar,
    ];
    if let Some(ada) = seeds.first_mut() {
        ada.details.phone = Some("+33612345678".to_owned());
        ada.details.address = Some(Address {
            line1: "12 rue des Archives",
            line2: None,
            postal_code: "75004",
            city: "Paris",
            country: "FR",
        });
    }
    seeds
}

/// One of each status, oldest first.
fn oscars_verifications() -> Vec<Verification> {
    [
        ("failed", provider::FAILED, Verdict::Failed),
        ("unverified", provider::INSTANT, Verdict::Decided { at: day(7), score: 0.48 }),
        ("verified", provider::INSTANT, Verdict::Decided { at: day(8), score: 1.0 }),
        ("pending", provider::NEVER, Verdict::Never),
    ]
    .map(|(name, provider_id, verdict)| Verification {
        id: format!("sim_ver_oscar_{name}"),
        provider_id: provider_id.to_owned(),
        verdict,
    })
    .into()
}

fn customer(number: i64, key: &str, [first_name, last_name]: [&str; 2], company: Option<&str>) -> Customer {
    let details = wire::Customer {
        id: format!("sim_cus_{key}"),
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        company_name: company.map(str::to_owned),
        email: format!("{key}@example.com"),
        phone: None,
        address: None,
        external_id: Some(format!("crm-{}", 1000 + number)),
        created_at: day(number),
    };
    Customer { details, accounts: Vec::new(), verifications: Vec::new() }
}

fn account(key: &str, iban: &str, bic: &str, holder_name: &str, currency: &str) -> Account {
    let details = NewAccount {
        iban: iban.to_owned(),
        bic: Some(bic.to_owned()),
        holder_name: holder_name.to_owned(),
        currency: Some(currency.to_owned()),
    };
    Account { id: format!("sim_acc_{key}"), details, verified_from: None }
}

fn with_account(mut customer: Customer, account: Account) -> Customer {
    customer.accounts.push(account);
    customer
}

/// The day with this number, from 1.
fn day(number: i64) -> Timestamp {
    Timestamp::from_second(FIRST_CREATED + (number - 1) * DAY).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        AccountId, Bic, Currency, CustomerId, Email, ExternalId, Iban, Name, Phone, VerificationId,
    };

    #[test]
    fn every_seed_would_pass_the_client_s_checks() {
        for seed in customers() {
            let details = &seed.details;
            assert!(details.id.parse::<CustomerId>().is_ok());
            assert!(details.first_name.parse::<Name>().is_ok() && details.last_name.parse::<Name>().is_ok());
            assert!(details.email.parse::<Email>().is_ok());
            assert!(details.phone.as_ref().is_none_or(|phone| phone.parse::<Phone>().is_ok()));
            assert!(details.external_id.as_ref().unwrap().parse::<ExternalId>().is_ok());
            for account in &seed.accounts {
                assert!(account.id.parse::<AccountId>().is_ok());
                assert!(account.details.iban.parse::<Iban>().is_ok(), "{}", account.id);
                assert!(account.details.bic.as_ref().unwrap().parse::<Bic>().is_ok());
                assert!(account.details.currency.as_ref().unwrap().parse::<Currency>().is_ok());
            }
            for verification in &seed.verifications {
                assert!(verification.id.parse::<VerificationId>().is_ok());
            }
        }
        assert_eq!(customers().first().unwrap().details.created_at.to_string(), "2026-01-05T09:00:00Z");
    }
}

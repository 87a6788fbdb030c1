//! Distinctive values for every secret and every personal field, and calls that are full of them.

use serde_json::{Value, json};

use super::keys::KEYS;
use super::setup::{APP_SECRET, TOKEN};

/// What the token endpoint gives out.
pub(crate) const ISSUED: &str = "canary-issued-token-91ab";
/// `APP_ID:APP_SECRET` as HTTP Basic has it.
const BASIC: &str = "YXBwLXVuZGVyLXRlc3Q6Y2FuYXJ5LWFwcC1zZWNyZXQtN2M5ZQ==";

/// Personal fields, in every spelling in which they are sent or come back.
pub(crate) const PERSONAL: [&str; 14] = [
    "Canaryfirst",
    "Canarylast",
    "Canary Company",
    "Canary Holder",
    "Canary Expected",
    "canary.person@example.com",
    "canary-crm-1",
    "612345678",
    "6 12 34 56 78",
    "FR7630006000011234567890189",
    "FR76 3000",
    "fr7630006000011234567890189",
    "11234567890189",
    "canary.person%40example.com",
];

/// Every secret, and every line of the key.
pub(crate) fn secrets() -> Vec<&'static str> {
    let key = KEYS.pkcs8.lines().chain(KEYS.pkcs1.lines()).filter(|line| !line.starts_with("-----"));
    // Half of one is too much, too.
    let halves = ["canary-token", "canary-app", "canary-issued"];
    key.chain([TOKEN, APP_SECRET, ISSUED, BASIC]).chain(halves).collect()
}

/// Good calls of every operation, and bad ones.
pub(crate) fn calls() -> Vec<(&'static str, Value)> {
    let (customers, accounts, verify) = ("manage_customers", "manage_bank_accounts", "verify_identity");
    let create = json!({"action": "create", "first_name": "Canaryfirst", "last_name": "Canarylast",
        "email": "canary.person@example.com", "company_name": "Canary Company", "phone": "+33 6 12 34 56 78"});
    let mut with_external_id = create.clone();
    with_external_id["external_id"] = json!("canary-crm-1");
    let account = json!({"action": "create", "customer_id": "cus_1", "iban": "FR76 3000 6000 0112 3456 7890 189",
        "holder_name": "Canary Holder"});
    let mut wrong = account.clone();
    wrong["iban"] = json!("fr7630006000011234567890189x");
    wrong["canary.person@example.com"] = json!("Canaryfirst");
    vec![
        (customers, json!({"action": "list", "external_id": "canary-crm-1"})),
        (customers, create),
        (customers, with_external_id),
        (customers, json!({"action": "get", "customer_id": "cus_1"})),
        (accounts, json!({"action": "list", "customer_id": "cus_1"})),
        (accounts, account),
        (accounts, json!({"action": "get", "customer_id": "cus_1", "account_id": "acc_1"})),
        (verify, json!({"action": "start", "customer_id": "cus_1", "expected_name": "Canary Expected"})),
        (verify, json!({"action": "list", "customer_id": "cus_1"})),
        (verify, json!({"action": "get", "customer_id": "cus_1", "verification_id": "ver_1"})),
        (verify, json!({"action": "dossier", "customer_id": "cus_1"})),
        (accounts, wrong),
        (customers, json!({"action": "Canaryfirst", "customer_id": "canary.person@example.com"})),
        (customers, json!({"action": "list", "external_id": "canary-crm-1\u{202E}"})),
    ]
}

/// Whether a text holds no canary.
pub(crate) fn is_clean(text: &str) {
    for canary in secrets().into_iter().chain(PERSONAL) {
        assert!(!text.contains(canary), "{canary} in:\n{text}");
    }
}

//! `--personal-data masked`: what an agent receives of people, wherever the upstream puts it.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::setup::Setup;
use crate::support::upstream::Upstream;

/// One customer with personal data in every corner that an upstream has.
fn customer() -> Value {
    json!({
        "id": "cus_1",
        "first_name": "Ada",
        "last_name": "Byron",
        "email": "ada.byron@example.com",
        "phone": "+33 6 12 34 56 78",
        "iban": "FR7630006000011234567890189",
        "note": "pays from no93 8601 1117 947, call +33612345678 or mail a.b@example.org",
        "nested": [{"deep": {"de89-3704-0044-0532-0130-00": "GB82 WEST 1234 5698 7654 32"}}],
    })
}

/// Every IBAN that stands in the customer above, without separators.
const IBANS: [&str; 4] =
    ["FR7630006000011234567890189", "NO9386011117947", "DE89370400440532013000", "GB82WEST12345698765432"];

fn found(result: &Value) -> Vec<&'static str> {
    let text = result.to_string();
    let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    let plain = ["ada.byron@example.com", "a.b@example.org", "12345678", "12 34 56"];
    IBANS
        .into_iter()
        .filter(|iban| compact.contains(iban))
        .chain(plain.into_iter().filter(|plain| text.contains(plain)))
        .collect()
}

#[tokio::test]
async fn nothing_of_it_reaches_an_agent_in_a_result_or_an_error() {
    let upstream = Upstream::saying(customer()).await;
    let agent = Setup::against(&upstream.base_url()).flag("--personal-data=masked").agent().await;
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    let result = agent.good("manage_customers", arguments.clone()).await;
    assert_eq!(found(&result), Vec::<&str>::new(), "{result}");
    let masked = &result["customer"];
    assert_eq!((&masked["id"], &masked["first_name"]), (&json!("cus_1"), &json!("Ada")));
    assert_eq!(masked["iban"], "FR76…0189");
    assert_eq!(masked["email"], "a…@example.com");
    assert_eq!(masked["phone"], "+336…78");

    let refusal = ResponseTemplate::new(400).set_body_json(json!({"message": customer()["note"]}));
    upstream.now_answering(refusal).await;
    let error = agent.error("manage_customers", arguments).await;
    assert_eq!(found(&error), Vec::<&str>::new(), "{error}");
}

#[tokio::test]
async fn our_own_examples_stay_and_repeats_are_masked_too() {
    let account = json!({"id": "acc_1", "iban": IBANS[0], "holder_name": "Ada"});
    let upstream = Upstream::answering(ResponseTemplate::new(201).set_body_json(account)).await;
    let agent = Setup::against(&upstream.base_url()).flag("--personal-data=masked").agent().await;
    let create =
        |iban: &str| json!({"action": "create", "customer_id": "cus_1", "iban": iban, "holder_name": "Ada"});
    for repeated in [false, true] {
        let result = agent.good("manage_bank_accounts", create(IBANS[0])).await;
        assert_eq!(result["bank_account"]["iban"], "FR76…0189");
        assert_eq!(result.get("repeated").is_some(), repeated);
    }
    let error = agent.error("manage_bank_accounts", create("FR76")).await;
    assert_eq!(error["problems"][0]["example"], "FR1420041010050500013M02606");
}

#[tokio::test]
async fn production_masks_unless_told_otherwise_and_the_others_do_not() {
    let upstream = Upstream::saying(customer()).await;
    let arguments = json!({"action": "get", "customer_id": "cus_1"});
    for (environment, flag, masked) in
        [("production", None, true), ("production", Some("full"), false), ("sandbox", None, false)]
    {
        let setup = Setup::against(&upstream.base_url()).flag("--environment").flag(environment);
        let setup = flag.map_or(setup.clone(), |flag| setup.flag("--personal-data").flag(flag));
        let result = setup.agent().await.good("manage_customers", arguments.clone()).await;
        assert_eq!(found(&result).is_empty(), masked, "{environment} {flag:?}");
    }
}

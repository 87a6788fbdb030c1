//! The nine operations and the token endpoint, as they are meant to be used.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::harness::{World, send};
use super::schema::assert_fits;
use crate::simulator::{SimulatorConfig, serve, start};

const FORM: &str = "application/x-www-form-urlencoded";

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_created_is_found_again() {
    let world = World::start(None).await;
    let body = json!({
        "first_name": "Éloïse", "last_name": "O'Neil", "email": "eloise@example.com", "company_name": "ACME",
        "phone": "+33612345678", "external_id": "crm-7", "an_unknown_field": {"deep": [null]},
    });
    let created = world.create("/v1/customers", &body, "Customer").await;
    let customer = format!("/v1/customers/{}", created.id());
    assert!(created.id().parse::<crate::domain::CustomerId>().is_ok());
    assert_eq!(created.body["first_name"], "Éloïse");
    assert_eq!(created.body["created_at"], "2027-01-15T08:00:00Z");
    assert!(created.body["an_unknown_field"].is_null());
    assert_eq!(world.get(&customer, "Customer").await, created.body);

    let body =
        json!({"iban": "FR7630006000011234567890189", "holder_name": "Éloïse O'Neil", "currency": "EUR"});
    let account = world.create(&format!("{customer}/bank-accounts"), &body, "CustomerBankAccount").await;
    assert!(account.id().starts_with("sim_acc_"));
    assert_eq!(account.body["verified"], false);
    let path = format!("{customer}/bank-accounts/{}", account.id());
    assert_eq!(world.get(&path, "CustomerBankAccount").await, account.body);
    let list = world.get(&format!("{customer}/bank-accounts"), "CustomerBankAccountList").await;
    assert_eq!(list, json!({"data": [account.body]}));

    let verification =
        world.create(&format!("{customer}/verification"), &json!({}), "CustomerVerification").await;
    assert!(verification.id().starts_with("sim_ver_"));
    let path = format!("{customer}/verification/{}", verification.id());
    assert_eq!(world.get(&path, "CustomerVerification").await, verification.body);
    let list = world.get(&format!("{customer}/verifications"), "CustomerVerificationList").await;
    assert_eq!(list, json!({"data": [verification.body]}));
}

#[tokio::test]
async fn customers_come_in_pages_and_by_external_id() {
    let world = World::start(None).await;
    let seeded = world.get("/v1/customers", "CustomerList").await;
    let expected =
        ["sim_cus_ada", "sim_cus_charles", "sim_cus_engines", "sim_cus_zoe", "sim_cus_noor", "sim_cus_oscar"];
    assert_eq!(ids(&seeded), expected);
    assert_eq!(seeded["meta"]["count"], 6);

    let second = world.get("/v1/customers?page[number]=2&page[size]=4", "CustomerList").await;
    assert_eq!(ids(&second), expected[4..]);
    assert_eq!(second["meta"]["count"], 6);
    let beyond = world.get("/v1/customers?page[number]=99", "CustomerList").await;
    assert_eq!(beyond, json!({"data": [], "meta": {"count": 6}}));

    let zoe = world.get("/v1/customers?external_id=crm-1004", "CustomerList").await;
    assert_eq!((ids(&zoe), &zoe["meta"]["count"]), (vec!["sim_cus_zoe"], &json!(1)));
    assert_eq!(world.get("/v1/customers?external_id=crm-100", "CustomerList").await["meta"]["count"], 0);
}

#[tokio::test]
async fn every_seed_fits_the_description() {
    let world = World::start(None).await;
    for id in ids(&world.get("/v1/customers", "CustomerList").await) {
        world.get(&format!("/v1/customers/{id}"), "Customer").await;
        world.get(&format!("/v1/customers/{id}/bank-accounts"), "CustomerBankAccountList").await;
        world.get(&format!("/v1/customers/{id}/verifications"), "CustomerVerificationList").await;
    }
    let past = world.get("/v1/customers/sim_cus_oscar/verifications", "CustomerVerificationList").await;
    let statuses: Vec<_> = past["data"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["failed", "unverified", "verified", "pending"]);
    let account = "/v1/customers/sim_cus_oscar/bank-accounts/sim_acc_oscar";
    assert_eq!(world.get(account, "CustomerBankAccount").await["verified"], true);
}

#[tokio::test]
async fn a_bearer_token_is_required() {
    let open = World::start(None).await;
    let refused = send(open.request(Method::GET, "/v1/customers")).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    let basic = open.request(Method::GET, "/v1/customers").basic_auth("app", Some("secret"));
    assert_eq!(send(basic).await.status, StatusCode::UNAUTHORIZED);

    let closed = World::start(Some("right")).await;
    let get = |token: &str| send(closed.request(Method::GET, "/v1/customers").bearer_auth(token));
    let refused = get("wrong").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    assert_eq!(get("right").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_token_endpoint_gives_tokens_for_an_hour() {
    let world = World::start(Some("right")).await;
    let request = world.request(Method::POST, "/oauth/accesstoken").basic_auth("app-1", Some("s3cret"));
    let body = "grant_type=client_credentials&app_id=app-1&scope=PIS%20AIS";
    let answer = send(request.header("content-type", FORM).body(body)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    assert_fits("AccessToken", &answer.body);
    assert_eq!(answer.body["scope"], "PIS AIS");
    let token = answer.body["access_token"].as_str().unwrap();
    let get = || send(world.request(Method::GET, "/v1/customers").bearer_auth(token));
    world.pass(3_599_000);
    assert_eq!(get().await.status, StatusCode::OK);
    world.pass(1_000);
    assert_eq!(get().await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_token_endpoint_refuses_wrong_requests() {
    let world = World::start(None).await;
    let ask = |user: &'static str, secret: &'static str, form: &'static str| {
        let request = world.request(Method::POST, "/oauth/accesstoken").basic_auth(user, Some(secret));
        send(request.header("content-type", FORM).body(form))
    };
    let good = "grant_type=client_credentials&app_id=app-1";
    assert_eq!(ask("app-1", "s", good).await.body["scope"], "PIS");
    for (user, secret) in [("app-2", "s"), ("app-1", ""), ("", "s")] {
        let refused = ask(user, secret, good).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.header("www-authenticate").starts_with("Basic"));
    }
    for form in [
        "",
        "grant_type=client_credentials",
        "grant_type=client_credentials&app_id=",
        "grant_type=password&app_id=app-1",
        "grant_type=client_credentials&app_id=app-1&app_id=app-1",
        "\u{0}%FF%00=&&&==",
    ] {
        assert_eq!(ask("app-1", "s", form).await.status, StatusCode::BAD_REQUEST, "{form}");
    }
    let json =
        world.request(Method::POST, "/oauth/accesstoken").basic_auth("app-1", Some("s")).json(&json!({}));
    assert_eq!(send(json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = send(world.request(Method::GET, "/oauth/accesstoken")).await;
    assert_eq!((get.status, get.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    let bare = world.request(Method::POST, "/oauth/accesstoken").header("content-type", FORM).body(good);
    assert_eq!(send(bare).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn it_ends_when_told_to() {
    let bind = || tokio::net::TcpListener::bind("127.0.0.1:0");
    let simulator = start(bind().await.unwrap(), SimulatorConfig::default()).unwrap();
    let url = format!("{}/v1/customers", simulator.base_url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(client.get(&url).bearer_auth("t").send().await.unwrap().status().is_success());
    simulator.shutdown().await.unwrap();
    assert!(client.get(&url).bearer_auth("t").send().await.unwrap_err().is_connect());

    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    serve(bind().await.unwrap(), SimulatorConfig::default(), stop).await.unwrap();
}

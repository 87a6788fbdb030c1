//! Bad requests: refused in the shape of an error, never with a 500.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{World, send};

const GOOD: &str = r#""first_name":"A","last_name":"B","email":"a@example.com""#;

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let world = World::start(None).await;
    let refused = world.post_text("/v1/customers", r#"{"first_name":1,"email":"nope","phone":null}"#).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let details: Vec<_> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| &error["detail"]).collect();
    assert_eq!(
        details,
        [
            "first_name must be a string",
            "last_name is required",
            "email is not an e-mail address",
            "phone must be a string",
        ]
    );
    assert_eq!(world.get("/v1/customers", "CustomerList").await["meta"]["count"], 6);
}

#[tokio::test]
async fn what_is_not_a_json_object_is_malformed() {
    let world = World::start(None).await;
    let deep = "[".repeat(100_000);
    let array = r#"["Ada","Byron","ada@example.com"]"#;
    let latin: &[u8] = b"{\"first_name\":\"\xe9\"}";
    let bodies: [&[u8]; 8] =
        [b"", b"x", b"null", b"\"text\"", array.as_bytes(), b"{\"a\":", deep.as_bytes(), latin];
    for path in
        ["/v1/customers", "/v1/customers/sim_cus_ada/bank-accounts", "/v1/customers/sim_cus_ada/verification"]
    {
        for body in bodies {
            let refused = world.post_text(path, body.to_vec()).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{:?}", String::from_utf8_lossy(body));
        }
    }
}

#[tokio::test]
async fn odd_but_right_bodies_are_accepted() {
    let world = World::start(None).await;
    let deep = format!("{{{GOOD},\"extra\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let huge_number = format!("{{{GOOD},\"extra\":1e999999}}");
    let nul =
        r#"{"first_name":"\u0000","last_name":"\ud83d\ude00 \u202e","email":"a@example.com"}"#.to_owned();
    for body in [deep, huge_number, nul] {
        assert_eq!(world.post_text("/v1/customers", body).await.status, StatusCode::CREATED);
    }
    let half_a_character = r#"{"first_name":"\ud800","last_name":"B","email":"a@example.com"}"#;
    let refused = world.post_text("/v1/customers", half_a_character).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn only_json_is_read() {
    let world = World::start(None).await;
    let post = |content_type: Option<&'static str>| {
        let request =
            world.request(Method::POST, "/v1/customers").bearer_auth("t").body(format!("{{{GOOD}}}"));
        send(content_type.map_or(request.try_clone().unwrap(), |one| request.header("content-type", one)))
    };
    for wrong in [None, Some("text/plain"), Some("application/jsonx"), Some("")] {
        assert_eq!(post(wrong).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{wrong:?}");
    }
    assert_eq!(post(Some("Application/JSON; charset=utf-8")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_too_large() {
    let world = World::start(None).await;
    let filled = |bytes: usize| {
        let frame = format!("{{{GOOD},\"extra\":\"\"}}").len();
        format!("{{{GOOD},\"extra\":\"{}\"}}", "x".repeat(bytes - frame))
    };
    assert_eq!(world.post_text("/v1/customers", filled(1 << 20)).await.status, StatusCode::CREATED);
    let refused = world.post_text("/v1/customers", filled((1 << 20) + 1)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_client_that_writes_all_before_it_reads_still_learns_why() {
    let world = World::start(Some("right")).await;
    for (token, length, status) in [("right", 8 << 20, "413"), ("wrong", 1 << 20, "401")] {
        let mut connection = TcpStream::connect(world.simulator.local_addr()).await.unwrap();
        let head = format!(
            "POST /v1/customers HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&vec![b'x'; length]).await.unwrap();
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let world = World::start(None).await;
    for path in [
        "/",
        "/v1/nope",
        "/v1/customers/",
        "/v1/customers//bank-accounts",
        "/v1/customers/nobody",
        "/v1/customers/%FF",
        "/v1/customers/%00",
        "/v1/customers/..%2f..",
        "/v1/customers/nobody/bank-accounts",
        "/v1/customers/nobody/verifications",
        "/v1/customers/nobody/bank-accounts/sim_acc_ada",
        "/v1/customers/nobody/verification/sim_ver_oscar_verified",
        "/v1/customers/sim_cus_ada/bank-accounts/nothing",
        "/v1/customers/sim_cus_ada/bank-accounts/sim_acc_charles",
        "/v1/customers/sim_cus_ada/verification/sim_ver_oscar_verified",
    ] {
        let refused = send(world.request(Method::GET, path).bearer_auth("t")).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    let account = json!({"iban": "x", "holder_name": "y"});
    for (path, body) in [("bank-accounts", account), ("verification", json!({}))] {
        let path = format!("/v1/customers/nobody/{path}");
        let refused = send(world.request(Method::POST, &path).bearer_auth("t").json(&body)).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_which_are_right() {
    let world = World::start(None).await;
    let customer = "/v1/customers/sim_cus_ada";
    for (path, allow) in [
        ("/v1/customers".to_owned(), "GET,HEAD,POST"),
        (customer.to_owned(), "GET,HEAD"),
        (format!("{customer}/bank-accounts"), "GET,HEAD,POST"),
        (format!("{customer}/bank-accounts/sim_acc_ada"), "GET,HEAD"),
        (format!("{customer}/verification"), "POST"),
        (format!("{customer}/verifications"), "GET,HEAD"),
        (format!("{customer}/verification/x"), "GET,HEAD"),
    ] {
        for method in ["DELETE", "TRACE", "OPTIONS", "PATCH", "BREW"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let refused = send(world.request(method, &path).bearer_auth("t")).await;
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            assert_eq!(refused.header("allow"), allow, "{path}");
        }
    }
}

#[tokio::test]
async fn odd_queries_are_refused_or_ignored() {
    let world = World::start(None).await;
    for query in
        ["page[number]=abc", "page%5Bsize%5D=", "page[size]=1&page[size]=2", "external_id=a&external_id=b"]
    {
        let refused =
            send(world.request(Method::GET, &format!("/v1/customers?{query}")).bearer_auth("t")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    for query in ["page=1", "%FF=%00", "&&==", "page[number]=0&page[size]=-1"] {
        world.get(&format!("/v1/customers?{query}"), "CustomerList").await;
    }
}

//! What does not come from the page itself: other origins, other tokens, other proofs, other forms.

use super::*;

/// Everything right but one thing.
async fn refused(site: &Site, cookie: Option<&str>, origin: Option<&str>, form: &str) -> StatusCode {
    let page = site.post(&site.path(), cookie, origin, form).await;
    assert!(site.waits().await, "{origin:?} {form}");
    assert!(page.cookie().is_none() && !shows_the_write(&page));
    page.status
}

#[tokio::test(start_paused = true)]
async fn a_form_of_another_origin_decides_nothing() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let form = format!("token={}&decision=approve", site.get(&site.path(), Some(&cookie)).await.token());
    for origin in [
        None,
        Some("null"),
        Some(""),
        Some("https://evil.example"),
        Some("http://127.0.0.1:4001"),
        Some("http://127.0.0.1"),
        Some("http://localhost:4000"),
        Some("https://127.0.0.1:4001"),
        Some("http://127.0.0.1:4000, http://evil.example"),
    ] {
        assert_eq!(refused(&site, Some(&cookie), origin, &form).await, 403, "{origin:?}");
        let code = site.post(&format!("{}/code", site.path()), None, origin, "code=wrong").await;
        assert_eq!((code.status.as_u16(), code.cookie()), (403, None));
    }
    let unharmed = site.type_code("wrong").await;
    assert!(unharmed.html.contains("4 more wrong codes"), "foreign guesses do not count");
    let pressed = site.post(&site.path(), Some(&cookie), Some(&own_origin()), &form).await;
    assert_eq!(pressed.status, 303, "and the right one still does");
}

#[tokio::test(start_paused = true)]
async fn a_press_needs_the_token_of_its_own_page_and_the_proof_that_goes_with_it() {
    let site = Site::plain().await;
    let other = site.approvals.open("local", [8; 32], question()).await.unwrap();
    let (cookie, second) = (site.cookie().await, site.cookie().await);
    let token = site.get(&site.path(), Some(&cookie)).await.token();
    let second_token = site.get(&site.path(), Some(&second)).await.token();
    let elsewhere = site.approvals.prove_by_code(&other.id, CODE.into()).await.unwrap();
    let other_page = format!("/approvals/{}", other.id);
    let other_cookie = format!("fintecture-approval-{}={}", other.id, elsewhere.as_str());
    let other_token = site.get(&other_page, Some(&other_cookie)).await.token();
    // The proof of another approval, under this one's name.
    let renamed = format!("fintecture-approval-{}={}", site.ticket.id, elsewhere.as_str());

    let origin = own_origin();
    let own = Some(origin.as_str());
    let form = |token: &str| format!("token={token}&decision=approve");
    for wrong in ["", "forged", &second_token, &other_token] {
        assert_eq!(refused(&site, Some(&cookie), own, &form(wrong)).await, 403, "{wrong}");
    }
    for wrong in [None, Some(other_cookie.as_str()), Some(&renamed), Some("fintecture-approval-=x")] {
        assert_eq!(refused(&site, wrong, own, &form(&token)).await, 403, "{wrong:?}");
    }
    assert_eq!(refused(&site, Some(&renamed), own, &form(&other_token)).await, 403);
}

#[tokio::test(start_paused = true)]
async fn only_our_own_forms_are_read() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let token = site.get(&site.path(), Some(&cookie)).await.token();
    let origin = own_origin();
    for form in [
        String::new(),
        "decision=approve".to_owned(),
        format!("token={token}"),
        format!("token={token}&decision=Approve"),
        format!("token={token}&decision=approve&decision=approve"),
        format!("token={token}&decision=approve&more=x"),
        format!("{{\"token\":\"{token}\",\"decision\":\"approve\"}}"),
    ] {
        assert_eq!(refused(&site, Some(&cookie), Some(&origin), &form).await, 400, "{form}");
    }
    let long = format!("token={token}&decision=approve&x={}", "x".repeat(5_000));
    assert_eq!(refused(&site, Some(&cookie), Some(&origin), &long).await, 413);

    let json = Request::post(site.path())
        .header(header::HOST, HOST)
        .header(header::ORIGIN, &origin)
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from(format!("token={token}&decision=approve")));
    assert_eq!(site.send(json.unwrap()).await.status, 415);
    assert!(site.waits().await);
}

/// A form that never ends does not keep its place.
#[tokio::test(start_paused = true)]
async fn a_form_that_does_not_come_is_given_up() {
    let site = Site::plain().await;
    let never = Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let request = Request::post(site.path())
        .header(header::HOST, HOST)
        .header(header::ORIGIN, own_origin())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(never);
    assert_eq!(site.send(request.unwrap()).await.status, 408);
}

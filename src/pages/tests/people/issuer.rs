//! The way over the issuer and back: which browser began it, once, and where it leads.

use super::*;

/// Begins at the page; gives the browser's cookie and the number of the flow.
async fn begun(house: &House, to: &str) -> (String, String) {
    let page = house.site.get(&format!("/approvals/sign-in?to={to}"), None).await;
    assert_eq!(page.status, 303);
    let location = Url::parse(page.headers[header::LOCATION].to_str().unwrap()).unwrap();
    assert_eq!(location.host_str(), Some("issuer.example"));
    let set = cookies(&page)[0].to_owned();
    assert!(set.ends_with("; Path=/approvals/callback; Max-Age=600; HttpOnly; SameSite=Strict"), "{set}");
    assert!(!set.contains("verifier"), "it is sealed");
    let state = location.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    (page.cookie().unwrap(), state.strip_prefix("state-").unwrap().to_owned())
}

fn back(name: &str, number: &str) -> String {
    format!("/approvals/callback?code={name}-{number}&state=state-{number}&iss=https%3A%2F%2Fissuer.example")
}

#[tokio::test(start_paused = true)]
async fn the_issuer_signs_in_and_the_way_back_leads_to_the_write() {
    let house = House::new(SignInBy::Issuer, Approvers::Any).await;
    let site = &house.site;
    let outside = site.get(&site.path(), None).await;
    let id = &site.ticket.id;
    assert!(outside.html.contains(&format!("href=\"/approvals/sign-in?to={id}\"")), "{}", outside.html);
    assert!(!outside.html.contains("type=\"password\""), "never a pasted token");
    assert_eq!(house.types("", "ada").await.status, 404);

    let (cookie, number) = begun(&house, id.as_str()).await;
    // From another site, the browser keeps the strict cookie to itself; our own page brings it.
    let hop = site.get(&back("ada", &number), None).await;
    assert_eq!((hop.status.as_u16(), hop.cookie()), (200, None));
    let next =
        hop.html.split_once("content=\"0;url=").unwrap().1.split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(next, format!("{}&here=1", back("ada", &number)));
    let landed = site.get(&next, Some(&cookie)).await;
    assert_eq!(
        (landed.status.as_u16(), landed.headers[header::LOCATION].to_str().unwrap()),
        (303, &*site.path())
    );
    let person = landed.cookie().unwrap();
    assert!(shows_the_write(&site.get(&site.path(), Some(&person)).await));
    assert!(cookies(&landed)[1].contains("Max-Age=0"), "the cookie of the way is taken away");

    let again = site.get(&next, Some(&cookie)).await;
    assert_eq!((again.status.as_u16(), again.cookie()), (403, None), "a way is gone once");
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_this_browser_did_not_begin_signs_nobody_in() {
    let house = House::new(SignInBy::Issuer, Approvers::Any).await;
    let (cookie, number) = begun(&house, "").await;
    let (strange, other) = begun(&house, "").await;
    let good = format!("{}&here=1", back("ada", &number));
    let elsewhere =
        |name: &str| back(name, &number).replace("https%3A%2F%2Fissuer", "https%3A%2F%2Fother") + "&here=1";
    let name = cookie.split('=').next().unwrap();
    let forged = format!("{name}=AAAA");
    for (path, cookie) in [
        // Somebody else's way, sent to this browser: with no way under way, with another one, with a made-up one.
        (good.as_str(), None),
        (&good, Some(strange.as_str())),
        (&good, Some(&forged)),
        (&format!("{}&here=1", back("ada", &other)), Some(cookie.as_str())),
        ("/approvals/callback?here=1", Some(&cookie)),
    ] {
        let page = house.site.get(path, cookie).await;
        assert_eq!((page.status.as_u16(), page.cookie()), (403, None), "{path}");
    }
    // None of them used it up. Who may not approve, another issuer, and an issuer that says no, do.
    for path in [
        format!("{}&here=1", back("eve", &number)),
        elsewhere("ada"),
        format!("/approvals/callback?error=access_denied&state=state-{number}&here=1"),
    ] {
        let (cookie, fresh) = begun(&house, "").await;
        let path = path.replace(&format!("-{number}&"), &format!("-{fresh}&"));
        let page = house.site.get(&path, Some(&cookie)).await;
        assert_eq!((page.status.as_u16(), page.cookie()), (403, None), "{path}");
        assert!(!page.html.contains("access_denied"));
    }
    let landed = house.site.get(&good, Some(&cookie)).await;
    assert_eq!(
        (landed.status.as_u16(), landed.headers[header::LOCATION].to_str().unwrap()),
        (303, "/approvals")
    );
}

#[tokio::test(start_paused = true)]
async fn the_way_back_leads_to_no_other_site_and_writes_nothing_into_a_page() {
    let house = House::new(SignInBy::Issuer, Approvers::Any).await;
    for to in ["https://evil.example/", "//evil.example", "../../evil", "javascript:alert(1)"] {
        let to: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let (cookie, number) = begun(&house, &to).await;
        let landed = house.site.get(&format!("{}&here=1", back("ada", &number)), Some(&cookie)).await;
        assert_eq!(landed.headers[header::LOCATION], "/approvals");
    }
    let hop = house.site.get("/approvals/callback?state=';url='https://evil.example&code='(x)", None);
    let hop = hop.await.html;
    assert!(hop.contains("content=\"0;url=/approvals/callback?state=&#39;;url=&#39;https"), "{hop}");
    assert_eq!(hop.matches("http-equiv").count(), 1);
}

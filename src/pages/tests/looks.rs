//! What stands in the pages and around them.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;
use crate::pages::style;

/// A page without what differs from run to run.
pub(super) fn settled(site: &Site, page: &Page) -> String {
    let mut html = page.html.replace(site.ticket.id.as_str(), "ID").replace(style::SHEET, "SHEET");
    if html.contains("name=\"token\" value=") {
        html = html.replace(&page.token(), "TOKEN");
    }
    // Times: 2026-11-22T20:41:05Z and 2026-11-22 20:41:05 UTC.
    while let Some(at) = time_in(&html) {
        html.replace_range(at..at + TIME, "TIME");
    }
    html
}

/// The length of a date and a time of day.
const TIME: usize = 19;

fn time_in(html: &str) -> Option<usize> {
    let is_time = |text: &[u8]| {
        text.iter().zip(b"0000-00-00 00:00:00").all(|(c, like)| match like {
            b'0' => c.is_ascii_digit(),
            b' ' => matches!(c, b' ' | b'T'),
            other => c == other,
        })
    };
    html.as_bytes().windows(TIME).position(is_time)
}

#[tokio::test(start_paused = true)]
async fn every_page_is_a_reviewed_snapshot() {
    let site = Site::new(true, true, question(), Environment::Production).await;
    let snapshot = |name: &str, page: &Page| insta::assert_snapshot!(name, settled(&site, page));
    snapshot("prove_both_ways", &site.get(&site.path(), None).await);
    snapshot("prove_wrong_code", &site.type_code("wrong").await);
    let cookie = site.cookie().await;
    snapshot("waiting_production", &site.get(&site.path(), Some(&cookie)).await);
    snapshot("not_from_this_page", &site.post(&site.path(), Some(&cookie), None, "x=y").await);
    snapshot("not_a_form", &site.post(&site.path(), Some(&cookie), Some(&own_origin()), "x=y").await);
    site.press(&cookie, "approve").await;
    snapshot("approved", &site.get(&site.path(), Some(&cookie)).await);
    snapshot("nothing_waits_here", &site.get(&site.path(), None).await);
    let _taken = site.approvals.take(&WRITE).await.unwrap();
    snapshot("used", &site.get(&site.path(), Some(&cookie)).await);
}

#[tokio::test(start_paused = true)]
async fn every_end_is_a_reviewed_snapshot() {
    for end in ["declined", "withdrawn", "expired", "locked"] {
        let site = Site::new(false, true, question(), Environment::Sandbox).await;
        let cookie = site.cookie().await;
        match end {
            "declined" => drop(site.press(&cookie, "decline").await),
            "withdrawn" => assert!(site.approvals.answered_in_client(&WRITE).await.unwrap()),
            "expired" => tokio::time::advance(Duration::from_mins(10)).await,
            _ => {
                for _ in 0..4 {
                    site.type_code("wrong").await;
                }
                let told = site.type_code("wrong").await;
                insta::assert_snapshot!("locked_for_who_typed", settled(&site, &told));
            }
        }
        insta::assert_snapshot!(end, settled(&site, &site.get(&site.path(), Some(&cookie)).await));
    }
}

#[tokio::test(start_paused = true)]
async fn each_way_and_each_environment_says_what_it_is() {
    let site = Site::new(false, true, question(), Environment::Simulator).await;
    insta::assert_snapshot!("prove_by_code", settled(&site, &site.get(&site.path(), None).await));
    let page = site.get(&site.path(), Some(&site.cookie().await)).await;
    assert!(page.html.contains("<strong>SIMULATOR</strong> Everything is made up"));
    let site = Site::new(true, false, question(), Environment::Sandbox).await;
    insta::assert_snapshot!("prove_by_window", settled(&site, &site.get(&site.path(), None).await));
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_the_strict_headers() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    let own = own_origin();
    let pages = [
        site.get(&site.path(), None).await,
        site.get(&site.path(), Some(&cookie)).await,
        site.get(&format!("{}?key=x", site.path()), None).await,
        site.get("/approvals/x", None).await,
        site.get(&format!("{}/code", site.path()), None).await,
        site.type_code("wrong").await,
        site.post(&site.path(), None, None, "").await,
        site.post(&site.path(), None, Some(&own), "").await,
        site.press(&cookie, "approve").await,
    ];
    for page in pages {
        let of = |name: &str| page.headers[name].to_str().unwrap().to_owned();
        // Where there is a sheet, it is the one that the policy names.
        let sheet = page.html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
        let sheet = sheet.map_or(style::SHEET, |(sheet, _)| sheet);
        let hash = STANDARD.encode(digest(&SHA256, sheet.as_bytes()));
        assert_eq!(
            of("content-security-policy"),
            format!(
                "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            )
        );
        assert_eq!(of("referrer-policy"), "same-origin");
        assert_eq!(of("cache-control"), "no-store");
        assert_eq!(of("x-content-type-options"), "nosniff");
        assert_eq!(of("x-frame-options"), "DENY");
        assert_eq!(of("cross-origin-opener-policy"), "same-origin");
        assert_eq!(of("cross-origin-resource-policy"), "same-origin");
        assert!(!page.html.contains("<script") && !page.html.contains("style="));
    }
}

const INJECTIONS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' autofocus onfocus='alert(1)",
    "</dd></dl></main><form action=http://evil.example>",
    "” & “&lt;b&gt;",
    "{{ value }}{% raw %}",
];

#[tokio::test(start_paused = true)]
async fn a_value_is_text_wherever_it_stands() {
    for injected in INJECTIONS {
        let fact = |beside| Fact { label: injected.into(), value: injected.into(), beside };
        let question = Question {
            title: injected.into(),
            facts: vec![fact(None), fact(Some((injected.into(), injected.into())))],
        };
        let site = Site::new(false, true, question, Environment::Simulator).await;
        let cookie = site.cookie().await;
        let waiting = site.get(&site.path(), Some(&cookie)).await.html;
        site.press(&cookie, "approve").await;
        let approved = site.get(&site.path(), Some(&cookie)).await.html;
        for (html, forms) in [(waiting, 2), (approved, 0)] {
            for tag in ["<script", "<img", "<form action=http", "onerror=alert(1)>", "onfocus='"] {
                assert!(!html.contains(tag), "{html}");
            }
            assert_eq!(html.matches("<form ").count(), forms);
            assert_eq!(html.matches("</dl>").count(), 1);
            // In the title, the heading, three labels and three values: nothing is lost either.
            let escaped = html.replace("&#34;", "\"").replace("&#39;", "'").replace("&#60;", "<");
            let text = escaped.replace("&#62;", ">").replace("&#38;", "&");
            assert_eq!(text.matches(injected).count(), 8, "{html}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_hides_or_turns_its_neighbours_is_made_visible() {
    let turned = "Ada\u{202E}ecalevoL\u{2066}\u{0}\r\nApproved\u{200B}";
    let fact =
        Fact { label: turned.into(), value: turned.into(), beside: Some((turned.into(), turned.into())) };
    let question = Question { title: turned.into(), facts: vec![fact] };
    let site = Site::new(false, true, question, Environment::Simulator).await;
    let page = site.get(&site.path(), Some(&site.cookie().await)).await;
    let shown = "Ada\u{FFFD}ecalevoL\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}Approved\u{FFFD}";
    assert_eq!(page.html.matches(shown).count(), 6, "{}", page.html);
    assert!(page.html.chars().all(|c| c == '\n' || crate::domain::is_printable(c)));
}

/// What a person needs who sees, hears or presses otherwise; a browser checks the rest.
#[tokio::test(start_paused = true)]
async fn every_page_has_a_language_a_title_a_heading_and_names_for_its_controls() {
    let site = Site::plain().await;
    let cookie = site.cookie().await;
    for page in [site.get(&site.path(), None).await, site.get(&site.path(), Some(&cookie)).await] {
        let count = |text: &str| page.html.matches(text).count();
        assert!(page.html.starts_with("<!doctype html>\n<html lang=\"en\">"));
        assert_eq!((count("<title>"), count("<h1>"), count("<main>"), count("<header>")), (1, 1, 1, 1));
        assert_eq!(count("type=\"password\""), count("<label for=\"code\">"));
        assert_eq!(count("<form "), count("<button type=\"submit\""));
        assert!(page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    }
}

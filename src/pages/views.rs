//! The pages' words. The templates in `templates/approval` escape every value; what stands here is chosen by us.

pub(super) mod people;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::plain::{plain, span, time};
use crate::calls::approvals::{ApprovalId, Phase, View, Ways};
use crate::domain::Environment;
use crate::tools::Fact;

/// When it is worth another try where what is kept cannot be looked at, in seconds.
pub(super) const TRY_AGAIN_SECONDS: &str = "5";

/// Where the page of an approval stands.
pub(super) fn address(id: &ApprovalId) -> String {
    format!("/approvals/{id}")
}

/// A page of these words.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "The page could not be written. Tell the agent to try again.")
                .into_response()
        }
    }
}

/// Which upstream, so that nobody takes one for another.
struct Banner {
    class: &'static str,
    name: &'static str,
    words: &'static str,
}

impl Banner {
    fn of(environment: Environment) -> Self {
        match environment {
            Environment::Production => Self {
                class: "production",
                name: "PRODUCTION",
                words: "Real customers and real bank accounts.",
            },
            Environment::Sandbox => Self {
                class: "made-up",
                name: "SANDBOX",
                words: "Fintecture’s test environment: no real customer, no real bank account.",
            },
            Environment::Simulator => Self {
                class: "made-up",
                name: "SIMULATOR",
                words: "Everything is made up, and nothing leaves this computer.",
            },
        }
    }
}

/// A write, with the buttons while it waits and with what became of it after that.
#[derive(Template)]
#[template(path = "approval/write.html")]
pub(super) struct Write {
    environment: Banner,
    heading: &'static str,
    title: String,
    lines: Vec<String>,
    values_heading: &'static str,
    facts: Vec<Fact>,
    press: Option<Press>,
    /// Whether there is a list to go back to.
    in_list: bool,
}

/// What the buttons need.
struct Press {
    action: String,
    token: String,
    expires_at: String,
    until: String,
}

impl Write {
    pub(super) fn new(id: &ApprovalId, view: View, environment: Environment) -> Self {
        let until = time(&view.expires_at).into_owned();
        let left = span(view.seconds_left);
        let in_list = view.asked_by.is_some();
        let asker = match &view.asked_by {
            Some(name) => format!("“{}” asks to do this.", plain(name)),
            None => "An agent asks to do this in your name.".to_owned(),
        };
        let who = match &view.decided_by {
            Some(name) => format!("“{}”", plain(name)),
            None => "You".to_owned(),
        };
        let (heading, values_heading, lines) = match view.phase {
            Phase::Waiting => (
                "Approve or decline",
                "What would be sent",
                vec![format!("{asker} Nothing is sent unless you approve. If you did not expect it, or a value is wrong, decline.")],
            ),
            Phase::Approved => (
                "Approved",
                "What may be sent, once",
                vec![format!("{who} approved this. Go back to the agent: if it does not go on by itself, tell it to try again with the same values. It has {left}, until {until}.")],
            ),
            Phase::Used => (
                "Already used",
                "What it was used for",
                vec![format!("{who} approved this, and it was sent once. The approval cannot be used again. Go back to the agent to see what came of it; you can close this page.")],
            ),
            Phase::Declined => (
                "Declined",
                "What was not sent",
                vec![format!("{who} declined this, and nothing was sent. If it should be done differently, tell the agent what to change. You can close this page.")],
            ),
            Phase::AnsweredInClient => (
                "Answered elsewhere",
                "What it was about",
                vec!["This was answered in the agent’s own window, so there is nothing left to decide here. Go back to the agent to see what came of it; you can close this page.".to_owned()],
            ),
            Phase::Expired => (
                "Expired",
                "What was not sent",
                vec!["The time to answer, or to use the answer, is over, and nothing was sent. If it should be done, tell the agent to try again: it gets a new approval.".to_owned()],
            ),
            Phase::Locked => (
                "Ended after wrong codes",
                "What was not sent",
                vec!["Too many wrong approval codes were typed for this approval, and nothing was sent. If that was not you, find out who it was. If it should be done, tell the agent to try again: it gets a new approval.".to_owned()],
            ),
        };
        let press = (view.phase == Phase::Waiting).then(|| Press {
            action: address(id),
            token: view.token,
            until: format!("{until} (in {left})"),
            expires_at: view.expires_at,
        });
        let facts = view.question.facts.into_iter().map(|fact| Fact {
            label: plain(&fact.label),
            value: plain(&fact.value),
            beside: fact.beside.map(|(label, value)| (plain(&label), plain(&value))),
        });
        Self {
            environment: Banner::of(environment),
            heading,
            title: plain(&view.question.title),
            lines,
            values_heading,
            facts: facts.collect(),
            press,
            in_list,
        }
    }
}

/// How to show that one is a person.
#[derive(Template)]
#[template(path = "approval/prove.html")]
pub(super) struct Prove {
    action: String,
    ways: Ways,
    expires_at: String,
    until: String,
    error: Option<String>,
}

impl Prove {
    pub(super) fn new(id: &ApprovalId, ways: Ways, expires_at: String, error: Option<String>) -> Self {
        let until = time(&expires_at).into_owned();
        Self { action: address(id), ways, expires_at, until, error }
    }
}

/// What a wrong code is answered with.
pub(super) fn wrong_code(left: usize) -> String {
    let more = if left == 1 { "1 more wrong code".to_owned() } else { format!("{left} more wrong codes") };
    format!("that is not the approval code. Check it and type it again; after {more} this approval ends.")
}

/// What a code is answered with that was not looked at.
pub(super) fn codes_closed(seconds: u64) -> String {
    format!(
        "codes are not looked at now, because too many were wrong or are being checked. Try again in {}.",
        span(seconds)
    )
}

/// What the link to an approval's page says.
const APPROVAL_S_PAGE: &str = "To the approval’s page";
/// What the link to the list says.
const THE_LIST: &str = "To what waits for approval";

/// A page of words alone.
#[derive(Template)]
#[template(path = "approval/told.html")]
pub(super) struct Told {
    heading: &'static str,
    lines: &'static [&'static str],
    /// The page to look at again.
    again: Option<(String, &'static str)>,
}

impl Told {
    /// For whom there is nothing to see.
    pub(super) fn gone() -> Self {
        Self {
            heading: "Nothing waits here",
            lines: &[
                "This approval was answered, or its time is over, or the address is not complete.",
                "If something should still be approved, tell the agent to try again: it gets a new address.",
            ],
            again: None,
        }
    }

    /// For who typed one wrong code too many.
    pub(super) fn locked() -> Self {
        Self {
            heading: "Ended after wrong codes",
            lines: &[
                "Too many wrong approval codes were typed, so this approval has ended. Nothing was sent.",
                "Look up the approval code, then tell the agent to try again: it gets a new address.",
            ],
            again: None,
        }
    }

    /// For a person whose own write it is, where another one must decide.
    pub(super) fn not_theirs() -> Self {
        Self {
            heading: "Another person must decide",
            lines: &[
                "This was asked for in your own name, and here nobody decides about their own writes.",
                "Give the address of this page to another person who may approve.",
            ],
            again: Some((people::LIST.to_owned(), THE_LIST)),
        }
    }

    /// For who has signed in, and may not approve.
    pub(super) fn may_not_approve() -> Self {
        Self {
            heading: "You may not approve",
            lines: &[
                "You are known here, but your token does not have approvals:write, so there is nothing to see.",
                "Ask whoever runs this server for it, or sign in as somebody who has it.",
            ],
            again: Some((people::LIST.to_owned(), THE_LIST)),
        }
    }

    /// For a form about no approval that is not ours, or not from here.
    pub(super) fn elsewhere() -> Self {
        Self {
            heading: "Not done",
            lines: &["What was sent did not come from the page that is open now, so nothing was done."],
            again: Some((people::LIST.to_owned(), THE_LIST)),
        }
    }

    /// For who comes while what is kept cannot be looked at.
    pub(super) fn unavailable() -> Self {
        Self {
            heading: "Not possible at the moment",
            lines: &[
                "What waits for approval cannot be looked at now, and nothing was decided.",
                "Try again in a moment. If it goes on, tell whoever runs this server.",
            ],
            again: None,
        }
    }

    /// For a press from elsewhere.
    pub(super) fn foreign(id: &ApprovalId) -> Self {
        Self {
            heading: "Not done",
            lines: &[
                "What was sent did not come from the page that is open now, so nothing was decided.",
                "Look at the approval’s own page again, and press there.",
            ],
            again: Some((address(id), APPROVAL_S_PAGE)),
        }
    }

    /// For what is no form of ours.
    pub(super) fn unread(id: &ApprovalId) -> Self {
        Self {
            heading: "Not understood",
            lines: &[
                "What was sent is not what this page sends, so nothing was decided.",
                "Look at the approval’s own page again, and use its form or its buttons.",
            ],
            again: Some((address(id), APPROVAL_S_PAGE)),
        }
    }
}

//! What is put on record, in the members of a line. Texts come from whoever calls this part, who sees to it that
//! nothing personal is in them.

use serde::Serialize;

/// Whom a call was about, by id. Never an `external_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Targets {
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Their bank account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Their verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification_id: Option<String>,
}

impl Targets {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who calls what.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// Who calls.
    pub principal: String,
    /// The client's name and version, as it told them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The face that took the call in, such as `mcp`.
    pub face: &'static str,
    /// The tool.
    pub tool: String,
    /// Its action, where it has the one that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Targets::is_empty")]
    pub targets: Targets,
    /// Keyed digest of principal, tool, action and arguments: the same for the same call.
    pub arguments: String,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct CameTo {
    /// `success`, or the kind of the error; `asked` and `task` where the answer comes later.
    pub outcome: String,
    /// For writes: `applied`, `not_applied` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
    /// Whether it was the first outcome of an earlier call.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// `X-Request-ID` of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// From the call to here, in milliseconds.
    pub milliseconds: u64,
}

/// What is put on record.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A tool call was answered that sent no write, record resources and completions included.
    Call {
        /// Who called what.
        #[serde(flatten)]
        subject: Subject,
        /// What came of it.
        #[serde(flatten)]
        result: CameTo,
    },
    /// A write is about to be sent.
    Write {
        /// Who called what.
        #[serde(flatten)]
        subject: Subject,
        /// Where a person said yes: `client` or `page`; left out where nobody was asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        approval: Option<&'static str>,
        /// Who said it, where they signed in.
        #[serde(skip_serializing_if = "Option::is_none")]
        approver: Option<String>,
        /// `X-Request-ID` of its first attempt: all that names a record which nobody heard of.
        request_id: String,
    },
    /// What became of a write.
    Outcome {
        /// The number of its `write` line.
        write: u64,
        /// Who called what; targets may be known that were not before.
        #[serde(flatten)]
        subject: Subject,
        /// What came of it.
        #[serde(flatten)]
        result: CameTo,
    },
    /// A person was asked about a write, or decided; or signed in to do so.
    Approval {
        /// `asked`, `approved`, `declined` or `dismissed`; `signed_in`, which is about no write yet.
        decision: &'static str,
        /// Where: `client` or `page`.
        how: &'static str,
        /// Whose write it is, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        principal: Option<String>,
        /// Who decided, where they signed in.
        #[serde(skip_serializing_if = "Option::is_none")]
        approver: Option<String>,
        /// The digest that the write's own lines have.
        #[serde(skip_serializing_if = "Option::is_none")]
        arguments: Option<String>,
    },
    /// A capability file was read, or the card.
    Resource {
        /// Who read it.
        principal: String,
        /// The client's name and version, as it told them.
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<String>,
        /// Its name.
        resource: String,
    },
    /// An access was refused.
    Refused {
        /// Which, and why.
        #[serde(flatten)]
        access: RefusedAccess,
        /// How many more were, since the last such line, that have no line of their own: there were too many at once.
        #[serde(skip_serializing_if = "is_none")]
        and_more: u64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Why an access was refused.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedAccess {
    /// `no_token`, `wrong_token`, `insufficient_scope`, `foreign_session`, `own_write` and the like.
    pub reason: &'static str,
    /// Who it was, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Which face: the path's template, such as `/mcp`.
    pub path: &'static str,
}

/// What the trail says of its own.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Own {
    /// A process begins. `torn_bytes` are those of a torn last line that were cut off before.
    Start {
        #[serde(skip_serializing_if = "Option::is_none")]
        torn_bytes: Option<u64>,
    },
    /// The first line of a new file of the same chain.
    Rotated,
    /// So many lines before this one could not be written.
    Unrecorded { lines: u64 },
    /// The process ends in order.
    Stop,
}

/// What every line says beside its event.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// Which upstream.
    pub environment: &'static str,
    /// SHA-256 over all capability files, shortened; their own are in the first line of each file.
    pub capabilities: String,
    /// SHA-256 of each capability file, by name.
    #[serde(skip)]
    pub files: Vec<(String, String)>,
}

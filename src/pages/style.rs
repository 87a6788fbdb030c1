//! The one style sheet. It stands in every page, so that none is ever seen without it, and the policy names its hash.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) const SHEET: &str = include_str!("../../templates/approval/style.css");

/// Its name in a Content-Security-Policy.
pub(super) static SOURCE: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, SHEET.as_bytes()))));

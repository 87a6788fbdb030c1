//! The one style sheet of the approval pages. It stands in every page, so that none is ever seen without it, and the
//! policy names its hash.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

pub(super) const SHEET: &str =
    concat!(include_str!("../../templates/palette.css"), include_str!("../../templates/approval/style.css"));

/// Its name in a Content-Security-Policy.
pub(super) static SOURCE: LazyLock<String> = LazyLock::new(|| source(SHEET));

/// The name in a Content-Security-Policy of a style sheet, or a script, that stands in its page.
pub(super) fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

//! PLACEHOLDER until the dossier lands: the dossier for a person to read.

use serde_json::Value;

/// The dossier as Markdown.
#[must_use]
pub fn markdown(dossier: &Value) -> String {
    format!("# Dossier\n\n```json\n{dossier:#}\n```\n")
}

//! The card as an MCP App: the resource that a client frames, and the tool beside whose results it belongs.
//!
//! Holds what the extension asks for (`io.modelcontextprotocol/ui`, 2026-01-26). The text of a result is there
//! whether a client shows cards or not, so the tool names its card to every client.

use rmcp::model::{ExtensionCapabilities, JsonObject, MetaObject, Resource, ResourceContents};
use serde_json::{Map, Value, json};

/// The name of the extension.
pub(super) const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// Where the card stands.
pub(super) const URI: &str = "ui://fintecture/card";
/// What it is called on record.
pub(super) const NAME: &str = "card";
const MIME_TYPE: &str = "text/html;profile=mcp-app";
/// The tool whose results it shows.
const TOOL: &str = "verify_identity";

/// Says that there is a card.
pub(super) fn declare(extensions: &mut ExtensionCapabilities) {
    extensions.insert(EXTENSION.to_owned(), JsonObject::new());
}

/// `_meta` of a tool whose results the card shows.
pub(super) fn meta_of_tool(tool: &str) -> Option<MetaObject> {
    (tool == TOOL).then(|| meta(json!({ "resourceUri": URI })))
}

/// The card as it stands in `resources/list`.
pub(super) fn listed(html: &str) -> Resource {
    Resource::new(URI, NAME)
        .with_title("Card of a verification or a dossier")
        .with_description("What a client shows beside results of verify_identity. It holds no data itself.")
        .with_mime_type(MIME_TYPE)
        .with_size(html.len() as u64)
        .with_meta(needs_nothing())
}

/// The card itself.
pub(super) fn contents(html: &str) -> ResourceContents {
    ResourceContents::text(html, URI).with_mime_type(MIME_TYPE).with_meta(needs_nothing())
}

/// No network, no camera, nothing: absent lists already mean that, and here it is said.
fn needs_nothing() -> MetaObject {
    let none: [&str; 0] = [];
    let csp = json!({"connectDomains": none, "resourceDomains": none, "frameDomains": none, "baseUriDomains": none});
    meta(json!({"csp": csp, "permissions": {}, "prefersBorder": true}))
}

fn meta(ui: Value) -> MetaObject {
    MetaObject(Map::from_iter([("ui".to_owned(), ui)]))
}

//! What the server says of itself: its name, what it can do, and its tools in rmcp's types.

use std::sync::Arc;

use rmcp::model::{Implementation, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};

use super::card;
use crate::domain::Environment;
use crate::tools;

/// Name, capabilities and instructions, with a notice where the data are not real.
pub(super) fn describe(environment: Environment, words: &str) -> ServerConfig {
    let (title, notice) = tools::about(environment);
    let about = Implementation::new("fintecture-mcp", env!("CARGO_PKG_VERSION"))
        .with_title(title)
        .with_description(env!("CARGO_PKG_DESCRIPTION"));
    let mut capabilities = ServerCapabilities::builder()
        .enable_tools()
        .enable_prompts()
        .enable_resources()
        .enable_completions()
        .enable_tasks()
        .build();
    card::declare(capabilities.extensions.get_or_insert_default());
    ServerConfig::new(capabilities).with_server_info(about).with_instructions(format!("{notice}{words}"))
}

/// The tools as they stand in `tools/list`.
#[must_use]
pub fn wire_tools(tools: &[tools::Tool]) -> Vec<Tool> {
    tools.iter().map(wire_tool).collect()
}

fn wire_tool(tool: &tools::Tool) -> Tool {
    let annotations =
        ToolAnnotations::from_raw(None, Some(tool.read_only), Some(false), Some(false), Some(true));
    let mut wire = Tool::new(tool.name, tool.description.clone(), Arc::new(tool.input_schema.clone()))
        .with_title(tool.title.clone())
        .with_raw_output_schema(Arc::new(tool.output_schema.clone()))
        .with_annotations(annotations);
    wire.meta = card::meta_of_tool(tool.name);
    wire
}

//! The part of the Naftiko format that the server reads.
//!
//! What the format allows and the server has no use for (aggregates, other adapters, output
//! parameters, ...) is let pass unread; a key that the format does not know is refused.

use super::document::{Action, ConsumedOperation, Document, Exposed, Import, Parameter};
use super::prompts;
use super::reader::{At, Fields, Report};
use super::skills::{self, SkillAdapter};

/// The version that the files are written in.
const VERSION: &str = "1.0.0-beta5";

const ROOT: &[&str] = &["ikanos", "info", "consumes", "exposes", "aggregates", "binds", "capability"];
const INFO: &[&str] = &["display", "description", "tags", "created", "modified", "version", "stakeholders"];
const CAPABILITY: &[&str] = &["binds", "exposes", "consumes", "aggregates"];
const IMPORT: &[&str] = &["from", "import", "as", "description"];
const CONSUMED: &[&str] = &[
    "namespace",
    "type",
    "description",
    "baseUri",
    "inputParameters",
    "authentication",
    "tunnel",
    "resources",
];
const RESOURCE: &[&str] = &["display", "tags", "description", "path", "inputParameters", "operations"];
const OPERATION: &[&str] = &[
    "display",
    "tags",
    "description",
    "method",
    "inputParameters",
    "outputRawFormat",
    "outputMediaType",
    "maxBinarySize",
    "outputSchema",
    "outputParameters",
    "body",
];
const MCP: &[&str] = &[
    "type",
    "transport",
    "address",
    "port",
    "namespace",
    "description",
    "maxBinarySize",
    "ttlMs",
    "cacheScope",
    "authentication",
    "tools",
    "resources",
    "prompts",
];
const TOOL: &[&str] = &[
    "display",
    "tags",
    "description",
    "inputParameters",
    "ref",
    "call",
    "with",
    "steps",
    "mappings",
    "hints",
    "outputParameters",
];
const HINTS: &[&str] = &["readOnly", "destructive", "idempotent", "openWorld"];
const PARAMETER: &[&str] = &["type", "description", "required"];
const STEP: &[&str] = &["type", "call", "with"];

/// Reads a file. `None` where it is no capability file of the version that we know.
pub(super) fn read(root: &At<'_>, report: &mut Report) -> Option<Document> {
    let Some(version) = root.entries(report)?.get("ikanos").map(|at| at.text(report)) else {
        report.refuse(&root.spot.member("ikanos"), format!("is missing: the version \"{VERSION}\""));
        return None;
    };
    let version = version?;
    if version.value != VERSION {
        // Another version has other keys: going on would only add noise.
        report.refuse(&version.spot, format!("is not the version that the server reads: \"{VERSION}\""));
        return None;
    }
    let fields = root.fields(ROOT, report)?;
    let info = fields.required("info", report).and_then(|at| at.fields(INFO, report));
    let (display, description) = match info {
        Some(info) => (info.required_text("display", report), info.required_text("description", report)),
        None => (None, None),
    };
    let capability = fields.required("capability", report)?.fields(CAPABILITY, report)?;
    let adapters = capability.required("consumes", report).map(|at| at.items(report)).unwrap_or_default();
    let operations = adapters.iter().flat_map(|adapter| consumed(adapter, report)).collect();
    let imports = adapters.iter().filter_map(|adapter| import(adapter, report)).collect();
    let surfaces = capability.required("exposes", report);
    let (exposed, skills) = surfaces.map(|at| exposed(at, report)).unwrap_or_default();
    let place = surfaces.map(|at| at.spot.clone());
    Some(Document { display, description, operations, imports, exposed, skills, exposes: place })
}

fn consumed(adapter: &At<'_>, report: &mut Report) -> Vec<ConsumedOperation> {
    let mut operations = Vec::new();
    if adapter.entries(report).is_none_or(|fields| is_import(&fields)) {
        return operations;
    }
    let Some(fields) = adapter.fields(CONSUMED, report) else { return operations };
    if let Some(kind) = fields.required_text("type", report)
        && kind.value != "http"
    {
        report.refuse(&kind.spot, "must be `http`");
    }
    fields.required_text("baseUri", report);
    let namespace = fields.required_text("namespace", report).map(|placed| placed.value).unwrap_or_default();
    for (_, resource) in members(&fields, "resources", report) {
        let Some(resource) = resource.fields(RESOURCE, report) else { continue };
        let path = resource.required_text("path", report);
        resource.required("operations", report);
        for (name, operation) in members(&resource, "operations", report) {
            let Some(fields) = operation.fields(OPERATION, report) else { continue };
            operations.push(ConsumedOperation {
                call: format!("{namespace}.{name}"),
                name: name.to_owned(),
                method: fields.required_text("method", report),
                path: path.clone(),
                spot: operation.spot,
            });
        }
    }
    operations
}

fn is_import(fields: &Fields<'_>) -> bool {
    fields.get("type").is_none() && fields.get("from").is_some()
}

/// An entry of `consumes` that stands in another file.
fn import(adapter: &At<'_>, report: &mut Report) -> Option<Import> {
    // What is no mapping has been refused as an adapter.
    if !adapter.is_mapping() || !adapter.entries(report).is_some_and(|fields| is_import(&fields)) {
        return None;
    }
    let fields = adapter.fields(IMPORT, report)?;
    let from = fields.required_text("from", report);
    let namespace = fields.required_text("import", report)?.value;
    let alias = fields.get("as").and_then(|at| at.text(report)).map(|placed| placed.value);
    Some(Import {
        from: from?.value,
        alias: alias.unwrap_or_else(|| namespace.clone()),
        namespace,
        spot: adapter.spot.clone(),
    })
}

/// What an agent sees, and what stands in a `SKILL.md`.
fn exposed(adapters: &At<'_>, report: &mut Report) -> (Option<Exposed>, Option<SkillAdapter>) {
    let (mut found, mut found_skills) = (None, None);
    for adapter in adapters.items(report) {
        let Some(fields) = adapter.entries(report) else { continue };
        let Some(kind) = fields.get("type") else {
            if fields.get("from").is_some() {
                adapter.fields(IMPORT, report);
            } else {
                report.refuse(&adapter.spot.member("type"), "is missing");
            }
            continue;
        };
        let Some(kind) = kind.text(report) else { continue };
        match kind.value.as_str() {
            "mcp" if found.is_some() => {
                report.refuse(&adapter.spot, "is a second mcp adapter: one file is one tool");
            }
            "mcp" => found = mcp(&adapter, report),
            "skill" if found_skills.is_some() => {
                report.refuse(&adapter.spot, "is a second skill adapter: one has all skills of a file");
            }
            "skill" => found_skills = skills::read(&adapter, report),
            "rest" | "control" => {}
            _ => report.refuse(&kind.spot, "must be `mcp`, `rest`, `skill` or `control`"),
        }
    }
    if found.is_none() {
        report.refuse(
            &adapters.spot,
            "has no mcp adapter: it is what an agent sees (imports are not followed)",
        );
    }
    (found, found_skills)
}

fn mcp(adapter: &At<'_>, report: &mut Report) -> Option<Exposed> {
    let fields = adapter.fields(MCP, report)?;
    let transport = fields.get("transport").and_then(|at| at.text(report));
    match (transport.as_ref().map_or("http", |placed| placed.value.as_str()), fields.get("port")) {
        ("stdio", None) | ("http", Some(_)) => {}
        ("stdio", Some(port)) => report.refuse(&port.spot, "does not go with `transport: stdio`"),
        ("http", None) => {
            report.refuse(&adapter.spot.member("transport"), "must be `stdio` where there is no port");
        }
        _ => report.refuse(&adapter.spot.member("transport"), "must be `stdio` or `http`"),
    }
    let tools = fields.required("tools", report).map(|at| at.spot.clone());
    let actions = members(&fields, "tools", report)
        .into_iter()
        .filter_map(|(name, tool)| action(name, &tool, report))
        .collect();
    Some(Exposed {
        namespace: fields.required_text("namespace", report),
        description: fields.required_text("description", report),
        actions,
        prompts: prompts::read(&fields, report),
        adapter: adapter.spot.clone(),
        tools: tools.unwrap_or_else(|| adapter.spot.member("tools")),
    })
}

fn action(name: &str, tool: &At<'_>, report: &mut Report) -> Option<Action> {
    let fields = tool.fields(TOOL, report)?;
    let hints = fields.get("hints").and_then(|at| at.fields(HINTS, report));
    let hint = |key, report: &mut Report| hints.as_ref()?.optional_flag(key, report);
    let mut calls: Vec<_> = fields.get("call").and_then(|at| at.text(report)).into_iter().collect();
    for (_, step) in members(&fields, "steps", report) {
        let kind = step.entries(report).and_then(|fields| fields.required_text("type", report));
        match kind {
            Some(kind) if kind.value != "call" => {
                report.refuse(&kind.spot, "must be `call`: no other step is read");
            }
            Some(_) => calls
                .extend(step.fields(STEP, report).and_then(|fields| fields.required_text("call", report))),
            None => {}
        }
    }
    let parameters = members(&fields, "inputParameters", report)
        .into_iter()
        .filter_map(|(name, at)| parameter(name, &at, report))
        .collect();
    Some(Action {
        name: name.to_owned(),
        display: fields.get("display").and_then(|at| at.text(report)),
        description: fields.required_text("description", report),
        read_only: hint("readOnly", report),
        destructive: hint("destructive", report),
        parameters,
        calls,
        spot: tool.spot.clone(),
    })
}

fn parameter(name: &str, at: &At<'_>, report: &mut Report) -> Option<Parameter> {
    let fields = at.fields(PARAMETER, report)?;
    Some(Parameter {
        name: name.to_owned(),
        kind: fields.required_text("type", report),
        description: fields.required_text("description", report),
        required: fields.optional_flag("required", report),
        spot: at.spot.clone(),
    })
}

/// The members of an optional mapping whose keys are names, none where it is absent.
fn members<'n>(fields: &Fields<'n>, key: &str, report: &mut Report) -> Vec<(&'n str, At<'n>)> {
    fields.get(key).and_then(|at| at.entries(report)).map(|fields| fields.entries).unwrap_or_default()
}

//! A capability file in types: the part of it that the server reads, each value with its place.

use super::prompts::Prompt;
use super::reader::{Placed, Spot};
use super::skills::SkillAdapter;

/// A capability file. A part that could not be read is absent, and its refusal is in the report.
pub(super) struct Document {
    pub display: Option<Placed<String>>,
    pub description: Option<Placed<String>>,
    pub operations: Vec<ConsumedOperation>,
    pub imports: Vec<Import>,
    pub exposed: Option<Exposed>,
    pub skills: Option<SkillAdapter>,
    /// Where an adapter that is missing would stand.
    pub exposes: Option<Spot>,
}

/// An operation under `consumes`.
pub(super) struct ConsumedOperation {
    /// `namespace.operation`, as a `call` writes it.
    pub call: String,
    pub name: String,
    pub method: Option<Placed<String>>,
    pub path: Option<Placed<String>>,
    pub spot: Spot,
}

/// A `consumes` entry of another file: calls may name its operations, whose routes stand there alone.
pub(super) struct Import {
    /// The file, as it is named in this one.
    pub from: String,
    /// The entry's namespace in that file.
    pub namespace: String,
    /// What calls of this file write for it.
    pub alias: String,
    pub spot: Spot,
}

/// The mcp adapter under `exposes`.
pub(super) struct Exposed {
    pub namespace: Option<Placed<String>>,
    pub description: Option<Placed<String>>,
    pub actions: Vec<Action>,
    pub prompts: Vec<Prompt>,
    pub adapter: Spot,
    /// Where a missing action would stand.
    pub tools: Spot,
}

/// One of the mcp adapter's tools: an action of ours.
pub(super) struct Action {
    pub name: String,
    pub display: Option<Placed<String>>,
    pub description: Option<Placed<String>>,
    pub read_only: Option<Placed<bool>>,
    pub destructive: Option<Placed<bool>>,
    pub parameters: Vec<Parameter>,
    /// `call`, or the calls of `steps`.
    pub calls: Vec<Placed<String>>,
    pub spot: Spot,
}

/// One of `inputParameters` of an action.
pub(super) struct Parameter {
    pub name: String,
    pub kind: Option<Placed<String>>,
    pub description: Option<Placed<String>>,
    pub required: Option<Placed<bool>>,
    pub spot: Spot,
}

//! What the code needs of the capability files, as the tools layer states it.

use std::fmt;

use super::Operation;

/// One tool: what its file must hold.
#[derive(Debug, Clone)]
pub struct ToolNeeds {
    /// The name on the wire, such as `manage_customers`. In files, `-` stands for `_`.
    pub tool: &'static str,
    /// Everything the tool does, and nothing that it does not do.
    pub actions: Vec<ActionNeeds>,
    /// The prompts that stand in its file, and no others.
    pub prompts: Vec<PromptNeeds>,
    /// The skills that stand in its file, and no others, such as `kyc-check`.
    pub skills: Vec<&'static str>,
}

/// One prompt.
#[derive(Debug, Clone)]
pub struct PromptNeeds {
    /// The name on the wire, such as `kyc_check`. In files, `-` stands for `_`.
    pub prompt: &'static str,
    /// What it takes; each is a text.
    pub arguments: Vec<ArgumentNeeds>,
}

/// One action of a tool.
#[derive(Debug, Clone)]
pub struct ActionNeeds {
    /// The value of the argument `action`, such as `list`.
    pub action: &'static str,
    /// What it calls: one operation as `call`, several as `steps`.
    pub operations: Vec<Operation>,
    /// What it takes besides `action`.
    pub arguments: Vec<ArgumentNeeds>,
}

impl ActionNeeds {
    pub(super) fn writes(&self) -> bool {
        self.operations.iter().any(|operation| operation.writes())
    }
}

/// One argument of an action or a prompt.
#[derive(Debug, Clone)]
pub struct ArgumentNeeds {
    /// The name on the wire, such as `customer_id`.
    pub name: String,
    /// Its JSON type.
    pub kind: ArgumentKind,
    /// Whether it cannot do without it.
    pub required: bool,
}

/// The JSON types that arguments have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// A text.
    String,
    /// A whole number.
    Integer,
}

impl fmt::Display for ArgumentKind {
    /// As the format writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
        })
    }
}

//! Which prompts there are, and what each takes: names here, words in the capability files.

use serde_json::json;

use crate::capability::{ArgumentKind, ArgumentNeeds, PromptNeeds};
use crate::domain::{CustomerId, Email, Example, Iban, Invalid, Name, ProviderId, Scope, VerificationId};

/// What the code knows of one prompt.
pub(super) struct Definition {
    pub(super) prompt: &'static str,
    /// In the file of this tool.
    pub(super) tool: &'static str,
    /// Whether its steps cannot be taken where nothing may be written.
    pub(super) writes: bool,
    /// The rights that its steps take.
    pub(super) scopes: &'static [Scope],
    pub(super) arguments: Vec<Taken>,
}

/// One argument of a prompt, by the domain type that its value must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) example: &'static str,
    /// The value as it stands in a text.
    pub(super) quote: fn(&str) -> Result<String, Invalid>,
}

fn required<T>(name: &'static str) -> Taken
where
    T: std::str::FromStr<Err = Invalid> + Example + serde::Serialize,
{
    Taken { name, required: true, example: T::EXAMPLE, quote: quote::<T> }
}

fn optional<T>(name: &'static str) -> Taken
where
    T: std::str::FromStr<Err = Invalid> + Example + serde::Serialize,
{
    Taken { required: false, ..required::<T>(name) }
}

fn quote<T>(text: &str) -> Result<String, Invalid>
where
    T: std::str::FromStr<Err = Invalid> + serde::Serialize,
{
    // JSON's quotes: no value ends them, and none has line breaks, which its type refuses.
    Ok(json!(text.parse::<T>()?).to_string())
}

/// Every prompt, in the order in which they are listed.
pub(super) fn all() -> [Definition; 4] {
    [
        Definition {
            prompt: "kyc_check",
            tool: "verify_identity",
            writes: true,
            scopes: &[Scope::CustomersRead, Scope::BankAccountsRead, Scope::VerificationsWrite],
            arguments: vec![required::<CustomerId>("customer_id")],
        },
        Definition {
            prompt: "onboard_customer",
            tool: "manage_customers",
            writes: true,
            scopes: &[Scope::CustomersWrite, Scope::BankAccountsWrite, Scope::VerificationsWrite],
            arguments: vec![
                required::<Name>("first_name"),
                Taken { example: "Byron", ..required::<Name>("last_name") },
                required::<Email>("email"),
                optional::<Iban>("iban"),
                optional::<ProviderId>("provider_id"),
            ],
        },
        Definition {
            prompt: "review_verifications",
            tool: "verify_identity",
            writes: false,
            scopes: &[Scope::CustomersRead, Scope::VerificationsRead],
            arguments: vec![optional::<CustomerId>("customer_id")],
        },
        Definition {
            prompt: "explain_verification",
            tool: "verify_identity",
            writes: false,
            scopes: &[Scope::CustomersRead, Scope::BankAccountsRead, Scope::VerificationsRead],
            arguments: vec![
                required::<CustomerId>("customer_id"),
                required::<VerificationId>("verification_id"),
            ],
        },
    ]
}

/// The prompts that must stand in the file of a tool.
pub(in crate::tools) fn needs(tool: &str) -> Vec<PromptNeeds> {
    let argument = |taken: &Taken| ArgumentNeeds {
        name: taken.name.to_owned(),
        kind: ArgumentKind::String,
        required: taken.required,
    };
    let of_tool = all().into_iter().filter(|definition| definition.tool == tool);
    of_tool
        .map(|definition| PromptNeeds {
            prompt: definition.prompt,
            arguments: definition.arguments.iter().map(argument).collect(),
        })
        .collect()
}

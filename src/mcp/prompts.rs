//! `prompts/list` and `prompts/get` over the prompts of [`tools`](crate::tools).

use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, PromptArgument, PromptMessage, Role};
use serde_json::{Map, Value};

use super::refusal;
use crate::domain::Scopes;
use crate::tools::{Prompt, PromptRole, Prompts};

/// The prompts as they stand in `prompts/list`.
pub(super) fn list(prompts: &Prompts, scopes: Scopes) -> Vec<rmcp::model::Prompt> {
    prompts.list(scopes).map(wire).collect()
}

fn wire(prompt: &Prompt) -> rmcp::model::Prompt {
    let argument = |argument: &crate::tools::PromptArgument| {
        let wire = PromptArgument::new(argument.name)
            .with_description(argument.description.clone())
            .with_required(argument.required);
        match &argument.title {
            Some(title) => wire.with_title(title.clone()),
            None => wire,
        }
    };
    let arguments = prompt.arguments.iter().map(argument).collect();
    rmcp::model::Prompt::new(prompt.name, Some(prompt.description.clone()), Some(arguments))
        .with_title(prompt.title.clone())
}

/// One prompt with its values.
///
/// # Errors
/// An unknown prompt, or every argument that is wrong, as invalid params.
pub(super) fn get(
    prompts: &Prompts,
    scopes: Scopes,
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<GetPromptResult, ErrorData> {
    let prompt = prompts.get(name, scopes).map_err(|why| ErrorData::invalid_params(why, None))?;
    let said = prompt.render(arguments).map_err(|error| refusal::of_error(&error))?;
    let message = |said: crate::tools::Said| {
        let role = match said.role {
            PromptRole::User => Role::User,
            PromptRole::Assistant => Role::Assistant,
        };
        PromptMessage::new_text(role, said.text)
    };
    let messages = said.into_iter().map(message).collect();
    Ok(GetPromptResult::new(messages).with_description(prompt.description.clone()))
}

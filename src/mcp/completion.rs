//! `completion/complete`: which ids a name asks for. What is known of them, and at what cost, is not known here.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompletionInfo, Reference};

use super::{refusal, resources};
use crate::calls::{Caller, Completed, Completions, Wanted};
use crate::tools::Prompts;

/// Completes one argument of a prompt, or one variable of a resource template.
///
/// # Errors
/// Invalid params, where there is no such prompt, template or argument; a limit that is reached.
pub(super) async fn complete(
    completions: &Completions,
    prompts: &Prompts,
    caller: &Caller,
    request: &CompleteRequestParams,
) -> Result<CompletionInfo, ErrorData> {
    let wanted = match wanted(prompts, caller, request) {
        Ok(Some(wanted)) => wanted,
        nothing => {
            completions.arrives(caller).await.map_err(|error| refusal::of_error(&error))?;
            return nothing.map(|_| CompletionInfo::default());
        }
    };
    let found = completions.complete(caller, wanted, &request.argument.value).await;
    let Completed { values, total, has_more } = found.map_err(|error| refusal::of_error(&error))?;
    let mut info = CompletionInfo::default();
    info.values = values;
    info.total = total.and_then(|total| u32::try_from(total).ok());
    info.has_more = has_more;
    Ok(info)
}

/// Which ids are asked for, if any.
fn wanted(
    prompts: &Prompts,
    caller: &Caller,
    request: &CompleteRequestParams,
) -> Result<Option<Wanted>, ErrorData> {
    let name = request.argument.name.as_str();
    let known = match &request.r#ref {
        Reference::Prompt(reference) => {
            let prompt = prompts.get(&reference.name, caller.principal.scopes);
            let prompt = prompt.map_err(|why| ErrorData::invalid_params(why, None))?;
            prompt.arguments.iter().map(|argument| argument.name).collect()
        }
        Reference::Resource(reference) => resources::variables(&reference.uri)?,
        _ => {
            return Err(ErrorData::invalid_params("only prompts and resource templates are completed", None));
        }
    };
    if !known.contains(&name) {
        let message = format!("there is no such argument; those are {}", known.join(", "));
        return Err(ErrorData::invalid_params(message, None));
    }
    let customer_id = || {
        let arguments = request.context.as_ref()?.arguments.as_ref()?;
        arguments.get("customer_id")?.parse().ok()
    };
    Ok(match name {
        "customer_id" => Some(Wanted::CustomerId),
        "account_id" => customer_id().map(Wanted::AccountId),
        "verification_id" => customer_id().map(Wanted::VerificationId),
        "provider_id" => Some(Wanted::ProviderId),
        _ => None,
    })
}

//! Prompts: read from `exposes[mcp].prompts`, and checked against the prompts that the code offers.
//!
//! A text is taken apart into words and `{{argument}}` placeholders at start, so that filling it in cannot fail,
//! and so that a value is never read as another placeholder. Knows no value and no rule of an argument.

use super::check::in_files;
use super::names;
use super::needs::{ArgumentNeeds, PromptNeeds, ToolNeeds};
use super::reader::{At, Fields, Placed, Report, Spot};
use super::refusal::did_you_mean;
use super::words::{Bound, PromptArgumentWords, PromptMessage, PromptPart, PromptRole, PromptWords, checked};
use super::words::{checked_lines, checked_optional};

const PROMPT: &[&str] = &["display", "description", "arguments", "template", "location"];
const ARGUMENT: &[&str] = &["display", "description", "required"];
const MESSAGE: &[&str] = &["role", "content"];

/// A prompt as its file states it.
pub(super) struct Prompt {
    name: String,
    display: Option<Placed<String>>,
    description: Option<Placed<String>>,
    arguments: Vec<Argument>,
    messages: Vec<Message>,
    spot: Spot,
}

struct Argument {
    name: String,
    display: Option<Placed<String>>,
    description: Option<Placed<String>>,
    required: Option<Placed<bool>>,
    spot: Spot,
}

struct Message {
    role: Option<Placed<String>>,
    content: Option<Placed<String>>,
}

/// Reads the prompts of an mcp adapter; none where it has none.
pub(super) fn read(adapter: &Fields<'_>, report: &mut Report) -> Vec<Prompt> {
    let prompts = adapter.get("prompts").and_then(|at| at.entries(report));
    let entries = prompts.map(|prompts| prompts.entries).unwrap_or_default();
    entries.into_iter().filter_map(|(name, at)| prompt(name, &at, report)).collect()
}

fn prompt(name: &str, at: &At<'_>, report: &mut Report) -> Option<Prompt> {
    let fields = at.fields(PROMPT, report)?;
    if let Some(location) = fields.get("location") {
        report.refuse(&location.spot, "is not read: write the text here, under `template`");
    }
    let arguments = fields.get("arguments").and_then(|at| at.entries(report));
    let arguments = arguments.map(|arguments| arguments.entries).unwrap_or_default();
    let template = match fields.get("location") {
        Some(_) => None,
        None => fields.required("template", report),
    };
    let messages = template.map(|at| at.items(report)).unwrap_or_default();
    if let Some(template) = template
        && messages.is_empty()
    {
        report.refuse_absent(&template.spot, "holds no message");
    }
    Some(Prompt {
        name: name.to_owned(),
        display: fields.required_text("display", report),
        description: fields.required_text("description", report),
        arguments: arguments.iter().filter_map(|(name, at)| argument(name, at, report)).collect(),
        messages: messages.iter().filter_map(|at| message(at, report)).collect(),
        spot: at.spot.clone(),
    })
}

fn argument(name: &str, at: &At<'_>, report: &mut Report) -> Option<Argument> {
    let fields = at.fields(ARGUMENT, report)?;
    Some(Argument {
        name: name.to_owned(),
        display: fields.get("display").and_then(|at| at.text(report)),
        description: fields.required_text("description", report),
        required: fields.optional_flag("required", report),
        spot: at.spot.clone(),
    })
}

fn message(at: &At<'_>, report: &mut Report) -> Option<Message> {
    let fields = at.fields(MESSAGE, report)?;
    Some(Message {
        role: fields.required_text("role", report),
        content: fields.required_text("content", report),
    })
}

/// The words of the prompts of a file; what is wrong with them is in the report. `place` is where a missing one would
/// stand.
pub(super) fn check(
    prompts: &[Prompt],
    needs: &ToolNeeds,
    tools: &[ToolNeeds],
    place: &Spot,
    report: &mut Report,
) -> Vec<PromptWords> {
    let needs = &needs.prompts;
    let mut words = Vec::new();
    for prompt in prompts {
        let Some(need) = needs.iter().find(|need| in_files(need.prompt) == prompt.name) else {
            let wanted: Vec<_> = needs.iter().map(|need| in_files(need.prompt)).collect();
            let hint = did_you_mean(&prompt.name, wanted.iter().map(String::as_str));
            report.refuse(&prompt.spot, format!("is no prompt that this file may have{hint}"));
            continue;
        };
        words.push(PromptWords {
            prompt: need.prompt,
            title: checked(prompt.display.as_ref(), Bound::TITLE, report),
            description: checked(prompt.description.as_ref(), Bound::ACTION, report),
            arguments: arguments(prompt, need, report),
            messages: messages(prompt, tools, report),
        });
    }
    for need in needs {
        let name = in_files(need.prompt);
        if !prompts.iter().any(|prompt| prompt.name == name) {
            report.refuse_absent(&place.member(&name), "is missing: the server offers this prompt");
        }
    }
    words
}

fn arguments(prompt: &Prompt, need: &PromptNeeds, report: &mut Report) -> Vec<PromptArgumentWords> {
    for argument in &prompt.arguments {
        if let Some(need) = need.arguments.iter().find(|need| need.name == argument.name) {
            check_required(argument, need, report);
        } else {
            let hint = did_you_mean(&argument.name, need.arguments.iter().map(|need| need.name.as_str()));
            report.refuse(&argument.spot, format!("is no argument of `{}`{hint}", prompt.name));
        }
    }
    for need in &need.arguments {
        if !prompt.arguments.iter().any(|argument| argument.name == need.name) {
            let spot = prompt.spot.member("arguments").member(&need.name);
            let required = if need.required { "required" } else { "optional" };
            report.refuse_absent(&spot, format!("is missing: the code takes it ({required})"));
        }
    }
    let words = |argument: &Argument, report: &mut Report| PromptArgumentWords {
        name: argument.name.clone(),
        title: checked_optional(argument.display.as_ref(), Bound::TITLE, report),
        description: checked(argument.description.as_ref(), Bound::ARGUMENT, report),
    };
    prompt.arguments.iter().map(|argument| words(argument, report)).collect()
}

/// The format takes true where `required` is absent.
fn check_required(argument: &Argument, need: &ArgumentNeeds, report: &mut Report) {
    if argument.required.as_ref().is_none_or(|required| required.value) == need.required {
        return;
    }
    let reason = format!("must be {}, as in the code", need.required);
    match &argument.required {
        Some(required) => report.refuse(&required.spot, reason),
        None => report.refuse_absent(&argument.spot.member("required"), reason),
    }
}

fn messages(prompt: &Prompt, tools: &[ToolNeeds], report: &mut Report) -> Vec<PromptMessage> {
    let mut used = Vec::new();
    let mut messages = Vec::new();
    for Message { role, content } in &prompt.messages {
        let role = match role {
            Some(role) if role.value == "assistant" => PromptRole::Assistant,
            Some(role) if role.value != "user" => {
                report.refuse(&role.spot, "must be `user` or `assistant`");
                continue;
            }
            _ => PromptRole::User,
        };
        let text = checked_lines(content.as_ref(), Bound::PROMPT, report);
        let Some(Placed { spot, .. }) = content else { continue };
        names::check(&text, spot, tools, report);
        match parts(&text) {
            Ok(parts) => {
                for part in &parts {
                    let PromptPart::Argument(name) = part else { continue };
                    if !prompt.arguments.iter().any(|argument| argument.name == *name) {
                        let known = prompt.arguments.iter().map(|argument| argument.name.as_str());
                        let hint = did_you_mean(name, known);
                        report.refuse(spot, format!("`{{{{{name}}}}}` is no argument of this prompt{hint}"));
                    }
                    used.push(name.clone());
                }
                messages.push(PromptMessage { role, parts });
            }
            Err(reason) => report.refuse(spot, reason),
        }
    }
    // A prompt whose messages were refused has been told so.
    let is_whole = messages.len() == prompt.messages.len() && !messages.is_empty();
    for argument in prompt.arguments.iter().filter(|argument| is_whole && !used.contains(&argument.name)) {
        report.refuse(&argument.spot, "stands in no message: what a person gives for it would be lost");
    }
    messages
}

/// A text as words and placeholders.
fn parts(text: &str) -> Result<Vec<PromptPart>, &'static str> {
    const UNPAIRED: &str = "holds `{{` or `}}` without the other: write `{{argument}}`";
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((words, tail)) = rest.split_once("{{") {
        let (name, after) = tail.split_once("}}").ok_or(UNPAIRED)?;
        if words.contains("}}") || name.contains("{{") {
            return Err(UNPAIRED);
        }
        parts.push(PromptPart::Text(words.to_owned()));
        parts.push(PromptPart::Argument(name.trim().to_owned()));
        rest = after;
    }
    if rest.contains("}}") {
        return Err(UNPAIRED);
    }
    parts.push(PromptPart::Text(rest.to_owned()));
    Ok(parts)
}

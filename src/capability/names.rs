//! What a text names in backticks exists: a tool with its action, a tool, or an argument.
//!
//! An agent does what a prompt or a skill says, by the letter: one that names an action that is not there sends it
//! looking for another.

use super::needs::{ActionNeeds, ToolNeeds};
use super::reader::{Report, Spot};
use super::refusal::did_you_mean;

/// What every call names beside its arguments.
const ACTION: &str = "action";

/// Refuses each name that stands for nothing. An argument must be one of the action that the text named last.
pub(super) fn check(text: &str, spot: &Spot, tools: &[ToolNeeds], report: &mut Report) {
    let pieces: Vec<&str> = text.split('`').collect();
    if pieces.len().is_multiple_of(2) {
        report.refuse(spot, "holds a backtick without the other");
        return;
    }
    let mut told: Vec<&str> = Vec::new();
    let mut latest = None;
    for name in pieces.into_iter().skip(1).step_by(2) {
        if let Some(found) = action(name, tools) {
            latest = Some((name, found));
        } else if let Some(reason) = fault(name, latest, tools)
            && !told.contains(&name)
        {
            told.push(name);
            report.refuse(spot, reason);
        }
    }
}

/// The action that `tool action` names.
fn action<'n>(name: &str, tools: &'n [ToolNeeds]) -> Option<&'n ActionNeeds> {
    let (tool, action) = name.split_once(' ')?;
    let tool = tools.iter().find(|known| known.tool == tool)?;
    tool.actions.iter().find(|known| known.action == action)
}

fn fault(name: &str, latest: Option<(&str, &ActionNeeds)>, tools: &[ToolNeeds]) -> Option<String> {
    if name == ACTION || tools.iter().any(|tool| tool.tool == name) {
        return None;
    }
    if let Some((tool, action)) = name.split_once(' ') {
        let Some(known) = tools.iter().find(|known| known.tool == tool) else {
            let hint = did_you_mean(tool, tools.iter().map(|known| known.tool));
            return Some(format!("`{name}` is no tool with its action: there is no tool `{tool}`{hint}"));
        };
        let actions: Vec<&str> = known.actions.iter().map(|known| known.action).collect();
        let actions = actions.join(", ");
        return Some(format!("`{name}`: {tool} has no action `{action}`; it has {actions}"));
    }
    let all = || tools.iter().flat_map(|tool| &tool.actions);
    let takes = |action: &ActionNeeds| action.arguments.iter().any(|argument| argument.name == name);
    if latest.map_or_else(|| all().any(takes), |(_, action)| takes(action)) {
        return None;
    }
    let arguments = |action: &'_ ActionNeeds| {
        action.arguments.iter().map(|argument| argument.name.clone()).collect::<Vec<_>>()
    };
    let known: Vec<String> = match latest {
        Some((_, action)) => arguments(action),
        None => all().flat_map(arguments).chain(tools.iter().map(|tool| tool.tool.to_owned())).collect(),
    };
    let hint = did_you_mean(name, known.iter().map(String::as_str));
    let whose = latest.map_or_else(|| "any tool".to_owned(), |(call, _)| format!("`{call}`"));
    Some(format!("`{name}` is no tool and no argument of {whose}{hint}"))
}

//! An action's `inputParameters` against the arguments that the code takes.

use super::document::{Action, Parameter};
use super::needs::{ActionNeeds, ArgumentNeeds};
use super::reader::{Placed, Report};
use super::refusal::did_you_mean;
use super::words::{ArgumentWords, Bound, checked};

/// Checks names, types and what is required, both ways.
pub(super) fn check(action: &Action, needs: &ActionNeeds, report: &mut Report) {
    for need in &needs.arguments {
        if let Some(parameter) = action.parameters.iter().find(|parameter| parameter.name == need.name) {
            check_one(parameter, need, report);
        } else {
            let spot = action.spot.member("inputParameters").member(&need.name);
            report.refuse_absent(&spot, format!("is missing: the code takes it ({})", shape(need)));
        }
    }
    for parameter in &action.parameters {
        if !needs.arguments.iter().any(|need| need.name == parameter.name) {
            let hint = did_you_mean(&parameter.name, needs.arguments.iter().map(|need| need.name.as_str()));
            report.refuse(&parameter.spot, format!("is no argument of `{}`{hint}", needs.action));
        }
    }
}

fn check_one(parameter: &Parameter, need: &ArgumentNeeds, report: &mut Report) {
    if let Some(kind) = &parameter.kind
        && kind.value != need.kind.to_string()
    {
        report.refuse(&kind.spot, format!("is `{}`, but the code takes `{}`", kind.value, need.kind));
    }
    match &parameter.required {
        Some(required) if required.value != need.required => {
            report.refuse(&required.spot, format!("must be {}, as in the code", need.required));
        }
        None if !need.required => {
            let spot = parameter.spot.member("required");
            report.refuse_absent(
                &spot,
                "must be false, as in the code; the format takes true where it is absent",
            );
        }
        _ => {}
    }
}

fn shape(need: &ArgumentNeeds) -> String {
    format!("{}, {}", need.kind, if need.required { "required" } else { "optional" })
}

/// The words about the arguments of all actions. The input schema has one property for an argument that
/// several actions share, so its words must be the same in each.
pub(super) fn words(actions: &[Action], report: &mut Report) -> Vec<ArgumentWords> {
    let mut first: Vec<(&str, &Placed<String>, &str)> = Vec::new();
    let mut words = Vec::new();
    for action in actions {
        for parameter in &action.parameters {
            let Some(description) = &parameter.description else { continue };
            match first.iter().find(|(name, ..)| *name == parameter.name) {
                Some((_, earlier, _)) if earlier.value == description.value => {}
                Some((_, _, sharing)) => report.refuse(
                    &description.spot,
                    format!("reads differently in `{sharing}`: an agent sees one text for both"),
                ),
                None => {
                    first.push((&parameter.name, description, &action.name));
                    let description = checked(Some(description), Bound::ARGUMENT, report);
                    words.push(ArgumentWords { name: parameter.name.clone(), description });
                }
            }
        }
    }
    words
}

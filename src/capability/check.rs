//! A file against what the code needs of it: its namespace, its actions, and what each of them calls.

use super::Operation;
use super::arguments;
use super::document::{Action, ConsumedOperation, Document, Exposed};
use super::imports::Callables;
use super::needs::{ActionNeeds, ToolNeeds};
use super::prompts;
use super::reader::{Placed, Report, Spot};
use super::refusal::did_you_mean;
use super::route::{Route, parse_method, parse_route};
use super::skills;
use super::words::{ActionWords, Bound, ToolWords, checked};

/// A route with the place that states it.
pub(super) type StatedRoute = (Operation, Placed<Route>);

/// The name that stands for a tool in files: the format allows no underscore there.
pub(super) fn in_files(tool: &str) -> String {
    tool.replace('_', "-")
}

/// The words and the routes of one file. What is wrong with them is in the report. `tools` are all that there are, since
/// a text may name those of the other files.
pub(super) fn check(
    document: &Document,
    callable: &Callables<'_>,
    needs: &ToolNeeds,
    tools: &[ToolNeeds],
    report: &mut Report,
) -> (ToolWords, Vec<StatedRoute>) {
    let mut words = ToolWords {
        tool: needs.tool,
        title: checked(document.display.as_ref(), Bound::TITLE, report),
        summary: checked(document.description.as_ref(), Bound::SUMMARY, report),
        description: String::new(),
        actions: Vec::new(),
        arguments: Vec::new(),
        prompts: Vec::new(),
        skills: skills::check(document, needs, tools, report),
    };
    let mut routes = Vec::new();
    refuse_duplicates(&document.operations, report);
    let Some(exposed) = &document.exposed else { return (words, routes) };
    check_namespace(exposed, needs, report);
    words.description = checked(exposed.description.as_ref(), Bound::TOOL, report);
    for action in &exposed.actions {
        let Some(need) = needs.actions.iter().find(|need| need.action == action.name) else {
            let hint = did_you_mean(&action.name, needs.actions.iter().map(|need| need.action));
            report.refuse(&action.spot, format!("is no action of {}{hint}", needs.tool));
            continue;
        };
        words.actions.push(ActionWords {
            action: action.name.clone(),
            title: title(action, report),
            description: checked(action.description.as_ref(), Bound::ACTION, report),
        });
        check_hints(action, need, report);
        arguments::check(action, need, report);
        routes.extend(check_calls(action, need, callable, report));
    }
    for need in &needs.actions {
        if !exposed.actions.iter().any(|action| action.name == need.action) {
            report.refuse_absent(&exposed.tools.member(need.action), "is missing: the tool has this action");
        }
    }
    words.arguments = arguments::words(&exposed.actions, report);
    let place = exposed.adapter.member("prompts");
    words.prompts = prompts::check(&exposed.prompts, needs, tools, &place, report);
    (words, routes)
}

/// The format does without a title.
fn title(action: &Action, report: &mut Report) -> String {
    match &action.display {
        Some(display) => checked(Some(display), Bound::TITLE, report),
        None => action.name.clone(),
    }
}

fn check_namespace(exposed: &Exposed, needs: &ToolNeeds, report: &mut Report) {
    let wanted = in_files(needs.tool);
    if let Some(namespace) = &exposed.namespace
        && namespace.value != wanted
    {
        report.refuse(&namespace.spot, format!("must be `{wanted}`: it names the tool {}", needs.tool));
    }
}

fn refuse_duplicates(operations: &[ConsumedOperation], report: &mut Report) {
    for (index, operation) in operations.iter().enumerate() {
        if operations.iter().take(index).any(|earlier| earlier.call == operation.call) {
            report.refuse(&operation.spot, format!("stands twice: `{}` would be either", operation.call));
        }
    }
}

/// Hints must tell the truth, by the format's defaults too: a client may skip its question on `readOnly`.
fn check_hints(action: &Action, need: &ActionNeeds, report: &mut Report) {
    let hints = action.spot.member("hints");
    let reads = !need.writes();
    let mut refuse = |hint: Option<&Placed<bool>>, key, reason: String| match hint {
        Some(hint) => report.refuse(&hint.spot, reason),
        None => report.refuse_absent(&hints.member(key), reason),
    };
    if action.read_only.as_ref().is_some_and(|hint| hint.value) != reads {
        let what = if reads { "reads" } else { "writes" };
        refuse(action.read_only.as_ref(), "readOnly", format!("must be {reads}: `{}` {what}", need.action));
    }
    // Where it is absent it counts as true, unless the action reads.
    if action.destructive.as_ref().map_or(!reads, |hint| hint.value) {
        let reason = format!("must be false: `{}` destroys nothing", need.action);
        refuse(action.destructive.as_ref(), "destructive", reason);
    }
}

fn check_calls(
    action: &Action,
    need: &ActionNeeds,
    callable: &Callables<'_>,
    report: &mut Report,
) -> Vec<StatedRoute> {
    let wanted = need.operations.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", ");
    let mut routes = Vec::new();
    let mut called = Vec::new();
    for call in &action.calls {
        let Some(found) = callable.find(&call.value) else {
            if callable.is_unknown(&call.value) {
                continue;
            }
            let hint = did_you_mean(&call.value, callable.names());
            report.refuse(&call.spot, format!("`{}` is no operation of this file{hint}", call.value));
            continue;
        };
        let consumed = found.operation;
        let Some(operation) = need.operations.iter().find(|operation| operation.name() == consumed.name)
        else {
            let reason = format!("`{}` is not what `{}` calls: {wanted}", consumed.name, need.action);
            report.refuse(&call.spot, reason);
            continue;
        };
        called.push(*operation);
        // An imported one was checked where it stands, and its route counts once.
        if !found.imported {
            routes.extend(check_route(consumed, *operation, report));
        }
    }
    // A call that leads elsewhere has been refused already.
    if called.len() == action.calls.len() {
        for operation in need.operations.iter().filter(|operation| !called.contains(operation)) {
            let key = if need.operations.len() == 1 { "call" } else { "steps" };
            report.refuse_absent(
                &action.spot.member(key),
                format!("is missing: `{}` calls {}", need.action, operation.name()),
            );
        }
    }
    routes
}

fn check_route(
    consumed: &ConsumedOperation,
    operation: Operation,
    report: &mut Report,
) -> Option<StatedRoute> {
    let (method, path) = (consumed.method.as_ref()?, consumed.path.as_ref()?);
    let fitting =
        parse_method(&method.value, operation).map_err(|reason| report.refuse(&method.spot, reason)).ok();
    // The path is read even where the method is wrong, so that both are told.
    let route = parse_route(fitting.clone().unwrap_or_default(), &path.value, operation)
        .map_err(|reasons| refuse_each(&path.spot, reasons, report))
        .ok();
    fitting?;
    Some((operation, Placed { value: route?, spot: path.spot.clone() }))
}

/// Two operations may share a resource, and so the faults of its path: each is told once.
fn refuse_each(spot: &Spot, reasons: Vec<String>, report: &mut Report) {
    for reason in reasons {
        if !report.refusals.iter().any(|known| known.place == spot.place && known.reason == reason) {
            report.refuse(spot, reason);
        }
    }
}

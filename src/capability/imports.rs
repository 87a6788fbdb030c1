//! What the actions of a file may call: its own operations, and those that it imports from the other files.
//!
//! An import lets an action call an operation of another tool without stating its route a second time: a path
//! that an operator changes is changed in one place. Imports of imports are not followed, as the format says.

use super::document::{ConsumedOperation, Document, Import};
use super::reader::Report;

/// An operation under the name that calls of a file use.
pub(super) struct Callable<'d> {
    /// `namespace.operation`, with the namespace's name in this file.
    pub call: String,
    pub operation: &'d ConsumedOperation,
    pub imported: bool,
}

/// A file of a tool, with the name that imports use for it.
pub(super) struct Named<'d> {
    pub name: &'d str,
    /// Absent where the file could not be read, which has been refused.
    pub document: Option<&'d Document>,
}

/// What calls of a file may name.
pub(super) struct Callables<'d> {
    operations: Vec<Callable<'d>>,
    /// Namespaces whose operations are not known, for a reason that has been refused.
    unknown: Vec<&'d str>,
}

impl<'d> Callables<'d> {
    pub(super) fn find(&self, call: &str) -> Option<&Callable<'d>> {
        self.operations.iter().find(|callable| callable.call == call)
    }

    /// Whether nobody can say if there is such an operation, so that saying it would be noise.
    pub(super) fn is_unknown(&self, call: &str) -> bool {
        call.split_once('.').is_some_and(|(namespace, _)| self.unknown.contains(&namespace))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|callable| callable.call.as_str())
    }
}

/// Everything that calls of `document` may name. Imports that lead nowhere are refused.
pub(super) fn callable<'d>(
    document: &'d Document,
    files: &[Named<'d>],
    report: &mut Report,
) -> Callables<'d> {
    let own = document.operations.iter();
    let mut operations: Vec<_> =
        own.map(|operation| Callable { call: operation.call.clone(), operation, imported: false }).collect();
    let mut unknown = Vec::new();
    for import in &document.imports {
        // Files that no tool reads are never opened, so they may be imported from and not called.
        let Some(file) = files.iter().find(|file| names(import, file.name)) else { continue };
        let Some(other) = file.document else {
            unknown.push(import.alias.as_str());
            continue;
        };
        let before = operations.len();
        operations.extend(imported(import, other));
        if operations.len() == before {
            unknown.push(import.alias.as_str());
            report
                .refuse(&import.spot, format!("{} consumes no namespace `{}`", file.name, import.namespace));
        }
    }
    Callables { operations, unknown }
}

fn names(import: &Import, file: &str) -> bool {
    import.from.strip_prefix("./").unwrap_or(&import.from) == file
}

fn imported<'d>(import: &Import, document: &'d Document) -> impl Iterator<Item = Callable<'d>> {
    let prefix = format!("{}.", import.namespace);
    document.operations.iter().filter(move |operation| operation.call.starts_with(&prefix)).map(|operation| {
        Callable { call: format!("{}.{}", import.alias, operation.name), operation, imported: true }
    })
}

//! What the tools are called together, and the notice that goes before everything where their data are not real.

use crate::domain::Environment;

/// Title and notice. The notice is empty, or ends with a space.
#[must_use]
pub fn about(environment: Environment) -> (&'static str, &'static str) {
    match environment {
        Environment::Simulator => (
            "Fintecture customers (simulator)",
            "SIMULATOR: every customer, account and verification here is made up. Never report a result of it as real. ",
        ),
        Environment::Sandbox => {
            ("Fintecture customers (sandbox)", "SANDBOX: test data, not real customers. ")
        }
        Environment::Production => ("Fintecture customers", ""),
    }
}

//! What a text names in backticks.

use super::{CUSTOMERS, VERIFY, needs, refused};
use crate::capability::names;
use crate::capability::reader::{Report, Spot};

/// What is wrong with a text.
fn faults(text: &str) -> Vec<String> {
    let mut report = Report::new("file".to_owned());
    names::check(text, &Spot::default(), &needs(), &mut report);
    report.refusals.into_iter().map(|refusal| refusal.reason).collect()
}

#[test]
fn a_name_that_stands_for_nothing_is_refused_once_and_what_was_meant_is_said() {
    let nothing: [String; 0] = [];
    for good in [
        "No names at all.",
        "Call `verify_identity start` with `customer_id`, `wait_seconds` 30 and `action`, then `verify_identity`.",
        "Take `iban` from the person.",
    ] {
        assert_eq!(faults(good), nothing, "{good}");
    }
    for (text, expected) in [
        (
            "Call `verify_identity begin`.",
            "`verify_identity begin`: verify_identity has no action `begin`; it has start, get, list, dossier",
        ),
        (
            "Call `manage_customer get`, then `manage_customer get`.",
            "`manage_customer get` is no tool with its action: there is no tool `manage_customer`; did you mean `manage_customers`?",
        ),
        (
            "Call `manage_customers get` with `email`.",
            "`email` is no tool and no argument of `manage_customers get`",
        ),
        (
            "Call `verify_identity get` with `verification`.",
            "`verification` is no tool and no argument of `verify_identity get`; did you mean `verification_id`?",
        ),
        (
            "See `manage_customer`.",
            "`manage_customer` is no tool and no argument of any tool; did you mean `manage_customers`?",
        ),
        ("One ` too few.", "holds a backtick without the other"),
    ] {
        assert_eq!(faults(text), [expected], "{text}");
    }
}

/// So an operator who renames something in a text is told at start where that is wrong.
#[test]
fn a_prompt_that_names_what_is_not_there_is_refused_with_its_place() {
    let told = refused(CUSTOMERS, "prompts:", "`manage_bank_accounts create`", "`manage_bank_accounts add`");
    assert!(told.contains("capability.exposes[0].prompts.onboard-customer.template[0].content: `manage_bank_accounts add`: manage_bank_accounts has no action `add`; it has list, create, get"), "{told}");
    // An action of another tool's does not do, either.
    let told = refused(VERIFY, "prompts:", "`verify_identity list`", "`verify_identity create`");
    assert!(
        told.contains("`verify_identity create`: verify_identity has no action `create`; it has start"),
        "{told}"
    );
}

//! Prompts in a file that is otherwise as built in.

use super::{ACCOUNTS, CUSTOMERS, VERIFY, change, copies, load, needs, refused};
use crate::capability::{Capabilities, PromptPart, PromptRole, Source};

/// The file, the text after which it is changed, what becomes what, and the refusal without file and line.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        VERIFY,
        "prompts:",
        "        kyc-check:\n",
        "        kyc_check:\n",
        &[
            "prompts.kyc-check: is missing: the server offers this prompt",
            "prompts.kyc_check: is no prompt that this file may have; did you mean `kyc-check`?",
        ],
    ),
    (
        VERIFY,
        "prompts:",
        "          template:\n            - role: user\n",
        "          location: file:///etc/prompt\n          template:\n            - role: user\n",
        &["prompts.kyc-check.location: is not read: write the text here, under `template`"],
    ),
    (
        VERIFY,
        "prompts:",
        "- customer_id: {{customer_id}}",
        "- customer_id: {{customerid}}",
        &[
            "prompts.kyc-check.arguments.customer_id: stands in no message: what a person gives for it would be lost",
            "prompts.kyc-check.template[0].content: `{{customerid}}` is no argument of this prompt; did you mean `customer_id`?",
        ],
    ),
    (
        VERIFY,
        "prompts:",
        "- customer_id: {{customer_id}}",
        "- customer_id: {{customer_id}",
        &[
            "prompts.kyc-check.template[0].content: holds `{{` or `}}` without the other: write `{{argument}}`",
        ],
    ),
    (
        VERIFY,
        "prompts:",
        "- customer_id: {{customer_id}}",
        "- customer_id: }} {{customer_id}}",
        &[
            "prompts.kyc-check.template[0].content: holds `{{` or `}}` without the other: write `{{argument}}`",
        ],
    ),
    (
        VERIFY,
        "prompts:",
        "- role: user",
        "- role: system",
        &["prompts.kyc-check.template[0].role: must be `user` or `assistant`"],
    ),
    (
        VERIFY,
        "prompts:",
        "            - role: user\n              content: |-",
        "            - content: |-",
        &["prompts.kyc-check.template[0].role: is missing"],
    ),
    (
        VERIFY,
        "review-verifications:",
        "              required: false\n",
        "",
        &["prompts.review-verifications.arguments.customer_id.required: must be false, as in the code"],
    ),
    (
        CUSTOMERS,
        "prompts:",
        "            iban:\n",
        "            ibn:\n",
        &[
            "prompts.onboard-customer.arguments.iban: is missing: the code takes it (optional)",
            "prompts.onboard-customer.arguments.ibn: is no argument of `onboard-customer`; did you mean `iban`?",
            "prompts.onboard-customer.arguments.ibn: stands in no message: what a person gives for it would be lost",
            "prompts.onboard-customer.template[0].content: `{{iban}}` is no argument of this prompt; did you mean `ibn`?",
        ],
    ),
    (
        CUSTOMERS,
        "prompts:",
        "          display: Onboard a customer\n",
        "          title: Onboard a customer\n",
        &[
            "prompts.onboard-customer.display: is missing",
            "prompts.onboard-customer.title: the format has no `title` here",
        ],
    ),
    (
        CUSTOMERS,
        "prompts:",
        "Steps:",
        "Ste\u{202E}ps:",
        &["prompts.onboard-customer.template[0].content: holds the invisible character U+202E"],
    ),
    (
        ACCOUNTS,
        "exposes:",
        "      tools:\n",
        "      prompts:\n        mine:\n          display: Mine\n          description: Mine\n          template:\n            - { role: user, content: Mine }\n      tools:\n",
        &["prompts.mine: is no prompt that this file may have"],
    ),
    (
        ACCOUNTS,
        "exposes:",
        "      tools:\n",
        "      prompts: [mine]\n      tools:\n",
        &["prompts: must be a mapping (`key: value`)"],
    ),
];

#[test]
fn every_fault_of_a_prompt_is_refused_with_its_place_and_reason() {
    for (file, after, from, to, expected) in FAULTS {
        let refused = refused(file, after, from, to);
        let mut told: Vec<&str> = refused
            .lines()
            .map(|line| line.split_once(" capability.exposes[0].").unwrap_or_else(|| panic!("{line}")).1)
            .collect();
        told.sort_unstable();
        assert_eq!(told, *expected, "{from:?} -> {to:?}");
        assert!(refused.starts_with(&format!("DIR/{file}:")), "{refused}");
    }
}

#[test]
fn a_text_is_taken_apart_where_values_go_in() {
    let capabilities = Capabilities::load(&Source::BuiltIn, &needs()).unwrap();
    let prompt = capabilities.prompt("explain_verification").unwrap();
    assert_eq!(prompt.title, "Explain a verification");
    let [message] = prompt.messages.as_slice() else { panic!() };
    assert_eq!(message.role, PromptRole::User);
    let values: Vec<&PromptPart> =
        message.parts.iter().filter(|part| matches!(part, PromptPart::Argument(_))).collect();
    assert_eq!(
        values,
        [&PromptPart::Argument("customer_id".into()), &PromptPart::Argument("verification_id".into())]
    );
}

#[test]
fn changed_words_take_effect_from_a_folder_with_more_messages_and_arguments_more_than_once() {
    let folder = copies();
    change(
        folder.path(),
        VERIFY,
        "kyc-check:",
        "          template:\n",
        "          template:\n            - { role: assistant, content: \"{{ customer_id }}{{customer_id}}\" }\n",
    );
    let capabilities = load(folder.path(), &needs()).unwrap();
    let messages = &capabilities.prompt("kyc_check").unwrap().messages;
    assert_eq!(messages[0].role, PromptRole::Assistant);
    assert_eq!(messages[0].parts.iter().filter(|part| matches!(part, PromptPart::Argument(_))).count(), 2);
    assert_eq!(messages.len(), 2);
}

//! The built-in files, and small changed copies of them: each check must be able to fail.

mod faults;
mod names;
mod operations;
mod prompts;
mod skills;

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const CUSTOMERS: &str = "manage-customers.yml";
const ACCOUNTS: &str = "manage-bank-accounts.yml";
const VERIFY: &str = "verify-identity.yml";
const FILES: [(&str, &str); 3] = [
    (CUSTOMERS, include_str!("../../capabilities/manage-customers.yml")),
    (ACCOUNTS, include_str!("../../capabilities/manage-bank-accounts.yml")),
    (VERIFY, include_str!("../../capabilities/verify-identity.yml")),
];

/// One action; an argument that ends in `*` is required.
fn action(action: &'static str, operation: Operation, arguments: &str) -> ActionNeeds {
    ActionNeeds { action, operations: vec![operation], arguments: taking(arguments) }
}

fn prompt(prompt: &'static str, arguments: &str) -> PromptNeeds {
    PromptNeeds { prompt, arguments: taking(arguments) }
}

fn taking(arguments: &str) -> Vec<ArgumentNeeds> {
    let arguments = arguments.split_whitespace().map(|argument| {
        let name = argument.trim_end_matches('*');
        let whole = matches!(name, "page" | "page_size" | "wait_seconds");
        ArgumentNeeds {
            name: name.to_owned(),
            kind: if whole { ArgumentKind::Integer } else { ArgumentKind::String },
            required: argument.ends_with('*'),
        }
    });
    arguments.collect()
}

fn needs() -> Vec<ToolNeeds> {
    use Operation as O;
    vec![
        ToolNeeds {
            tool: "manage_customers",
            actions: vec![
                action("list", O::ListAllCustomers, "page page_size external_id"),
                action(
                    "create",
                    O::CreateCustomer,
                    "first_name* last_name* email* company_name phone external_id",
                ),
                action("get", O::GetCustomerById, "customer_id*"),
            ],
            prompts: vec![prompt("onboard_customer", "first_name* last_name* email* iban provider_id")],
            skills: Vec::new(),
        },
        ToolNeeds {
            tool: "manage_bank_accounts",
            actions: vec![
                action("list", O::ListAllCustomerBankAccounts, "customer_id*"),
                action(
                    "create",
                    O::CreateCustomerBankAccount,
                    "customer_id* iban* holder_name* bic currency",
                ),
                action("get", O::GetBankAccountById, "customer_id* account_id*"),
            ],
            prompts: Vec::new(),
            skills: Vec::new(),
        },
        ToolNeeds {
            tool: "verify_identity",
            actions: vec![
                action(
                    "start",
                    O::InitiateCustomerVerification,
                    "customer_id* provider_id expected_name wait_seconds",
                ),
                action("get", O::GetCustomerVerificationById, "customer_id* verification_id* wait_seconds"),
                action("list", O::ListAllCustomerVerifications, "customer_id*"),
                ActionNeeds {
                    operations: vec![
                        O::GetCustomerById,
                        O::ListAllCustomerBankAccounts,
                        O::ListAllCustomerVerifications,
                    ],
                    ..action("dossier", O::GetCustomerById, "customer_id*")
                },
            ],
            prompts: vec![
                prompt("kyc_check", "customer_id*"),
                prompt("review_verifications", "customer_id"),
                prompt("explain_verification", "customer_id* verification_id*"),
            ],
            skills: vec!["kyc-check"],
        },
    ]
}

fn copies() -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Changes a copy of a built-in file, once, after the text `after`.
fn change(folder: &Path, file: &str, after: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find(after).unwrap_or_else(|| panic!("{after:?} is not in {file}"));
    let (head, tail) = text.split_at(start);
    assert!(tail.contains(from), "{from:?} does not follow {after:?} in {file}");
    fs::write(path, head.to_owned() + &tail.replacen(from, to, 1)).unwrap();
}

fn load(folder: &Path, needs: &[ToolNeeds]) -> Result<Capabilities, String> {
    Capabilities::load(&Source::Folder(folder.to_owned()), needs)
        .map_err(|refused| refused.to_string().replace(&format!("{}", folder.display()), "DIR"))
}

/// What is refused after one change: `(file, after, from, to)`.
fn refused(file: &str, after: &str, from: &str, to: &str) -> String {
    let folder = copies();
    change(folder.path(), file, after, from, to);
    load(folder.path(), &needs()).unwrap_err()
}

fn refused_file(file: &str, bytes: &[u8]) -> String {
    let folder = copies();
    fs::write(folder.path().join(file), bytes).unwrap();
    load(folder.path(), &needs()).unwrap_err()
}

#[test]
fn what_is_no_readable_file_is_refused() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: [*d,*d,*d,*d,*d,*d,*d,*d,*d]";
    let cases: [(&[u8], &str); 6] = [
        (b"", "1: must be a mapping (`key: value`)"),
        (b"a: b\nc: \xff", "2: is not UTF-8 text"),
        (b"a: b\n---\na: b", "2: is not one YAML document of at most 20000 values"),
        (bomb.as_bytes(), "5: is not one YAML document of at most 20000 values"),
        (&[b'['; 5000], "1: is not valid YAML: recursion limit exceeded"),
        (&vec![b'#'; 256 * 1024 + 1], " is larger than 256 KiB"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refused_file(VERIFY, bytes), format!("DIR/{VERIFY}:{expected}"));
    }
}

#[test]
fn a_folder_must_hold_the_three_files_and_no_misspelt_one() {
    let folder = copies();
    let dir = folder.path();
    fs::write(dir.join("README.md"), "words").unwrap();
    fs::write(dir.join(".manage-customers.yml.swp"), "left behind").unwrap();
    assert!(load(dir, &needs()).is_ok());

    fs::rename(dir.join(CUSTOMERS), dir.join("manage-customer.yml")).unwrap();
    fs::rename(dir.join(VERIFY), dir.join("verify-identity.yaml")).unwrap();
    fs::remove_file(dir.join(ACCOUNTS)).unwrap();
    fs::create_dir(dir.join(ACCOUNTS)).unwrap();
    assert_snapshot!(load(dir, &needs()).unwrap_err(), @r"
    DIR/manage-customer.yml: no tool reads this file; did you mean `manage-customers.yml`?
    DIR/verify-identity.yaml: no tool reads this file; did you mean `verify-identity.yml`?
    DIR/manage-customers.yml: is missing
    DIR/manage-bank-accounts.yml: is not a file
    DIR/verify-identity.yml: is missing
    ");
    let refused = load(&dir.join("none"), &needs()).unwrap_err();
    assert!(refused.starts_with("DIR: the folder cannot be read: "), "{refused}");
}

#[test]
fn every_problem_of_all_files_is_told_at_once() {
    let folder = copies();
    let dir = folder.path();
    change(dir, CUSTOMERS, "info:", "tags:", "tag:");
    change(dir, CUSTOMERS, "consumes:", "method: GET", "method: PUT");
    change(dir, ACCOUNTS, "info:", "display:", "display: [");
    change(dir, VERIFY, "exposes:", "        start:", "        begin:");
    let refused = load(dir, &needs()).unwrap_err();
    let places: Vec<_> = refused.lines().map(|line| line.split(": ").next().unwrap_or_default()).collect();
    assert_eq!(
        places,
        [
            "DIR/manage-customers.yml:13",
            "DIR/manage-customers.yml:37",
            "DIR/manage-bank-accounts.yml:10",
            "DIR/verify-identity.yml:80",
            "DIR/verify-identity.yml:81",
        ]
    );
}

#[test]
fn the_built_in_files_fit_the_contract() {
    let capabilities = Capabilities::load(&Source::BuiltIn, &needs()).unwrap();
    let routes: Vec<_> = Operation::ALL
        .iter()
        .map(|operation| {
            let route = capabilities.route(*operation);
            format!("{operation}: {} {}", route.method, route.template())
        })
        .collect();
    assert_snapshot!(routes.join("\n"), @r"
    listAllCustomers: GET /v1/customers
    createCustomer: POST /v1/customers
    getCustomerById: GET /v1/customers/{{customer_id}}
    listAllCustomerBankAccounts: GET /v1/customers/{{customer_id}}/bank-accounts
    createCustomerBankAccount: POST /v1/customers/{{customer_id}}/bank-accounts
    getBankAccountById: GET /v1/customers/{{customer_id}}/bank-accounts/{{account_id}}
    initiateCustomerVerification: POST /v1/customers/{{customer_id}}/verification
    listAllCustomerVerifications: GET /v1/customers/{{customer_id}}/verifications
    getCustomerVerificationById: GET /v1/customers/{{customer_id}}/verification/{{verification_id}}
    ");
    assert_eq!(capabilities.instructions().lines().count(), 3);
}

/// The whole list of tools must stay under 10 kB of JSON, and half of that is schema.
#[test]
fn the_built_in_words_are_few_and_say_who_uses_what() {
    let capabilities = Capabilities::load(&Source::BuiltIn, &needs()).unwrap();
    let mut total = 0;
    for tool in needs() {
        let words = capabilities.tool(tool.tool).unwrap();
        assert!(words.description.chars().count() <= 450, "{}", words.description);
        let all: Vec<_> = tool.actions.iter().map(|need| need.action).collect();
        total += words.description.len() + words.describe_actions(&all).len();
        for argument in &words.arguments {
            let (used_by, rest) = argument.description.split_once(". ").unwrap();
            let users = tool
                .actions
                .iter()
                .filter(|need| need.arguments.iter().any(|needed| needed.name == argument.name));
            for user in users {
                assert!(used_by.contains(user.action), "{}: {used_by}", argument.name);
            }
            assert!(rest.contains("Example: "), "{}: {rest}", argument.name);
            total += argument.description.len();
        }
    }
    assert!(total <= 4_500, "{total} bytes");
    let words = capabilities.tool("manage_bank_accounts").unwrap();
    assert_snapshot!(words.describe_actions(&["list", "get"]),
        @"list: the bank accounts of a customer; get: one bank account of a customer, by account_id");
    assert_eq!(words.action("create").unwrap().title, "Add a bank account");
    assert!(words.argument("iban").unwrap().starts_with("Used by create, required. "));
    assert!(capabilities.tool("manage-bank-accounts").is_none());
}

#[test]
fn a_changed_path_and_description_take_effect_from_a_folder() {
    let folder = copies();
    let dir = folder.path();
    change(dir, ACCOUNTS, "consumes:", "/bank-accounts\n", "/bank_accounts\n");
    change(dir, ACCOUNTS, "exposes:", "Lists, adds and reads", "Only ever reads");
    let capabilities = load(dir, &needs()).unwrap();
    let path = |operation| capabilities.route(operation).path(&[("customer_id", "1"), ("account_id", "2")]);
    assert_eq!(path(Operation::CreateCustomerBankAccount), "/v1/customers/1/bank_accounts");
    assert_eq!(path(Operation::GetBankAccountById), "/v1/customers/1/bank-accounts/2");
    let words = capabilities.tool("manage_bank_accounts").unwrap();
    assert!(words.description.starts_with("Only ever reads the bank accounts of one customer."));
}

#[test]
fn what_the_format_allows_and_the_server_does_not_read_is_let_pass() {
    let folder = copies();
    let dir = folder.path();
    change(dir, VERIFY, "", "info:", "aggregates: [{ from: ./a.yml, import: a }]\ninfo:\n  version: \"2\"");
    change(dir, VERIFY, "info:", "tags:", "stakeholders: [{ role: owner, fullName: Ada Byron }]\n  tags:");
    change(dir, VERIFY, "", "  consumes:", "  consumes:\n    - { from: ./shared.yml, import: shared }");
    change(
        dir,
        VERIFY,
        "",
        "  exposes:",
        "  exposes:\n    - { type: rest, port: 1, namespace: r, resources: [] }",
    );
    change(
        dir,
        VERIFY,
        "exposes:",
        "      tools:",
        "      resources: { check: { display: d, description: e } }\n      tools:",
    );
    change(
        dir,
        VERIFY,
        "tools:",
        "          call:",
        "          outputParameters: [{ type: object }]\n          call:",
    );
    load(dir, &needs()).unwrap();
}

/// Where words go to a client, each has its bound.
#[test]
fn words_that_a_client_would_refuse_are_refused() {
    for (after, from, bound) in [
        ("info:", "verify_identity starts", 400),
        ("exposes:", "Checks a customer's name", 1024),
        ("tools:", "starts a verification", 240),
        ("tools:", "Used by start, get, list", 240),
    ] {
        let long = from.to_owned() + &" and on".repeat(200);
        let refused = refused(VERIFY, after, from, &long);
        assert!(refused.contains(&format!("characters: at most {bound} are allowed")), "{refused}");
    }
}

#[test]
fn an_operation_that_no_action_needs_is_named() {
    let mut needs = needs();
    needs.pop();
    let folder = copies();
    fs::remove_file(folder.path().join(VERIFY)).unwrap();
    // A text that names the tool that is gone would be told first.
    let customers = folder.path().join(CUSTOMERS);
    fs::write(&customers, fs::read_to_string(&customers).unwrap().replace('`', "")).unwrap();
    let refused = Capabilities::load(&Source::Folder(folder.path().to_owned()), &needs).unwrap_err();
    assert_eq!(refused.0.len(), 3);
    assert_snapshot!(refused.0[0], @"capabilities: no action calls initiate-customer-verification");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever happens to a file, the answer is a line for each problem, or none; never a panic.
    #[test]
    fn no_damage_to_a_file_panics(
        file in 0..3_usize,
        at in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        damage in 0..5_u8,
        byte in any::<u8>(),
    ) {
        let (name, text) = FILES[file];
        let mut bytes = text.as_bytes().to_vec();
        let mut lines: Vec<_> = text.lines().collect();
        match damage {
            0 => bytes.truncate(at.index(bytes.len())),
            1 => { let at = at.index(bytes.len()); bytes[at] = byte; }
            2 => { lines.remove(at.index(lines.len())); bytes = lines.join("\n").into_bytes(); }
            3 => {
                let line = lines[at.index(lines.len())];
                lines.insert(other.index(lines.len()), line);
                bytes = lines.join("\n").into_bytes();
            }
            _ => bytes.insert(at.index(bytes.len()), byte),
        }
        let folder = copies();
        fs::write(folder.path().join(name), bytes).unwrap();
        if let Err(refused) = Capabilities::load(&Source::Folder(folder.path().to_owned()), &needs()) {
            prop_assert!(!refused.0.is_empty());
            for refusal in refused.0 {
                prop_assert_eq!(refusal.to_string().lines().count(), 1);
            }
        }
    }
}

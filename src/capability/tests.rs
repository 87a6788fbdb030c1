//! The built-in files, and small changed copies of them: each check must be able to fail.

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
    let arguments = arguments.split_whitespace().map(|argument| {
        let name = argument.trim_end_matches('*');
        let whole = matches!(name, "page" | "page_size");
        ArgumentNeeds {
            name: name.to_owned(),
            kind: if whole { ArgumentKind::Integer } else { ArgumentKind::String },
            required: argument.ends_with('*'),
        }
    });
    ActionNeeds { action, operations: vec![operation], arguments: arguments.collect() }
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
        },
        ToolNeeds {
            tool: "verify_identity",
            actions: vec![
                action("start", O::InitiateCustomerVerification, "customer_id* provider_id expected_name"),
                action("get", O::GetCustomerVerificationById, "customer_id* verification_id*"),
                action("list", O::ListAllCustomerVerifications, "customer_id*"),
            ],
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

/// What changes, and what is then said: the whole of it, so that no noise comes with the reason.
#[test]
fn every_fault_of_a_file_is_refused_with_its_place_and_reason() {
    let cases = [
        (
            CUSTOMERS,
            "tools:",
            "        get:\n",
            "        gett:\n",
            "DIR/manage-customers.yml:72: capability.exposes[0].tools.get: is missing: the tool has this action\n\
             DIR/manage-customers.yml:127: capability.exposes[0].tools.gett: is no action of manage_customers; did you mean `get`?",
        ),
        (
            CUSTOMERS,
            "tools:",
            "call: fintecture-customers.list-all-customers",
            "call: fintecture-customers.list-al-customers",
            "DIR/manage-customers.yml:90: capability.exposes[0].tools.list.call: `fintecture-customers.list-al-customers` is no operation of this file; did you mean `fintecture-customers.list-all-customers`?",
        ),
        (
            CUSTOMERS,
            "tools:",
            "call: fintecture-customers.list-all-customers",
            "call: fintecture-customers.get-customer-by-id",
            "DIR/manage-customers.yml:90: capability.exposes[0].tools.list.call: `get-customer-by-id` is not what `list` calls: list-all-customers",
        ),
        (
            CUSTOMERS,
            "tools:",
            "          call: fintecture-customers.get-customer-by-id\n",
            "",
            "DIR/manage-customers.yml:127: capability.exposes[0].tools.get.call: is missing: `get` calls get-customer-by-id",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "method: GET",
            "method: POST",
            "DIR/manage-customers.yml:37: capability.consumes[0].resources.customers.operations.list-all-customers.method: `POST` does not fit: list-all-customers reads, with GET",
        ),
        (
            CUSTOMERS,
            "create-customer:",
            "method: POST",
            "method: DELETE",
            "DIR/manage-customers.yml:44: capability.consumes[0].resources.customers.operations.create-customer.method: `DELETE` does not fit: create-customer writes, with POST, PUT or PATCH",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "/{{customer_id}}",
            "/{customer_id}",
            "DIR/manage-customers.yml:56: capability.consumes[0].resources.customer.path: `{customer_id}` would be sent as it stands: write `{{customer_id}}`",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "/{{customer_id}}",
            "/{{customerid}}",
            "DIR/manage-customers.yml:56: capability.consumes[0].resources.customer.path: `{{customerid}}` is nothing that get-customer-by-id fills in; did you mean `customer_id`?",
        ),
        (
            ACCOUNTS,
            "consumes:",
            "path: /v1/",
            "path: /v1//",
            "DIR/manage-bank-accounts.yml:33: capability.consumes[0].resources.bank-accounts.path: the path holds `//`",
        ),
        (
            CUSTOMERS,
            "exposes:",
            "namespace: manage-customers",
            "namespace: customers",
            "DIR/manage-customers.yml:67: capability.exposes[0].namespace: must be `manage-customers`: it names the tool manage_customers",
        ),
        (
            CUSTOMERS,
            "tools:",
            "company_name:",
            "compny_name:",
            "DIR/manage-customers.yml:93: capability.exposes[0].tools.create.inputParameters.company_name: is missing: the code takes it (string, optional)\n\
             DIR/manage-customers.yml:107: capability.exposes[0].tools.create.inputParameters.compny_name: is no argument of `create`; did you mean `company_name`?",
        ),
        (
            CUSTOMERS,
            "tools:",
            "type: integer",
            "type: string",
            "DIR/manage-customers.yml:79: capability.exposes[0].tools.list.inputParameters.page.type: is `string`, but the code takes `integer`",
        ),
        (
            CUSTOMERS,
            "page_size:",
            "              required: false\n",
            "",
            "DIR/manage-customers.yml:82: capability.exposes[0].tools.list.inputParameters.page_size.required: must be false, as in the code; the format takes true where it is absent",
        ),
        (
            CUSTOMERS,
            "tools:",
            "Example: Ada\"",
            "Example: Ada\"\n              required: false",
            "DIR/manage-customers.yml:101: capability.exposes[0].tools.create.inputParameters.first_name.required: must be true, as in the code",
        ),
        (
            VERIFY,
            "display: Get a verification",
            "Used by start, get, list",
            "Used by get",
            "DIR/verify-identity.yml:104: capability.exposes[0].tools.get.inputParameters.customer_id.description: reads differently in `start`: an agent sees one text for both",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "readOnly: false",
            "readOnly: true",
            "DIR/manage-customers.yml:96: capability.exposes[0].tools.create.hints.readOnly: must be false: `create` writes",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "destructive: false",
            "destructive: true",
            "DIR/manage-customers.yml:96: capability.exposes[0].tools.create.hints.destructive: must be false: `create` destroys nothing",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "          hints: { readOnly: false, destructive: false, idempotent: false, openWorld: true }\n",
            "",
            "DIR/manage-customers.yml:93: capability.exposes[0].tools.create.hints.destructive: must be false: `create` destroys nothing",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "description: registers a new customer; needs first_name, last_name and email",
            "description: \" \"",
            "DIR/manage-customers.yml:95: capability.exposes[0].tools.create.description: must not be blank",
        ),
        (
            CUSTOMERS,
            "info:",
            "Manage customers",
            "Manage the customers of the merchant, their names and their references",
            "DIR/manage-customers.yml:9: info.display: has 70 characters: at most 60 are allowed",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "description: registers",
            "description: \"regi\\nsters\" #",
            "DIR/manage-customers.yml:95: capability.exposes[0].tools.create.description: holds a line break: fold the text with `>-`",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "description: registers",
            "description: \"regi\\u202Esters\" #",
            "DIR/manage-customers.yml:95: capability.exposes[0].tools.create.description: holds the invisible character U+202E",
        ),
        (
            CUSTOMERS,
            "display: Create",
            "description: registers",
            "discription: registers",
            "DIR/manage-customers.yml:93: capability.exposes[0].tools.create.description: is missing\n\
             DIR/manage-customers.yml:95: capability.exposes[0].tools.create.discription: the format has no `discription` here; did you mean `description`?",
        ),
        (
            CUSTOMERS,
            "",
            "1.0.0-beta5",
            "1.0.0-beta4",
            "DIR/manage-customers.yml:6: ikanos: is not the version that the server reads: \"1.0.0-beta5\"",
        ),
        (
            CUSTOMERS,
            "",
            "ikanos:",
            "naftiko:",
            "DIR/manage-customers.yml:6: ikanos: is missing: the version \"1.0.0-beta5\"",
        ),
        (
            CUSTOMERS,
            "tools:",
            "        get:\n",
            "        list:\n",
            "DIR/manage-customers.yml:127: the key `list` stands twice",
        ),
        (
            CUSTOMERS,
            "info:",
            "display: Manage customers",
            "display: 12",
            "DIR/manage-customers.yml:9: info.display: must be a text: put it in quotes",
        ),
        (
            CUSTOMERS,
            "info:",
            "display: Manage customers",
            "display: [Manage",
            "DIR/manage-customers.yml:10: is not valid YAML: illegal placement of ':' indicator",
        ),
        (
            CUSTOMERS,
            "info:",
            "display: Manage customers",
            "display: *nowhere",
            "DIR/manage-customers.yml:9: is not valid YAML: alias references unknown anchor",
        ),
        (
            CUSTOMERS,
            "display: Get a customer",
            "            customer_id: \"{{customer_id}}\"\n",
            "            customer_id: \"{{customer_id}}\"\n    - { type: mcp, transport: stdio, namespace: n, tools: {} }\n",
            "DIR/manage-customers.yml:138: capability.exposes[1]: is a second mcp adapter: one file is one tool",
        ),
        (
            CUSTOMERS,
            "exposes:",
            "    - type: mcp",
            "    - type: rest",
            "DIR/manage-customers.yml:64: capability.exposes: has no mcp adapter: it is what an agent sees (imports are not followed)",
        ),
        (
            CUSTOMERS,
            "exposes:",
            "    - type: mcp",
            "    - type: mpc",
            "DIR/manage-customers.yml:64: capability.exposes: has no mcp adapter: it is what an agent sees (imports are not followed)\n\
             DIR/manage-customers.yml:65: capability.exposes[0].type: must be `mcp`, `rest`, `skill` or `control`",
        ),
        (
            CUSTOMERS,
            "exposes:",
            "transport: stdio",
            "transport: stdio\n      port: 1",
            "DIR/manage-customers.yml:67: capability.exposes[0].port: does not go with `transport: stdio`",
        ),
        (
            CUSTOMERS,
            "exposes:",
            "transport: stdio",
            "transport: http",
            "DIR/manage-customers.yml:65: capability.exposes[0].transport: must be `stdio` where there is no port",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "            get-customer-by-id:",
            "            create-customer:",
            "DIR/manage-customers.yml:58: capability.consumes[0].resources.customer.operations.create-customer: stands twice: `fintecture-customers.create-customer` would be either\n\
             DIR/manage-customers.yml:135: capability.exposes[0].tools.get.call: `fintecture-customers.get-customer-by-id` is no operation of this file; did you mean `fintecture-customers.create-customer`?",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "      baseUri: https://api-sandbox.fintecture.com\n",
            "",
            "DIR/manage-customers.yml:25: capability.consumes[0].baseUri: is missing",
        ),
        (
            CUSTOMERS,
            "consumes:",
            "type: http",
            "type: grpc",
            "DIR/manage-customers.yml:25: capability.consumes[0].type: must be `http`",
        ),
        (
            CUSTOMERS,
            "tools:",
            "required: false",
            "required: no thanks",
            "DIR/manage-customers.yml:81: capability.exposes[0].tools.list.inputParameters.page.required: must be true or false",
        ),
        (
            CUSTOMERS,
            "tools:",
            "hints: { readOnly: true, destructive: false, idempotent: true, openWorld: true }",
            "hints: true",
            "DIR/manage-customers.yml:76: capability.exposes[0].tools.list.hints: must be a mapping (`key: value`)",
        ),
    ];
    for (file, after, from, to, expected) in cases {
        assert_eq!(refused(file, after, from, to), expected, "{from:?} -> {to:?}");
    }
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
        (&[b'#'; 256 * 1024 + 1], " is larger than 256 KiB"),
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
            "DIR/verify-identity.yml:75",
            "DIR/verify-identity.yml:76",
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
        "      prompts: { check: { display: d, description: e } }\n      tools:",
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

/// An action of several operations has steps, and a file that states an operation again states it alike.
#[test]
fn steps_may_call_operations_that_another_file_states_too() {
    let dossier = "        dossier:
          display: Dossier
          description: a customer and their verifications
          hints: { readOnly: true }
          steps:
            who: { type: call, call: fintecture-verifications.get-customer-by-id }
            checks: { type: call, call: fintecture-verifications.list-all-customer-verifications }
        start:
";
    let again = "        customer:
          path: /v1/customers/{{customer_id}}
          operations:
            get-customer-by-id: { method: GET }
      resources_end:";
    let folder = copies();
    let dir = folder.path();
    change(dir, VERIFY, "tools:", "        start:\n", dossier);
    change(
        dir,
        VERIFY,
        "resources:",
        "        # One",
        &again.replace("      resources_end:", "        # One"),
    );
    let mut needs = needs();
    let mut need = action("dossier", Operation::GetCustomerById, "");
    need.operations.push(Operation::ListAllCustomerVerifications);
    needs.last_mut().unwrap().actions.push(need);
    load(dir, &needs).unwrap();

    change(
        dir,
        VERIFY,
        "        customer:",
        "/v1/customers/{{customer_id}}",
        "/v2/customers/{{customer_id}}",
    );
    assert_snapshot!(load(dir, &needs).unwrap_err(), @"DIR/verify-identity.yml:34: capability.consumes[0].resources.customer.path: get-customer-by-id has another route in DIR/manage-customers.yml");
    change(dir, VERIFY, "        customer:", "/v2/", "/v1/");
    change(dir, VERIFY, "dossier:", "list-all-customer-verifications", "get-customer-by-id");
    assert_snapshot!(load(dir, &needs).unwrap_err(), @"DIR/verify-identity.yml:80: capability.exposes[0].tools.dossier.steps: is missing: `dossier` calls list-all-customer-verifications");
}

#[test]
fn an_operation_that_no_action_needs_is_named() {
    let mut needs = needs();
    needs.pop();
    let refused = Capabilities::load(&Source::BuiltIn, &needs).unwrap_err();
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

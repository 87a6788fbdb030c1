//! One fault at a time in a file that is otherwise as built in, and the whole of what is then said.

use super::{ACCOUNTS, CUSTOMERS, VERIFY, refused};

/// The file, the text after which it is changed, what becomes what, and the refusal.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);

const FAULTS: &[Fault] = &[
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
        "DIR/verify-identity.yml:113: capability.exposes[0].tools.get.inputParameters.customer_id.description: reads differently in `start`: an agent sees one text for both",
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
        ACCOUNTS,
        "display: Get a bank account",
        "            account_id: \"{{account_id}}\"\n",
        "            account_id: \"{{account_id}}\"\n    - { type: mcp, transport: stdio, namespace: n, tools: {} }\n",
        "DIR/manage-bank-accounts.yml:126: capability.exposes[1]: is a second mcp adapter: one file is one tool",
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
             DIR/manage-customers.yml:135: capability.exposes[0].tools.get.call: `fintecture-customers.get-customer-by-id` is no operation of this file; did you mean `fintecture-customers.create-customer`?\n\
             DIR/verify-identity.yml:147: capability.exposes[0].tools.dossier.steps.customer.call: `fintecture-customers.get-customer-by-id` is no operation of this file; did you mean `fintecture-customers.create-customer`?",
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

#[test]
fn every_fault_of_a_file_is_refused_with_its_place_and_reason_and_no_noise() {
    for (file, after, from, to, expected) in FAULTS {
        assert_eq!(refused(file, after, from, to), *expected, "{from:?} -> {to:?}");
    }
}

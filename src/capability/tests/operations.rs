//! Operations that several files speak of: stated twice alike, or imported.

use insta::assert_snapshot;

use super::*;

/// An action of several operations has steps, and a file that states an operation again states it alike.
#[test]
fn steps_may_call_operations_that_another_file_states_too() {
    let again = "        customer:
          path: /v1/customers/{{customer_id}}
          operations:
            get-customer-by-id: { method: GET }
        # One";
    let folder = copies();
    let dir = folder.path();
    change(dir, VERIFY, "resources:", "        # One", again);
    let (import, own) =
        ("fintecture-customers.get-customer-by-id", "fintecture-verifications.get-customer-by-id");
    change(dir, VERIFY, "dossier:", import, own);
    load(dir, &needs()).unwrap();

    change(
        dir,
        VERIFY,
        "        customer:",
        "/v1/customers/{{customer_id}}",
        "/v2/customers/{{customer_id}}",
    );
    assert_snapshot!(load(dir, &needs()).unwrap_err(), @"DIR/verify-identity.yml:34: capability.consumes[0].resources.customer.path: get-customer-by-id has another route in DIR/manage-customers.yml");
    change(dir, VERIFY, "        customer:", "/v2/", "/v1/");
    change(dir, VERIFY, "dossier:", "list-all-customer-verifications", "get-customer-by-id");
    assert_snapshot!(load(dir, &needs()).unwrap_err(), @"DIR/verify-identity.yml:140: capability.exposes[0].tools.dossier.steps: is missing: `dossier` calls list-all-customer-verifications");
    change(dir, VERIFY, "steps:", "type: call", "type: lookup");
    assert!(
        load(dir, &needs())
            .unwrap_err()
            .contains("steps.customer.type: must be `call`: no other step is read")
    );
}

/// A route stands in one file: what is imported follows it, and an import that leads nowhere is refused.
#[test]
fn an_imported_operation_has_the_route_of_its_own_file() {
    let folder = copies();
    let dir = folder.path();
    change(dir, ACCOUNTS, "consumes:", "/bank-accounts\n", "/bank_accounts\n");
    change(
        dir,
        VERIFY,
        "consumes:",
        "import: fintecture-customers",
        "import: fintecture-customers\n      as: people",
    );
    change(dir, VERIFY, "dossier:", "fintecture-customers.", "people.");
    let capabilities = load(dir, &needs()).unwrap();
    let path = capabilities.route(Operation::ListAllCustomerBankAccounts).path(&[("customer_id", "1")]);
    assert_eq!(path, "/v1/customers/1/bank_accounts");

    change(dir, VERIFY, "consumes:", "import: fintecture-customers", "import: fintecture-customer");
    change(dir, VERIFY, "consumes:", "./manage-bank-accounts.yml", "./accounts.yml");
    assert_snapshot!(load(dir, &needs()).unwrap_err(), @r"
    DIR/verify-identity.yml:65: capability.consumes[1]: manage-customers.yml consumes no namespace `fintecture-customer`
    DIR/verify-identity.yml:153: capability.exposes[0].tools.dossier.steps.bank-accounts.call: `fintecture-bank-accounts.list-all-customer-bank-accounts` is no operation of this file
    ");
    change(dir, VERIFY, "consumes:", "import: fintecture-bank-accounts", "imports: fintecture-bank-accounts");
    assert!(load(dir, &needs()).unwrap_err().contains("consumes[2].import: is missing"));
}

//! A good call of each of the nine operations, and the request that it must become.

use serde_json::{Value, json};

/// One operation of the REST API, as an agent reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) arguments: Value,
    pub(crate) method: &'static str,
    /// Path and query, exactly as sent.
    pub(crate) target: &'static str,
    /// The JSON body, `Null` where none is sent.
    pub(crate) body: Value,
    /// The member of the result that holds what came back.
    pub(crate) member: &'static str,
}

impl Operation {
    pub(crate) fn writes(&self) -> bool {
        self.method == "POST"
    }

    pub(crate) fn lists(&self) -> bool {
        self.member.ends_with('s')
    }

    /// The arguments of another write of this kind: the same one again would be answered from the first.
    pub(crate) fn another(&self, number: usize) -> Value {
        let names = ["last_name", "holder_name", "expected_name"];
        let mut arguments = self.arguments.clone();
        if self.writes() {
            let name = names.into_iter().find(|name| arguments.get(name).is_some()).unwrap();
            arguments[name] = json!(format!("Number {number}"));
        }
        arguments
    }

    /// An answer of the upstream that it can read: flat, with the id that was asked for.
    pub(crate) fn plain_answer(&self) -> Value {
        if self.lists() {
            return json!({"data": [{"id": "one"}], "meta": {"count": 1}});
        }
        let id =
            ["verification_id", "account_id", "customer_id"].iter().find_map(|name| self.arguments.get(name));
        json!({"id": id.unwrap_or(&json!("new"))})
    }
}

/// All nine, in the order of the API's description. Every optional argument is given, but for the `external_id` of a
/// new customer: see [`create_with_external_id`].
pub(crate) fn all() -> Vec<Operation> {
    let call = |name, tool, arguments, method, target, body, member| Operation {
        name,
        tool,
        arguments,
        method,
        target,
        body,
        member,
    };
    let customers = "manage_customers";
    let accounts = "manage_bank_accounts";
    let verify = "verify_identity";
    vec![
        call(
            "listAllCustomers",
            customers,
            json!({"action": "list", "page": 2, "page_size": 50, "external_id": "crm 1/é&x"}),
            "GET",
            "/v1/customers?page%5Bnumber%5D=2&page%5Bsize%5D=50&external_id=crm+1%2F%C3%A9%26x",
            Value::Null,
            "customers",
        ),
        call(
            "createCustomer",
            customers,
            json!({"action": "create", "first_name": "Ada", "last_name": "Byron", "email": "ada@example.com",
                "company_name": "Byron SAS", "phone": "+33 6 12 34 56 78"}),
            "POST",
            "/v1/customers",
            json!({"first_name": "Ada", "last_name": "Byron", "email": "ada@example.com",
                "company_name": "Byron SAS", "phone": "+33612345678"}),
            "customer",
        ),
        call(
            "getCustomerById",
            customers,
            json!({"action": "get", "customer_id": "cus_1"}),
            "GET",
            "/v1/customers/cus_1",
            Value::Null,
            "customer",
        ),
        call(
            "listAllCustomerBankAccounts",
            accounts,
            json!({"action": "list", "customer_id": "cus_1"}),
            "GET",
            "/v1/customers/cus_1/bank-accounts",
            Value::Null,
            "bank_accounts",
        ),
        call(
            "createCustomerBankAccount",
            accounts,
            json!({"action": "create", "customer_id": "cus_1", "iban": "fr76 3000 6000 0112 3456 7890 189",
                "holder_name": "Ada Byron", "bic": "agrifrpp", "currency": "eur"}),
            "POST",
            "/v1/customers/cus_1/bank-accounts",
            json!({"iban": "FR7630006000011234567890189", "holder_name": "Ada Byron", "bic": "AGRIFRPP",
                "currency": "EUR"}),
            "bank_account",
        ),
        call(
            "getBankAccountById",
            accounts,
            json!({"action": "get", "customer_id": "cus_1", "account_id": "acc_1"}),
            "GET",
            "/v1/customers/cus_1/bank-accounts/acc_1",
            Value::Null,
            "bank_account",
        ),
        call(
            "initiateCustomerVerification",
            verify,
            json!({"action": "start", "customer_id": "cus_1", "provider_id": "bnpparibas",
                "expected_name": "Ada Byron"}),
            "POST",
            "/v1/customers/cus_1/verification",
            json!({"provider_id": "bnpparibas", "expected_name": "Ada Byron"}),
            "verification",
        ),
        call(
            "listAllCustomerVerifications",
            verify,
            json!({"action": "list", "customer_id": "cus_1"}),
            "GET",
            "/v1/customers/cus_1/verifications",
            Value::Null,
            "verifications",
        ),
        call(
            "getCustomerVerificationById",
            verify,
            json!({"action": "get", "customer_id": "cus_1", "verification_id": "ver_1"}),
            "GET",
            "/v1/customers/cus_1/verification/ver_1",
            Value::Null,
            "verification",
        ),
    ]
}

/// The operation of this name.
pub(crate) fn named(name: &str) -> Operation {
    all().into_iter().find(|operation| operation.name == name).unwrap()
}

/// A new customer with an `external_id`, which the server looks for before it writes.
pub(crate) fn create_with_external_id() -> Operation {
    let mut create = named("createCustomer");
    create.arguments["external_id"] = json!("crm-1");
    create.body["external_id"] = json!("crm-1");
    create
}

/// A read and a write, for what does not depend on the operation.
pub(crate) fn read_and_write() -> [Operation; 2] {
    let mut write = named("createCustomer");
    // The rules of phone numbers take an unoptimized build most of a second to load, in each process.
    write.arguments.as_object_mut().unwrap().shift_remove("phone");
    [named("getCustomerById"), write]
}

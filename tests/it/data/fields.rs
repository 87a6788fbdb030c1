//! A value of its own for every argument of every action, and for every field that the upstream answers with.

use serde_json::{Map, Value, json};

use super::needle::Needle;

/// One field, with the value that it has in these tests.
pub(super) struct Field {
    /// The tool and action, or the record.
    pub(super) of: &'static str,
    /// The argument, or the record's field.
    pub(super) name: &'static str,
    pub(super) value: Value,
    /// What stands where it is masked.
    pub(super) masked: Option<&'static str>,
}

impl Field {
    pub(super) fn needle(&self) -> Needle {
        let text = self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned);
        match self.name {
            "currency" => Needle::Word(text),
            "address.country" => Needle::Named { name: "country", value: text },
            "page_size" => Needle::Named { name: "size", value: text },
            "wait_seconds" => Needle::Named { name: "wait_seconds", value: text },
            "verified" => Needle::Named { name: "verified", value: text },
            // However a phone is written, its subscriber number is in it.
            "phone" => Needle::Text(text.chars().filter(char::is_ascii_digit).skip(2).collect()),
            _ => Needle::Text(text),
        }
    }
}

fn plain(of: &'static str, fields: &[(&'static str, Value)]) -> Vec<Field> {
    let field =
        |(name, value): &(&'static str, Value)| Field { of, name, value: value.clone(), masked: None };
    fields.iter().map(field).collect()
}

/// Every argument of every action but `action` itself, in the contract's order.
pub(super) fn arguments() -> Vec<Field> {
    let of = |of, fields: &[(&'static str, Value)]| plain(of, fields);
    let all = [
        of(
            "manage_customers list",
            &[("page", json!(80_000_017)), ("page_size", json!(97)), ("external_id", json!("qext-list-1"))],
        ),
        of(
            "manage_customers create",
            &[
                ("first_name", json!("Qfirst-argument")),
                ("last_name", json!("Qlast-argument")),
                ("email", json!("quill@canary-argument.example")),
                ("company_name", json!("Qcompany Argument SAS")),
                ("phone", json!("+33 6 87 65 43 21")),
                ("external_id", json!("qext-create-1")),
            ],
        ),
        of("manage_customers get", &[("customer_id", json!("cus_q1get"))]),
        of("manage_bank_accounts list", &[("customer_id", json!("cus_q2accounts"))]),
        of(
            "manage_bank_accounts create",
            &[
                ("customer_id", json!("cus_q3attach")),
                ("iban", json!("FR76 3000 6000 0112 3456 7890 189")),
                ("holder_name", json!("Qholder Argument")),
                ("bic", json!("QBNKFRPP123")),
                ("currency", json!("XPF")),
            ],
        ),
        of(
            "manage_bank_accounts get",
            &[("customer_id", json!("cus_q4account")), ("account_id", json!("acc_q4account"))],
        ),
        of(
            "verify_identity start",
            &[
                ("customer_id", json!("cus_q5start")),
                ("provider_id", json!("qprovider-argument")),
                ("expected_name", json!("Qexpected Argument")),
                ("wait_seconds", json!(7)),
            ],
        ),
        of(
            "verify_identity get",
            &[
                ("customer_id", json!("cus_q6look")),
                ("verification_id", json!("ver_q6look")),
                ("wait_seconds", json!(8)),
            ],
        ),
        of("verify_identity list", &[("customer_id", json!("cus_q7checks"))]),
        of("verify_identity dossier", &[("customer_id", json!("cus_q8dossier"))]),
    ]
    .into_iter()
    .flatten();
    mask(all, &[("iban", "FR76…0189"), ("email", "q…@canary-argument.example"), ("phone", "+336…21")])
}

/// Every field that the API's description has, and one that it has not, of each kind of record.
pub(super) fn results() -> Vec<Field> {
    let of = |of, fields: &[(&'static str, Value)]| plain(of, fields);
    let all = [
        of(
            "customer",
            &[
                ("id", json!("cus_q9result")),
                ("first_name", json!("Qfirst-result")),
                ("last_name", json!("Qlast-result")),
                ("company_name", json!("Qcompany Result SAS")),
                ("email", json!("zara@canary-result.example")),
                ("phone", json!("+33 6 98 76 54 32")),
                ("address.line1", json!("1 Qstreet Result")),
                ("address.line2", json!("Qstairs Result")),
                ("address.postal_code", json!("QP75999")),
                ("address.city", json!("Qcity-result")),
                ("address.country", json!("QX")),
                ("external_id", json!("qext-result-1")),
                ("created_at", json!("2020-02-28T01:02:03Z")),
                ("any other field", json!("qunknown-customer")),
            ],
        ),
        of(
            "bank account",
            &[
                ("id", json!("acc_q9result")),
                ("iban", json!("DE89370400440532013000")),
                ("bic", json!("QBNKDEFF456")),
                ("holder_name", json!("Qholder Result")),
                ("currency", json!("XDR")),
                ("verified", json!(true)),
                ("any other field", json!("qunknown-account")),
            ],
        ),
        of(
            "verification",
            &[
                ("id", json!("ver_q9result")),
                ("status", json!("qstatus-result")),
                ("match_score", json!(0.735_19)),
                ("provider_id", json!("qprovider-result")),
                ("verified_at", json!("2020-03-30T04:05:06Z")),
                ("any other field", json!("qunknown-verification")),
            ],
        ),
        of("list", &[("meta.count", json!(80_000_023)), ("links", json!("qlinks-result"))]),
        of("error", &[("detail", json!("Qdetail of the refusal"))]),
    ]
    .into_iter()
    .flatten();
    mask(all, &[("iban", "DE89…3000"), ("email", "z…@canary-result.example"), ("phone", "+336…32")])
}

/// The arguments of a call of this tool and action.
pub(super) fn call(of: &str) -> (&'static str, Value) {
    let fields: Vec<Field> = arguments().into_iter().filter(|field| field.of == of).collect();
    let (tool, action) = fields.first().expect("an action with arguments").of.split_once(' ').unwrap();
    let given = fields.into_iter().map(|field| (field.name.to_owned(), field.value));
    let arguments: Map<String, Value> =
        [("action".to_owned(), json!(action))].into_iter().chain(given).collect();
    (tool, Value::Object(arguments))
}

/// Such a record, as the upstream sends it; with this id where one was asked for.
pub(super) fn record(of: &str, id: Option<&str>) -> Value {
    let mut record = json!({});
    for field in results().into_iter().filter(|field| field.of == of) {
        match field.name.split_once('.') {
            Some((outer, inner)) => record[outer][inner] = field.value,
            None => record[field.name] = field.value,
        }
    }
    if let Some(id) = id {
        record["id"] = json!(id);
    }
    record
}

fn mask(fields: impl Iterator<Item = Field>, masks: &[(&str, &'static str)]) -> Vec<Field> {
    let masked =
        |field: &Field| masks.iter().find(|(name, _)| *name == field.name).map(|(_, masked)| *masked);
    fields.map(|field| Field { masked: masked(&field), ..field }).collect()
}

//! The rules on whole results, and a search for what gets through.

use proptest::prelude::*;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::{mask, mask_text};

fn masked(mut value: Value) -> Value {
    mask(&mut value);
    value
}

#[test]
fn a_result_is_masked_at_any_depth_and_the_rest_stays() {
    let result = json!({
        "action": "get",
        "customer": {
            "id": "sim_cus_ada",
            "name": "Ada Byron",
            "email": "ada@example.com",
            "phone": "+33612345678",
            "accounts": [{"iban": "FR7630006000011234567890189", "label": "to DE89 3704 0044 0532 0130 00"}],
            "created_at": "2024-05-01T10:00:00Z",
            "active": true,
            "count": 33_612_345_678_u64,
            "nothing": null
        }
    });
    let expected = r#"{"action":"get","customer":{"id":"sim_cus_ada","name":"Ada Byron","email":"a…@example.com","phone":"+336…78","accounts":[{"iban":"FR76…0189","label":"to DE89…3000"}],"created_at":"2024-05-01T10:00:00Z","active":true,"count":33612345678,"nothing":null}}"#;
    assert_eq!(masked(result).to_string(), expected);
}

#[test]
fn what_is_spelled_with_escapes_is_found_too() {
    let percent =
        |text: &str| text.bytes().fold(String::new(), |spelled, byte| format!("{spelled}%{byte:02X}"));
    for (text, masked) in [
        (percent("ada.byron@") + "example%2Ecom", "a…@example%2Ecom"),
        ("to=ada%2Ebyron%40example%2Ecom&x=100%".to_owned(), "to=a…@example%2Ecom&x=100%"),
        (
            "R&amp;D &#97;&#100;a&#64;example&#46;com &#8238;%00".to_owned(),
            "R&amp;D a…@example&#46;com &#8238;%00",
        ),
        (r#"{"email": "zoe.kyc@ex\u00e4mple.fr"}"#.to_owned(), r#"{"email": "z…@ex\u00e4mple.fr"}"#),
        (
            "DE89%26nbsp%3B3704%26nbsp%3B0044%26nbsp%3B0532%26nbsp%3B0130%26nbsp%3B00-ada%40ex%C3%A4mple.fr"
                .to_owned(),
            "D…@ex%C3%A4mple.fr",
        ),
        (percent("+33612345678"), "+336…78"),
        (percent("FR7630006000011234567890189"), "FR76…0189"),
        // What stands for a character that did not show.
        ("ada.byron@\u{FFFD}example.com".to_owned(), "a…@\u{FFFD}example.com"),
        ("+33\u{FFFD}612345678".to_owned(), "+336…78"),
    ] {
        assert_eq!(mask_text(&text), masked, "{text}");
        assert_eq!(mask_text(masked), masked);
    }
    for text in ["100% sure &amp; 50%25", "a%20b", r"C:\new\users", "%E9"] {
        assert_eq!(mask_text(text), text);
    }
}

#[test]
fn phone_fields_hide_numbers_in_lists_and_objects_too() {
    let result = json!({
        "mobile": 33_612_345_678_u64,
        "phone_numbers": ["0612345678", {"national": 612_345_678, "verified": true, "since": "2024-05-01"}],
        "phone_status": "verified",
        "hotel": "0612345678"
    });
    let expected = json!({
        "mobile": "…78",
        "phone_numbers": ["…78", {"national": "…78", "verified": true, "since": "2024-05-01"}],
        "phone_status": "verified",
        "hotel": "0612345678"
    });
    assert_eq!(masked(result), expected);
}

#[test]
fn names_are_masked_in_their_order_and_kept_apart() {
    let result = json!({
        "z": 1,
        "FR7630006000011234567890189": 2,
        "fr76 3000 6000 0112 3456 7890 189": 3,
        "FR76…0189": 4,
        "ada@example.com": 5,
        "+33612345678": 6
    });
    let once = masked(result);
    let expected =
        r#"{"z":1,"FR76…0189 #2":2,"FR76…0189 #3":3,"FR76…0189":4,"a…@example.com":5,"+336…78":6}"#;
    assert_eq!(once.to_string(), expected);
    assert_eq!(masked(once.clone()), once);
}

#[test]
fn only_our_own_examples_stay() {
    let iban = "FR1420041010050500013M02606";
    let result = json!({
        "error": {"problems": [{"field": "iban", "message": iban, "example": iban}], "example": iban},
        "problems": [{"example": iban}]
    });
    let expected = json!({
        "error": {"problems": [{"field": "iban", "message": "FR14…2606", "example": iban}], "example": "FR14…2606"},
        "problems": [{"example": "FR14…2606"}]
    });
    assert_eq!(masked(result), expected);
}

#[test]
fn look_alikes_and_mixtures() {
    for (text, expected) in [
        ("ＦＲ７６ ３０００６０００ ０１１２３４５６７８９０１８９", "FR76…0189"),
        ("ada＠example.com", "a…@example.com"),
        ("＋３３６１２３４５６７８", "+336…78"),
        ("FR76 3000 6000 0112 3456 7890 189@bank.fr", "F…@bank.fr"),
        ("FR7630006000011234567890189+33612345678", "FR76…0189+336…78"),
    ] {
        assert_eq!(mask_text(text), expected);
    }
    for text in ["½ of … é", "", "Ada"] {
        assert!(matches!(mask_text(text), std::borrow::Cow::Borrowed(same) if same == text));
    }
}

#[test]
fn long_texts_end() {
    for part in
        ["FR76", "A ", "@", "a@b.c", "%40a.b", "+1", "%2B", "%25", "FR7630006000011234567890189", "\"@a.b"]
    {
        let size = if part == "FR76" { 2 * 1024 * 1024 } else { 256 * 1024 };
        let text = part.repeat(size / part.len());
        let masked = mask_text(&text);
        assert!(ibans_in(&masked).is_empty(), "{part}");
    }
}

/// Every IBAN in a text: any start, any length. Written as differently from the code under test as can be: the
/// number as a whole instead of a running sum, a list of lengths instead of a match.
fn ibans_in(text: &str) -> Vec<String> {
    const LENGTHS: &str =
        "NO15 BE16 NL18 FI18 AT20 CH21 DE22 GB22 AE23 AD24 ES24 PT25 TR26 FR27 IT27 PL28 BR29 MT31";
    let folded: Vec<char> = text.nfkc().filter(char::is_ascii_alphanumeric).collect();
    let upper: String = folded.iter().map(char::to_ascii_uppercase).collect();
    let mut found = Vec::new();
    for start in 0..upper.len().saturating_sub(14) {
        let head = &upper.as_bytes()[start..start + 4];
        if !(head[..2].iter().all(u8::is_ascii_uppercase) && head[2..].iter().all(u8::is_ascii_digit)) {
            continue;
        }
        for length in 15..=34.min(upper.len() - start) {
            let run = &upper[start..start + length];
            if LENGTHS.contains(&format!("{}{length}", &run[..2])) && rest_of_97(run) == 1 {
                found.push(run.to_owned());
            }
        }
    }
    found
}

/// Nine digits at a time, as people do it by hand.
fn rest_of_97(run: &str) -> u64 {
    let mut digits = String::new();
    for c in run[4..].chars().chain(run[..4].chars()) {
        digits.push_str(&c.to_digit(36).unwrap().to_string());
    }
    while digits.len() > 9 {
        let first: u64 = digits[..9].parse().unwrap();
        digits = format!("{}{}", first % 97, &digits[9..]);
    }
    digits.parse::<u64>().unwrap() % 97
}

macro_rules! countries {
    ($(($country:literal, $form:literal)),* $(,)?) => {
        prop_oneof![$($form.prop_map(|account| {
            let check = 98 - rest_of_97(&format!("{}00{account}", $country));
            format!("{}{check:02}{account}", $country)
        })),*]
    };
}

/// A valid IBAN: a country, an account number of its form, and the check digits that fit.
fn an_iban() -> impl Strategy<Value = String> {
    countries![
        ("FR", "[0-9]{10}[0-9A-Z]{11}[0-9]{2}"),
        ("DE", "[0-9]{18}"),
        ("NO", "[0-9]{11}"),
        ("GB", "[A-Z]{4}[0-9]{14}"),
        ("NL", "[A-Z]{4}[0-9]{10}"),
        ("MT", "[A-Z]{4}[0-9]{5}[0-9A-Z]{18}"),
        ("ES", "[0-9]{20}"),
    ]
}

const SEPARATORS: [&str; 10] = ["", "", "", " ", "-", ".", "\u{A0}", "\u{200B}", "/", "\u{202F}"];

/// The text as somebody could have written it: separators anywhere, small letters, full-width forms.
fn written(text: &str, choices: &[usize]) -> String {
    let mut written = String::new();
    for (position, c) in text.chars().enumerate() {
        let choice = choices[position % choices.len()];
        match choice % 7 {
            0 => written.push(c.to_ascii_lowercase()),
            1 if c.is_ascii_alphanumeric() => written.push(char::from_u32(u32::from(c) + 0xFEE0).unwrap()),
            _ => written.push(c),
        }
        if position + 1 < text.len() {
            written.push_str(SEPARATORS[choice % SEPARATORS.len()]);
        }
    }
    written
}

fn a_text() -> impl Strategy<Value = String> {
    let choices = || proptest::collection::vec(0_usize..1000, 1..40);
    let secret = prop_oneof![
        3 => (an_iban(), choices()).prop_map(|(iban, choices)| written(&iban, &choices)),
        1 => "[a-z]{2,8}[.+]?secretlocal@[a-z]{2,8}\\.(com|co\\.uk|fr)",
        1 => (r"\+[1-9][0-9]{7,14}", choices()).prop_map(|(phone, choices)| {
            let marks: Vec<usize> = choices.iter().map(|choice| choice - choice % 7 + 2).collect();
            written(&phone, &marks)
        }),
        1 => "[A-Za-z0-9 .@+%é…-]{0,40}",
    ];
    (proptest::collection::vec(("[A-Za-z0-9 ,:;=/é%+-]{0,6}", secret), 1..4), "[A-Za-z0-9 ]{0,6}").prop_map(
        |(parts, tail)| {
            let mut text: String = parts.into_iter().map(|(glue, secret)| glue + &secret).collect();
            text.push_str(&tail);
            text
        },
    )
}

fn a_result() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        a_text().prop_map(Value::String),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null),
    ];
    let key =
        || prop_oneof![a_text(), "[a-z_]{1,9}", Just("phone".to_owned()), Just("mobileNumber".to_owned())];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((key(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                found.push(key.clone());
                texts(member, found);
            }
        }
        _ => {}
    }
}

/// Whether 8 to 15 digits stand after a `+`, nothing between them but the separators of these tests.
fn holds_e164(text: &str) -> bool {
    text.split('+').skip(1).any(|rest| {
        let digits: String = rest
            .chars()
            .filter(|c| !(SEPARATORS.contains(&c.to_string().as_str())))
            .take_while(char::is_ascii_digit)
            .collect();
        (8..=15).contains(&digits.len()) && !digits.starts_with('0')
    })
}

/// As many members and items everywhere as before.
fn shape(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => members.values().map(shape).collect(),
        Value::Bool(_) | Value::Null => value.clone(),
        Value::Number(_) | Value::String(_) => json!("leaf"),
    }
}

proptest! {
    #[test]
    fn nothing_gets_through(before in a_result()) {
        let after = masked(before.clone());
        let mut found = Vec::new();
        texts(&after, &mut found);
        for text in found {
            prop_assert_eq!(ibans_in(&text), Vec::<String>::new(), "{}", text);
            prop_assert!(!text.contains("secretlocal@"), "{}", text);
            prop_assert!(!holds_e164(&text), "{}", text);
        }
        prop_assert_eq!(shape(&after), shape(&before));
        prop_assert_eq!(masked(after.clone()).to_string(), after.to_string());
    }

    // No country is called QQ: with others the whole can be an IBAN by chance.
    #[test]
    fn a_phone_alone_keeps_its_ends(phone in r"\+[1-9][0-9]{7,14}", before in "[q :]{0,5}", after in "[a-z]{0,5}") {
        let text = format!("{before}{phone}{after}");
        let expected = format!("{before}{}…{}{after}", &phone[..4], &phone[phone.len() - 2..]);
        prop_assert_eq!(mask_text(&text), expected);
    }

    #[test]
    fn an_iban_alone_keeps_its_ends(iban in an_iban(), choices in proptest::collection::vec(0_usize..1000, 1..40)) {
        let expected = format!("{}…{}", &iban[..4], &iban[iban.len() - 4..]);
        let text = written(&iban, &choices);
        prop_assert_eq!(mask_text(&text), expected);
    }
}

//! Files as nobody would write them: whatever the layout, the entry comes in and nothing goes out.

use proptest::prelude::*;

use super::*;

fn wanted() -> Wanted {
    let server = Server::Program {
        command: "/bin/fintecture-mcp".to_owned(),
        arguments: vec!["--environment".to_owned(), "sandbox".to_owned()],
        variables: vec![("FINTECTURE_CUSTOMER_TOKEN".to_owned(), "${input:token}".to_owned())],
        dropped: Vec::new(),
    };
    let question = Question { id: "token".to_owned(), description: "Token".to_owned() };
    Wanted { client: Client::VsCode, name: "fintecture".to_owned(), server, questions: vec![question] }
}

/// What may stand between two tokens.
fn gap() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => Just(""),
        4 => Just(" "),
        3 => Just("\n  "),
        1 => Just("\r\n\t"),
        1 => Just("\n\n"),
        1 => Just("/* \"a\": { */"),
        1 => Just("/* over\n two lines */"),
        2 => Just("// },\n"),
    ];
    prop::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
}

/// Members or elements with gaps around them, and perhaps a comma too many.
fn list(items: Vec<String>, gaps: &[String], is_trailing: bool, brackets: (char, char)) -> String {
    let gap = |at: usize| gaps.get(at % gaps.len().max(1)).map_or("", String::as_str);
    let mut text = brackets.0.to_string();
    let last = items.len();
    for (at, item) in items.into_iter().enumerate() {
        text.extend([gap(at * 2), item.as_str(), gap(at * 2 + 1)]);
        if at + 1 < last || is_trailing {
            text.push(',');
        }
    }
    format!("{text}{}{}", gap(last * 2 + 5), brackets.1)
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("-1.5e3".to_owned()),
        Just(r#""a \" // é 日""#.to_owned()),
        Just("{}".to_owned()),
        Just("[ ]".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        (prop::collection::vec(inner, 0..3), prop::collection::vec(gap(), 1..5), any::<bool>(), any::<bool>())
            .prop_map(|(items, gaps, is_trailing, is_object)| {
                if is_object {
                    let name = |(at, item)| format!("\"m{at}\":{item}");
                    list(items.into_iter().enumerate().map(name).collect(), &gaps, is_trailing, ('{', '}'))
                } else {
                    list(items, &gaps, is_trailing, ('[', ']'))
                }
            })
    })
}

/// A file with some members, and perhaps servers and questions among them.
fn file() -> impl Strategy<Value = String> {
    let members = prop::collection::vec(value(), 0..3);
    let servers = prop::option::of(prop::collection::vec(value(), 0..3));
    let inputs = prop::option::of(prop::collection::vec(value(), 0..3));
    let gaps = prop::collection::vec(gap(), 1..7);
    (members, servers, inputs, gaps, any::<[bool; 3]>(), gap(), gap()).prop_map(
        |(members, servers, inputs, gaps, trailing, before, after)| {
            let name = |(at, item): (usize, String)| format!("\"m{at}\" : {item}");
            let mut all: Vec<String> = members.into_iter().enumerate().map(name).collect();
            if let Some(servers) = servers {
                let servers = servers.into_iter().enumerate().map(name).collect();
                all.push(format!("\"servers\":{}", list(servers, &gaps, trailing[0], ('{', '}'))));
            }
            if let Some(inputs) = inputs {
                all.insert(0, format!("\"inputs\": {}", list(inputs, &gaps, trailing[1], ('[', ']'))));
            }
            format!("{before}{}{after}", list(all, &gaps, trailing[2], ('{', '}')))
        },
    )
}

fn loses_nothing(before: &str, after: &str) -> bool {
    let mut rest = after.bytes();
    before.bytes().all(|byte| rest.any(|other| other == byte))
}

/// The whole of it, without what we put there.
fn without_ours(text: &str) -> Value {
    let mut value = Document::parse(text, Client::VsCode.dialect()).unwrap().get(&[]).unwrap().unwrap();
    let members = value.as_object_mut().unwrap();
    if let Some(servers) = members.get_mut("servers").and_then(Value::as_object_mut) {
        servers.shift_remove("fintecture");
    }
    if let Some(inputs) = members.get_mut("inputs").and_then(Value::as_array_mut) {
        inputs.retain(|input| input["id"] != "token");
    }
    members.retain(|name, value| !(["servers", "inputs"].contains(&name.as_str()) && is_empty(value)));
    value
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_layout_nothing_is_lost(before in file()) {
        // A comma alone in brackets is none of the layouts that clients read.
        prop_assume!(Document::parse(&before, Client::VsCode.dialect()).is_ok());
        let Merged::Added(after) = wanted().merge(&before).unwrap() else { panic!("not added: {before}") };
        prop_assert!(loses_nothing(&before, &after), "{before}\n---\n{after}");
        prop_assert_eq!(without_ours(&before), without_ours(&after));
        let document = Document::parse(&after, Client::VsCode.dialect()).unwrap();
        let entry = document.get(&["servers", "fintecture"]).unwrap().unwrap();
        prop_assert_eq!(&entry["command"], "/bin/fintecture-mcp");
        prop_assert!(matches!(wanted().merge(&after).unwrap(), Merged::Same), "{after}");
    }
}

//! Every wrong combination of credential variables is refused at the start: exit 2, a line for each problem.

use crate::support::process::run;

/// A variable and its value.
type Set = (&'static str, &'static str);

const SANDBOX: Set = ("FINTECTURE_ENVIRONMENT", "sandbox");
const TOKEN: Set = ("FINTECTURE_CUSTOMER_TOKEN", "canary-token");
const ID: Set = ("FINTECTURE_APP_ID", "canary-app");
const SECRET: Set = ("FINTECTURE_APP_SECRET", "canary-secret");
const KEY: Set = ("FINTECTURE_PRIVATE_KEY", "canary-key");

async fn refused(variables: &[(&str, &str)]) -> Vec<String> {
    let ended = run(&["serve"], variables).await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{variables:?}: {}", ended.stderr);
    assert!(!ended.stderr.contains("canary"), "{}", ended.stderr);
    ended.stderr.lines().map(|line| line.strip_prefix("fintecture-mcp: ").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_wrong_combination() {
    let needs_one = "sandbox needs FINTECTURE_CUSTOMER_TOKEN, or FINTECTURE_APP_ID and FINTECTURE_APP_SECRET";
    let needs_id = "FINTECTURE_APP_SECRET needs FINTECTURE_APP_ID";
    let key_needs_id = "FINTECTURE_PRIVATE_KEY needs FINTECTURE_APP_ID, which names the key to the upstream";
    let id_needs = "FINTECTURE_APP_ID needs FINTECTURE_APP_SECRET (or, beside a token, a private key)";
    let no_pem = "FINTECTURE_PRIVATE_KEY: the key is not the PEM of a private key (PKCS#8 or PKCS#1)";
    let both = "FINTECTURE_CUSTOMER_TOKEN and FINTECTURE_APP_SECRET are both set: unset one";
    let cases: [(&[Set], &[&str]); 12] = [
        (&[SANDBOX], &[needs_one]),
        (&[SANDBOX, SECRET], &[needs_id]),
        (&[SANDBOX, ID], &[id_needs]),
        (&[SANDBOX, TOKEN, ID], &[id_needs]),
        (&[SANDBOX, TOKEN, KEY], &[key_needs_id]),
        (&[SANDBOX, KEY], &[key_needs_id]),
        (&[SANDBOX, ID, KEY], &[needs_one, no_pem]),
        (&[SANDBOX, SECRET, KEY], &[key_needs_id, needs_id]),
        (&[SANDBOX, TOKEN, SECRET], &[both]),
        (&[SANDBOX, TOKEN, SECRET, ID], &[both]),
        (&[SANDBOX, TOKEN, SECRET, KEY], &[key_needs_id, both]),
        (
            &[SANDBOX, ("FINTECTURE_CUSTOMER_TOKEN", "canary é")],
            &["FINTECTURE_CUSTOMER_TOKEN holds characters that no bearer token has"],
        ),
    ];
    for (variables, lines) in cases {
        assert_eq!(refused(variables).await, lines, "{variables:?}");
    }
}

/// A lost secret must never turn into made-up customers.
#[tokio::test]
async fn a_credential_without_an_environment() {
    for name in [
        "FINTECTURE_CUSTOMER_TOKEN",
        "FINTECTURE_CUSTOMER_TOKEN_FILE",
        "FINTECTURE_APP_ID",
        "FINTECTURE_APP_SECRET",
        "FINTECTURE_APP_SECRET_FILE",
        "FINTECTURE_PRIVATE_KEY",
        "FINTECTURE_PRIVATE_KEY_FILE",
    ] {
        for (value, how) in [("canary", "no environment"), ("", "empty")] {
            let lines = refused(&[(name, value)]).await;
            let said = format!(
                "{name} is set, but {how}: set FINTECTURE_ENVIRONMENT or --environment to simulator, sandbox or production"
            );
            assert_eq!(lines, [said], "{value:?}");
        }
    }
}

#[tokio::test]
async fn files_and_their_variables() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("good", b"canary");
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let (empty, binary, large) =
        (file("empty", b" \n"), file("binary", b"\xff\xfe"), file("large", &vec![b'x'; 70_000]));
    for name in ["FINTECTURE_CUSTOMER_TOKEN", "FINTECTURE_APP_SECRET", "FINTECTURE_PRIVATE_KEY"] {
        let file_name = format!("{name}_FILE");
        // Complete but for the file.
        let others: &[Set] = match name {
            "FINTECTURE_CUSTOMER_TOKEN" => &[SANDBOX],
            "FINTECTURE_APP_SECRET" => &[SANDBOX, ID],
            _ => &[SANDBOX, ID, TOKEN],
        };
        for (path, says) in [
            (missing.as_str(), "cannot be read: No such file or directory (os error 2)"),
            (folder.path().to_str().unwrap(), "cannot be read: not a file"),
            (&empty, "is empty"),
            (&binary, "is not UTF-8 text"),
            (&large, "is larger than 64 KiB"),
        ] {
            let variables = [others, &[(file_name.as_str(), path)]].concat();
            assert_eq!(refused(&variables).await, [format!("{file_name}: the file {says}")], "{path}");
        }
        let variables = [others, &[(file_name.as_str(), good.as_str()), (name, "canary")]].concat();
        assert_eq!(refused(&variables).await, [format!("{name} and {file_name} are both set: unset one")]);
        for (empty, nothing) in [(name, " "), (&file_name, "")] {
            let variables = [others, &[(empty, nothing)]].concat();
            let said = refused(&variables).await;
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(
                said[0].contains(" needs ") && said[0].ends_with(&format!("; {empty} is set, but empty")),
                "{said:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let variables = [
        SANDBOX,
        ("FINTECTURE_CUSTOMER_TOKEN", ""),
        ("FINTECTURE_APP_SECRET_FILE", "/does/not/exist"),
        ("FINTECTURE_TOKEN_URL", "http://canary.example"),
        ("FINTECTURE_REQUESTS_PER_SECOND", "0"),
        ("FINTECTURE_TIMEOUT_SECONDS", "0"),
        ("FINTECTURE_BASE_URL", "ftp://canary.example"),
        ("FINTECTURE_APP_SECRT", "canary"),
        KEY,
    ];
    insta::assert_snapshot!(refused(&variables).await.join("\n"), @r"
    FINTECTURE_APP_SECRT is not a variable of fintecture-mcp; did you mean FINTECTURE_APP_SECRET?
    FINTECTURE_TIMEOUT_SECONDS must be a whole number of seconds from 1 to 45
    FINTECTURE_BASE_URL must be https, or http on loopback
    FINTECTURE_REQUESTS_PER_SECOND must be a whole number from 1
    FINTECTURE_APP_SECRET_FILE: the file cannot be read: No such file or directory (os error 2)
    FINTECTURE_TOKEN_URL must be https, or http on loopback
    FINTECTURE_PRIVATE_KEY needs FINTECTURE_APP_ID, which names the key to the upstream; FINTECTURE_CUSTOMER_TOKEN is set, but empty
    ");
}

/// Credentials go to hosts that nobody on the way can listen at.
#[tokio::test]
async fn token_urls_that_are_refused() {
    for url in [
        "http://token.example",
        "nonsense",
        "https://canary:canary@token.example",
        "https://t.example/?q",
        "https://t.example/#f",
    ] {
        let lines = refused(&[SANDBOX, ID, SECRET, ("FINTECTURE_TOKEN_URL", url)]).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("FINTECTURE_TOKEN_URL must be "), "{lines:?}");
    }
}

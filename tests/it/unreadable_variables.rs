//! Variables whose value cannot be read: never taken for unset, since a lost credential must not become the simulator,
//! nor a lost address the default host.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::in_time;
use crate::support::process::program;

/// The exit code, and what stands on standard error and on standard output.
async fn ended(variables: &[(&str, &[u8])]) -> (Option<i32>, String, Vec<u8>) {
    let mut command = program();
    command.stdin(std::process::Stdio::null());
    command.envs(variables.iter().map(|(name, value)| (name, OsStr::from_bytes(value))));
    let output = in_time(command.output()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap(), output.stdout)
}

#[tokio::test]
async fn a_value_that_is_not_utf8_is_refused_by_name() {
    for name in [
        "FINTECTURE_CUSTOMER_TOKEN",
        "FINTECTURE_CUSTOMER_TOKEN_FILE",
        "FINTECTURE_APP_SECRET",
        "FINTECTURE_ENVIRONMENT",
        "FINTECTURE_BASE_URL",
        "FINTECTURE_TIMEOUT_SECONDS",
    ] {
        let (code, told, out) = ended(&[(name, b"canary\xff")]).await;
        assert_eq!(code, Some(2), "{name}: {told}");
        assert!(told.contains(&format!("{name} is not valid UTF-8")), "{told}");
        assert!(!told.contains("canary") && out.is_empty(), "{told}");
    }
}

#[tokio::test]
async fn an_address_that_is_set_to_nothing_is_not_the_default_host() {
    let sandbox: [(&str, &[u8]); 2] =
        [("FINTECTURE_ENVIRONMENT", b"sandbox"), ("FINTECTURE_CUSTOMER_TOKEN", b"token-long-enough")];
    for name in ["FINTECTURE_BASE_URL", "FINTECTURE_TOKEN_URL", "FINTECTURE_ENVIRONMENT"] {
        let (code, told, _) = ended(&[sandbox[0], sandbox[1], (name, b" ")]).await;
        assert_eq!(code, Some(2), "{name}: {told}");
        assert!(told.contains(&format!("{name} is set, but empty")), "{told}");
    }
}

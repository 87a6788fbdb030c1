//! The signature of a request to the upstream: one RSA signature with a key of 2048 bits, most of all.

use std::time::SystemTime;

use divan::Bencher;
use fintecture_mcp::fintecture::{Signed, Signer};
use fintecture_mcp::secret::Secret;
use rcgen::{KeyPair, PKCS_RSA_SHA256};

fn sign(bencher: Bencher<'_, '_>, method: &str, body: Option<&[u8]>) {
    let pem = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem();
    let signer = Signer::new(Secret::fixed(&pem), "app-of-the-bench").unwrap();
    let sign = || {
        let request_id = "5ca0d4cf-8a3e-4b4c-9d3f-0e6a53b6f2a1";
        signer.sign(&Signed { method, target: "/v1/customers", body, request_id, date: SystemTime::now() })
    };
    assert!(sign().is_some());
    bencher.bench(sign);
}

#[divan::bench]
fn of_a_read(bencher: Bencher<'_, '_>) {
    sign(bencher, "GET", None);
}

/// With the digest of its body.
#[divan::bench]
fn of_a_write(bencher: Bencher<'_, '_>) {
    sign(bencher, "POST", Some(br#"{"first_name":"Ada","last_name":"Byron","email":"ada@example.com"}"#));
}

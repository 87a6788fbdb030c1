//! The verifier and the sign-in before a fake issuer, over a real socket.

mod ages;
mod discovery;
mod issuer;
mod signing_in;
mod tokens;

use super::{OAuthConfig, Verifier};
use issuer::FakeIssuer;

/// This server's resource identifier.
const AUDIENCE: &str = "https://mcp.example.com/mcp";

/// This server, as an issuer knows it.
fn config(issuer: &FakeIssuer) -> OAuthConfig {
    OAuthConfig {
        issuer: issuer.name(),
        audience: AUDIENCE.to_owned(),
        client_id: Some("approvals page".to_owned()),
        client_secret: None,
        ca_file: None,
    }
}

fn verifier(issuer: &FakeIssuer) -> Verifier {
    Verifier::new(&config(issuer)).unwrap()
}

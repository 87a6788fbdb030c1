//! What one whom the issuer knows is called here: the same in each of their tokens, never as anybody else, and without
//! personal data, since a `sub` may be an e-mail address.
//!
//! - A client that acts for itself is `oauth:client:` and its id where that is plain (letters, digits, `.`, `_`, `-`,
//!   up to 64 of them): an operator chose it.
//! - Everybody else is `oauth:user#` or `oauth:client#` and 22 characters: the first 16 bytes, in base64url, of the
//!   SHA-256 of issuer, NUL, `user` or `client`, NUL, and the `sub` or client id.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;

/// Longest client id that is shown, in characters.
const MAX_PLAIN: usize = 64;
/// So much of the digest is kept, in bytes: nobody finds another subject with the same.
const KEPT: usize = 16;

/// The name of a token's subject. `None` where it has none.
///
/// RFC 9068: in a token that a client asked for in its own name, `sub` is the client. A person whose `sub` is some
/// client's id therefore stays a person, unless they came by that very client.
pub(super) fn name(issuer: &str, subject: Option<&str>, client: Option<&str>) -> Option<String> {
    let subject = subject.filter(|subject| !subject.is_empty());
    let client = client.filter(|client| !client.is_empty());
    match (subject, client) {
        (Some(subject), client) if client != Some(subject) => Some(hashed(issuer, "user", subject)),
        (_, Some(client)) if is_plain(client) => Some(format!("oauth:client:{client}")),
        (_, Some(client)) => Some(hashed(issuer, "client", client)),
        _ => None,
    }
}

fn is_plain(id: &str) -> bool {
    id.len() <= MAX_PLAIN && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn hashed(issuer: &str, kind: &str, id: &str) -> String {
    let digest = digest(&SHA256, format!("{issuer}\0{kind}\0{id}").as_bytes());
    let kept: Vec<u8> = digest.as_ref().iter().copied().take(KEPT).collect();
    format!("oauth:{kind}#{}", BASE64_URL.encode(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://auth.example.com";

    #[test]
    fn a_person_a_client_and_another_issuers_are_never_one() {
        let of = |issuer, subject, client| name(issuer, subject, client).unwrap();
        let names = [
            of(ISSUER, Some("agent"), None),
            of(ISSUER, None, Some("agent")),
            of(ISSUER, Some("agent."), Some("agent")),
            of("https://other.example.com", Some("agent"), None),
            of(ISSUER, None, Some("ada@example.com")),
            of(ISSUER, Some("ada@example.com"), None),
            of(ISSUER, Some("oauth:client:agent"), None),
        ];
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name}");
        }
    }

    #[test]
    fn whatever_token_they_show_they_are_the_same() {
        assert_eq!(
            name(ISSUER, Some("agent"), Some("agent")).as_deref(),
            Some("oauth:client:agent"),
            "client credentials as in RFC 9068"
        );
        assert_eq!(name(ISSUER, None, Some("agent")), name(ISSUER, Some("agent"), Some("agent")));
        assert_eq!(name(ISSUER, Some("ada"), Some("one")), name(ISSUER, Some("ada"), Some("two")));
        assert_eq!(name(ISSUER, Some(""), None), None);
        assert_eq!(name(ISSUER, None, Some("")), None);
    }

    #[test]
    fn an_operator_can_find_out_who_it_is() {
        // printf '%s\0user\0%s' https://auth.example.com ada@example.com | openssl dgst -sha256 -binary |
        //   head -c 16 | basenc --base64url
        assert_eq!(
            name(ISSUER, Some("ada@example.com"), Some("web")).as_deref(),
            Some("oauth:user#mx7lK2oFATXWeHBdl4AnPg")
        );
        let url = name(ISSUER, None, Some("https://agent.example.com/client.json")).unwrap();
        assert!(url.starts_with("oauth:client#") && !url.contains("example"), "{url}");
    }
}

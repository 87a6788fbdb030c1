//! The `Signature` header: `keyId="...",algorithm="...",headers="...",signature="..."`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the header says, not yet believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignatureHeader<'a> {
    pub(super) key_id: &'a str,
    pub(super) algorithm: &'a str,
    pub(super) headers: &'a str,
    pub(super) signature: Vec<u8>,
}

impl<'a> SignatureHeader<'a> {
    /// Reads the header. Parameters that it does not know are ignored, as the draft has it.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(super) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let (mut key_id, mut algorithm, mut headers, mut signature) = (None, None, None, None);
        let mut rest = text.trim();
        loop {
            let (name, value, after) =
                parameter(rest).ok_or("the Signature header is not a list of name=\"value\"")?;
            let slot = match name {
                "keyId" => &mut key_id,
                "algorithm" => &mut algorithm,
                "headers" => &mut headers,
                "signature" => &mut signature,
                _ => &mut None,
            };
            if slot.replace(value).is_some() {
                return Err("a parameter of the Signature is given twice");
            }
            match after.trim_start().strip_prefix(',') {
                Some(more) => rest = more.trim_start(),
                None if after.trim().is_empty() => break,
                None => return Err("the Signature header is not a list of name=\"value\""),
            }
        }
        let signature = signature.ok_or("the Signature has no signature")?;
        Ok(Self {
            key_id: key_id.ok_or("the Signature has no keyId")?,
            algorithm: algorithm.ok_or("the Signature has no algorithm")?,
            headers: headers.ok_or("the Signature has no headers")?,
            signature: STANDARD.decode(signature).map_err(|_| "the signature is not base64")?,
        })
    }
}

/// The first `name="value"`, and what follows it.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once("=\"")?;
    let (value, after) = rest.split_once('"')?;
    let word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word.then_some((name, value, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_in_any_order() {
        let text = r#"signature="AAE=", keyId="app,1" ,headers="date",created="1",algorithm="rsa-sha256""#;
        let expected = SignatureHeader {
            key_id: "app,1",
            algorithm: "rsa-sha256",
            headers: "date",
            signature: vec![0, 1],
        };
        assert_eq!(SignatureHeader::parse(text), Ok(expected));
    }

    #[test]
    fn what_is_no_list_or_lacks_something_is_refused() {
        let good = r#"keyId="a",algorithm="b",headers="c",signature="AAE=""#;
        assert!(SignatureHeader::parse(good).is_ok());
        for bad in [
            "",
            "x",
            r#"keyId=a,algorithm="b",headers="c",signature="AAE=""#,
            r#"keyId="a" algorithm="b",headers="c",signature="AAE=""#,
            r#"keyId="a",algorithm="b",headers="c",signature="AAE"#,
            r#"keyId="a",algorithm="b",headers="c",signature="!!""#,
            r#"keyId="a",algorithm="b",headers="c",signature="AAE=","#,
            r#"keyId="a",algorithm="b",headers="c""#,
            r#"keyId="a",algorithm="b",signature="AAE=""#,
            r#"keyId="a",headers="c",signature="AAE=""#,
            r#"algorithm="b",headers="c",signature="AAE=""#,
        ] {
            assert!(SignatureHeader::parse(bad).is_err(), "{bad}");
        }
        assert!(SignatureHeader::parse(&format!("{good},keyId=\"a\"")).is_err());
    }
}

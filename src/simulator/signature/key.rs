//! The public key that signatures are verified with.

use std::fmt;

use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;

use crate::simulator::config::InvalidSetting;

/// An RSA public key of 2048 to 8192 bits.
#[derive(Clone)]
pub struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Reads the first PEM block `PUBLIC KEY` (a `SubjectPublicKeyInfo`, as `openssl pkey -pubout` writes it).
    ///
    /// # Errors
    /// [`InvalidSetting::PublicKey`] when there is none, or it is no RSA key of that size.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidSetting> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| InvalidSetting::PublicKey)?;
        // Parsing for verification leaves the size to the first signature; this looks at it now.
        PublicEncryptingKey::from_der(&der).map_err(|_| InvalidSetting::PublicKey)?;
        let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &*der);
        key.map(Self).map_err(|_| InvalidSetting::PublicKey)
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(RSA)")
    }
}

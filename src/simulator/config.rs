//! How a simulator is started, and what can be wrong with that.

use secrecy::SecretString;

use super::fault::Faults;
use super::signature::PublicKey;

/// How a simulator is started. By default it is open to any bearer token, wants no signature and never fails.
#[derive(Debug, Clone, Default)]
pub struct SimulatorConfig {
    /// The bearer token that opens it, beside those of its own token endpoint. `None`: any token does.
    pub token: Option<SecretString>,
    /// Verifies the signature of every request for one of the nine operations. `None`: none is looked at.
    pub public_key: Option<PublicKey>,
    /// How it fails on purpose.
    pub faults: Faults,
}

/// A setting that cannot be used. The text follows the name of the setting and a colon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it all")]
pub enum InvalidSetting {
    #[error("there is no such fault; see --help for the list")]
    UnknownFault,
    #[error("this fault takes a value: {0}")]
    Value(&'static str),
    #[error("this fault takes no value")]
    NoValue,
    #[error("the probability after ':' must be a number from 0 to 1, such as 0.25")]
    Probability,
    #[error("the number after '#' must be a whole number from 1, such as 3")]
    Times,
    #[error("after '@' stands reads, writes, token or an operation id, such as createCustomer")]
    Place,
    #[error("this fault cannot happen there: {0}")]
    Misplaced(&'static str),
    #[error("not one PEM block 'PUBLIC KEY' with an RSA key of 2048 to 8192 bits")]
    PublicKey,
}

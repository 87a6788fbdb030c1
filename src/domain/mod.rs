//! Values that cannot be wrong: parsed once at the edge, trusted afterwards.
//!
//! Each type is made by [`FromStr`](std::str::FromStr) (or serde, which goes the same way), says with
//! [`Invalid`] why a text is not one, and carries an example of a right one. Knows nothing of tools,
//! protocols or the upstream.

mod address;
mod bic;
mod currency;
mod email;
mod environment;
mod iban;
mod ids;
mod page;
mod phone;
mod principal;
mod scope;
mod text;
mod unambiguous;
mod value;
mod wait;

pub use address::is_loopback;
pub use bic::Bic;
pub use currency::Currency;
pub use email::Email;
pub use environment::Environment;
pub use iban::Iban;
pub use ids::{AccountId, CustomerId, ProviderId, VerificationId};
pub use page::{PageNumber, PageSize};
pub use phone::Phone;
pub use principal::Principal;
pub use scope::{NoScope, Scope, Scopes};
pub use text::{ExternalId, MAX_TEXT_CHARS, Name, is_printable, shown};
pub use unambiguous::Unambiguous;
pub use value::{Example, Invalid};
pub use wait::WaitSeconds;

//! Configuration: flags and variables in, checked settings out, every problem at once.
//!
//! Each variable is named in [`variables`] alone. Knows the domain and nothing else of the crate.

mod access;
mod approvals;
mod audit;
mod credentials;
mod draft;
mod http;
mod limits;
mod listen;
mod problems;
mod serve;
mod store;
mod traces;
mod upstream;
pub mod variables;

pub use access::{AccessSettings, Approvers, Inbound, OAuthSettings};
pub use approvals::{ApprovalSettings, ConfirmWrites};
pub use audit::AuditSettings;
pub use credentials::{Credentials, Signing};
pub use draft::Draft;
pub use http::{HttpSettings, TlsFiles};
pub use limits::{Limit, Limits, seconds};
pub use listen::loopback_address;
pub use problems::Problems;
pub use serve::{LogFormat, PersonalData, Serve, ServeFlags, Transport};
pub use store::StoreSettings;
pub use upstream::{Remote, Upstream};

//! The address that a request came from.

use std::net::IpAddr;

/// The client's address, in a request's extensions; absent where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

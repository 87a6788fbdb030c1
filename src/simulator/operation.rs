//! The operations, by name: what requests are counted by and what faults can be limited to.

use std::fmt;

use axum::http::Method;

/// What a request asks for: one of the nine operations of the API description, or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the operation ids of the API description say it all")]
pub enum Operation {
    ListAllCustomers,
    CreateCustomer,
    GetCustomerById,
    ListAllCustomerBankAccounts,
    CreateCustomerBankAccount,
    GetBankAccountById,
    InitiateCustomerVerification,
    ListAllCustomerVerifications,
    GetCustomerVerificationById,
    /// The token endpoint. The API description does not name it.
    AccessToken,
}

impl Operation {
    /// Every operation; each stands at its own number, so that counters can be kept in a row.
    pub const ALL: [Self; 10] = [
        Self::ListAllCustomers,
        Self::CreateCustomer,
        Self::GetCustomerById,
        Self::ListAllCustomerBankAccounts,
        Self::CreateCustomerBankAccount,
        Self::GetBankAccountById,
        Self::InitiateCustomerVerification,
        Self::ListAllCustomerVerifications,
        Self::GetCustomerVerificationById,
        Self::AccessToken,
    ];

    /// The operation id of the API description; `accessToken` for the token endpoint.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ListAllCustomers => "listAllCustomers",
            Self::CreateCustomer => "createCustomer",
            Self::GetCustomerById => "getCustomerById",
            Self::ListAllCustomerBankAccounts => "listAllCustomerBankAccounts",
            Self::CreateCustomerBankAccount => "createCustomerBankAccount",
            Self::GetBankAccountById => "getBankAccountById",
            Self::InitiateCustomerVerification => "initiateCustomerVerification",
            Self::ListAllCustomerVerifications => "listAllCustomerVerifications",
            Self::GetCustomerVerificationById => "getCustomerVerificationById",
            Self::AccessToken => "accessToken",
        }
    }

    /// Whether it creates a record.
    #[must_use]
    pub fn is_write(self) -> bool {
        matches!(
            self,
            Self::CreateCustomer | Self::CreateCustomerBankAccount | Self::InitiateCustomerVerification
        )
    }

    /// The operation of a method on a route; `None` where there is none.
    pub(super) fn at(method: &Method, route: &str) -> Option<Self> {
        // HEAD is answered as GET is, without the body.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        Some(match (method.as_str(), route) {
            ("GET", "/v1/customers") => Self::ListAllCustomers,
            ("POST", "/v1/customers") => Self::CreateCustomer,
            ("GET", "/v1/customers/{customer_id}") => Self::GetCustomerById,
            ("GET", "/v1/customers/{customer_id}/bank-accounts") => Self::ListAllCustomerBankAccounts,
            ("POST", "/v1/customers/{customer_id}/bank-accounts") => Self::CreateCustomerBankAccount,
            ("GET", "/v1/customers/{customer_id}/bank-accounts/{account_id}") => Self::GetBankAccountById,
            ("POST", "/v1/customers/{customer_id}/verification") => Self::InitiateCustomerVerification,
            ("GET", "/v1/customers/{customer_id}/verifications") => Self::ListAllCustomerVerifications,
            ("GET", "/v1/customers/{customer_id}/verification/{verification_id}") => {
                Self::GetCustomerVerificationById
            }
            ("POST", "/oauth/accesstoken") => Self::AccessToken,
            _ => return None,
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_at_its_own_number() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, place, "{operation}");
        }
    }
}

//! The nine calls of the REST API.

use std::fmt;

use crate::domain::Scope;

/// One call of the REST API, named by its `operationId`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A page of the customers.
    ListAllCustomers,
    /// Registers a customer.
    CreateCustomer,
    /// One customer.
    GetCustomerById,
    /// The bank accounts of a customer.
    ListAllCustomerBankAccounts,
    /// Adds a bank account to a customer.
    CreateCustomerBankAccount,
    /// One bank account of a customer.
    GetBankAccountById,
    /// Starts a verification of a customer.
    InitiateCustomerVerification,
    /// The verifications of a customer.
    ListAllCustomerVerifications,
    /// One verification of a customer.
    GetCustomerVerificationById,
}

impl Operation {
    /// Every operation, once.
    pub const ALL: [Self; 9] = [
        Self::ListAllCustomers,
        Self::CreateCustomer,
        Self::GetCustomerById,
        Self::ListAllCustomerBankAccounts,
        Self::CreateCustomerBankAccount,
        Self::GetBankAccountById,
        Self::InitiateCustomerVerification,
        Self::ListAllCustomerVerifications,
        Self::GetCustomerVerificationById,
    ];

    /// The `operationId` of the published API, as in logs and metrics.
    #[must_use]
    pub fn id(self) -> &'static str {
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
        }
    }

    /// The name in the capability files: the `operationId` in kebab-case, since the format has no other.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ListAllCustomers => "list-all-customers",
            Self::CreateCustomer => "create-customer",
            Self::GetCustomerById => "get-customer-by-id",
            Self::ListAllCustomerBankAccounts => "list-all-customer-bank-accounts",
            Self::CreateCustomerBankAccount => "create-customer-bank-account",
            Self::GetBankAccountById => "get-bank-account-by-id",
            Self::InitiateCustomerVerification => "initiate-customer-verification",
            Self::ListAllCustomerVerifications => "list-all-customer-verifications",
            Self::GetCustomerVerificationById => "get-customer-verification-by-id",
        }
    }

    /// Whether it changes anything upstream, so that it must never be sent twice by accident.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateCustomer | Self::CreateCustomerBankAccount | Self::InitiateCustomerVerification
        )
    }

    /// The right that whoever calls it needs.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::ListAllCustomers | Self::GetCustomerById => Scope::CustomersRead,
            Self::CreateCustomer => Scope::CustomersWrite,
            Self::ListAllCustomerBankAccounts | Self::GetBankAccountById => Scope::BankAccountsRead,
            Self::CreateCustomerBankAccount => Scope::BankAccountsWrite,
            Self::ListAllCustomerVerifications | Self::GetCustomerVerificationById => {
                Scope::VerificationsRead
            }
            Self::InitiateCustomerVerification => Scope::VerificationsWrite,
        }
    }

    /// What the code fills into the path, in the order of the published API.
    #[must_use]
    pub fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::ListAllCustomers | Self::CreateCustomer => &[],
            Self::GetCustomerById
            | Self::ListAllCustomerBankAccounts
            | Self::CreateCustomerBankAccount
            | Self::InitiateCustomerVerification
            | Self::ListAllCustomerVerifications => &["customer_id"],
            Self::GetBankAccountById => &["customer_id", "account_id"],
            Self::GetCustomerVerificationById => &["customer_id", "verification_id"],
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_a_file_is_the_id_in_kebab_case() {
        for operation in Operation::ALL {
            let kebab = operation.id().chars().fold(String::new(), |mut name, c| {
                if c.is_ascii_uppercase() {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
                name
            });
            assert_eq!(operation.name(), kebab);
        }
    }
}

//! `manage_bank_accounts`: list, attach and get the bank accounts of a customer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Input;
use super::definition::Definition;
use super::error::{Context, ToolError};
use super::output::{self, Fields, Output};
use super::question::{Fact, Question};
use super::write::{self, customer_of, for_whom};
use crate::capability::Operation;
use crate::domain::{AccountId, Bic, Currency, CustomerId, Iban, Name};
use crate::fintecture::{NewBankAccount, Upstream};

/// Arguments of `list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    customer_id: CustomerId,
}

/// Arguments of `create`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Create {
    customer_id: CustomerId,
    iban: Iban,
    #[schemars(extend("examples" = ["Ada Byron"]))]
    holder_name: Name,
    bic: Option<Bic>,
    currency: Option<Currency>,
}

/// Arguments of `get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Get {
    customer_id: CustomerId,
    account_id: AccountId,
}

/// A checked call of this tool.
#[derive(Debug)]
pub(super) enum Action {
    List(List),
    Get(Get),
}

/// What a result of this tool holds.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "describes the shape for the output schema; results are built as JSON")]
struct BankAccounts {
    bank_account: Option<output::AnyObject>,
    bank_accounts: Option<Vec<output::AnyObject>>,
}

pub(super) fn definition() -> Definition {
    Definition::new::<Output<BankAccounts>>("manage_bank_accounts")
        .action("list", Operation::ListAllCustomerBankAccounts, |input| {
            Input::BankAccounts(Action::List(input))
        })
        .action("create", Operation::CreateCustomerBankAccount, |input| {
            Input::Write(write::Input::BankAccount(input))
        })
        .action("get", Operation::GetBankAccountById, |input| Input::BankAccounts(Action::Get(input)))
}

impl Action {
    pub(super) async fn run(self, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
        match self {
            Self::List(input) => {
                let accounts = upstream
                    .list_bank_accounts(&input.customer_id)
                    .await
                    .map_err(|failure| ToolError::upstream(failure, Context::Customer))?;
                Ok(output::list("bank_accounts", accounts))
            }
            Self::Get(input) => {
                let account = upstream
                    .bank_account(&input.customer_id, &input.account_id)
                    .await
                    .map_err(|failure| ToolError::upstream(failure, Context::BankAccount))?;
                Ok(output::asked_for("bank_account", account, input.account_id.as_str()))
            }
        }
    }
}

impl Create {
    /// In plain words, the account's holder beside the customer.
    pub(super) async fn question(&self, upstream: Upstream<'_>) -> Result<Question, ToolError> {
        let customer = customer_of(&self.customer_id, upstream).await?;
        let mut facts = for_whom(&customer, Some(("Account holder", self.holder_name.as_str())));
        facts.push(Fact::new("IBAN", self.iban.in_fours()));
        facts.extend(self.bic.as_ref().map(|bic| Fact::new("BIC", bic.as_str())));
        facts.extend(self.currency.as_ref().map(|currency| Fact::new("Currency", currency.as_str())));
        Ok(Question { title: "Attach a bank account to a customer".to_owned(), facts })
    }

    /// Sends it.
    pub(super) async fn send(&self, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
        let account = NewBankAccount {
            iban: self.iban.clone(),
            holder_name: self.holder_name.clone(),
            bic: self.bic.clone(),
            currency: self.currency,
        };
        let find = "call manage_bank_accounts list for this customer and look for the IBAN";
        let created = upstream.create_bank_account(&self.customer_id, &account).await.map_err(|failure| {
            ToolError::upstream(failure, Context::Write { find, parent: Some(Context::CUSTOMER) })
        })?;
        let mut fields = output::one("bank_account", created);
        if self.bic.as_ref().is_some_and(|bic| bic.country() != self.iban.country()) {
            output::hint(
                &mut fields,
                "The BIC's country is not the IBAN's: check with the person that both belong to this account.",
            );
        }
        Ok(fields)
    }
}

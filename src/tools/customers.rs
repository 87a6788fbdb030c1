//! `manage_customers`: list, create and get the merchant's customers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Input;
use super::definition::Definition;
use super::duplicates::{self, LookUp, Underway};
use super::error::{Context, ToolError};
use super::output::{self, Fields, Output};
use super::question::{Fact, Question};
use super::write::{self, Before};
use crate::capability::Operation;
use crate::domain::{CustomerId, Email, ExternalId, Name, PageNumber, PageSize, Phone};
use crate::fintecture::{CustomerFilter, Failure, Listing, NewCustomer, Reach, Record, Upstream};

/// Entries a page where the agent names no number; sent along, so that a full page can be told from the last.
const DEFAULT_PAGE_SIZE: u32 = 20;

/// Arguments of `list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    page: Option<PageNumber>,
    page_size: Option<PageSize>,
    external_id: Option<ExternalId>,
}

/// Arguments of `create`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Create {
    first_name: Name,
    #[schemars(extend("examples" = ["Byron"]))]
    last_name: Name,
    email: Email,
    #[schemars(extend("examples" = ["Byron SAS"]))]
    company_name: Option<Name>,
    phone: Option<Phone>,
    external_id: Option<ExternalId>,
}

/// Arguments of `get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Get {
    customer_id: CustomerId,
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
#[expect(clippy::struct_field_names, reason = "the names are those of the contract")]
struct Customers {
    customer: Option<output::AnyObject>,
    customers: Option<Vec<output::AnyObject>>,
    page: Option<output::Page>,
}

pub(super) fn definition() -> Definition {
    Definition::new::<Output<Customers>>("manage_customers")
        .action("list", Operation::ListAllCustomers, |input| Input::Customers(Action::List(input)))
        .action("create", Operation::CreateCustomer, |input| Input::Write(write::Input::Customer(input)))
        .action("get", Operation::GetCustomerById, |input| Input::Customers(Action::Get(input)))
}

impl Action {
    pub(super) async fn run(self, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
        match self {
            Self::List(input) => list(input, upstream).await,
            Self::Get(input) => {
                let customer = upstream
                    .customer(&input.customer_id)
                    .await
                    .map_err(|failure| ToolError::upstream(failure, Context::Customer))?;
                Ok(output::asked_for("customer", customer, input.customer_id.as_str()))
            }
        }
    }
}

async fn list(input: List, upstream: Upstream<'_>) -> Result<Fields, ToolError> {
    let number = input.page.map_or(1, PageNumber::get);
    let size = input.page_size.map_or(DEFAULT_PAGE_SIZE, PageSize::get);
    let filter = CustomerFilter {
        page: input.page,
        page_size: Some(
            PageSize::try_from(size).map_err(|_| ToolError::internal("a default page size of its range"))?,
        ),
        external_id: input.external_id,
    };
    let listing = upstream
        .list_customers(&filter)
        .await
        .map_err(|failure| ToolError::upstream(failure, Context::Customers))?;
    Ok(page_of(listing, number, size))
}

fn page_of(mut listing: Listing, number: u32, size: u32) -> Fields {
    let mut page = Map::new();
    page.insert("number".to_owned(), json!(number));
    page.insert("size".to_owned(), json!(size));
    // A count that is no whole number is nothing to reckon with: it stays where the upstream put it.
    if listing.meta.get("count").is_some_and(|count| count.is_u64() || count.is_i64()) {
        page.extend(listing.meta.shift_remove_entry("count"));
    }
    // A full page says that there may be more; whatever the count claims, only an unfilled page is the last.
    if listing.records.len() >= size as usize {
        page.insert("next".to_owned(), json!(number + 1));
    }
    let mut fields = output::list("customers", listing);
    fields.insert("page".to_owned(), Value::Object(page));
    fields
}

impl Create {
    /// The `external_id`, where it has one.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.external_id.as_ref().map(ExternalId::as_str)
    }

    /// Looks whether the `external_id` is taken, and keeps others from taking it meanwhile.
    pub(super) async fn look_up<'a>(
        &'a self,
        upstream: Upstream<'_>,
        underway: &'a Underway,
    ) -> Result<Option<Before<'a>>, ToolError> {
        let Some(external_id) = &self.external_id else { return Ok(None) };
        let turn = tokio::time::timeout(upstream.time_left(), underway.turn(external_id))
            .await
            .map_err(|_| ToolError::not_its_turn())?;
        let look_up = duplicates::look_up(external_id, upstream)
            .await
            .map_err(|failure| ToolError::upstream(failure, Context::BeforeWrite))?;
        if let LookUp::Found(existing) = &look_up {
            return Err(ToolError::exists(existing.id()));
        }
        Ok(Some(Before { look_up, _turn: turn }))
    }

    /// In plain words.
    pub(super) fn question(&self) -> Question {
        let given = [
            ("First name", Some(self.first_name.as_str())),
            ("Last name", Some(self.last_name.as_str())),
            ("E-mail", Some(self.email.as_str())),
            ("Company", self.company_name.as_ref().map(Name::as_str)),
            ("Phone", self.phone.as_ref().map(Phone::as_str)),
            ("External id", self.external_id.as_ref().map(ExternalId::as_str)),
        ];
        let facts = given.into_iter().filter_map(|(label, value)| Some(Fact::new(label, value?))).collect();
        Question { title: "Register a new customer".to_owned(), facts }
    }

    /// Sends it, and looks for what became of it where the answer is lost and the look-up before allows that.
    pub(super) async fn send(
        &self,
        before: Option<Before<'_>>,
        upstream: Upstream<'_>,
    ) -> Result<Fields, ToolError> {
        let customer = self.customer();
        let sent = upstream.create_customer(&customer).await;
        let (Some(before), Some(external_id)) = (before, &self.external_id) else {
            let find = "call manage_customers list and look for the same name and email on every page";
            return sent
                .map(|created| output::one("customer", created))
                .map_err(|failure| lost(failure, find));
        };
        let find = "call manage_customers list with the same external_id and compare";
        let mut result = match sent {
            Ok(created) => Ok(output::one("customer", created)),
            // Only where it certainly was not there before can its presence now mean that this write made it.
            Err(failure) if failure.reach == Reach::Unknown && matches!(before.look_up, LookUp::Absent) => {
                duplicates::made_by(&customer, external_id, upstream)
                    .await
                    .map(found_again)
                    .ok_or_else(|| lost(failure, find))
            }
            Err(failure) => Err(lost(failure, find)),
        };
        if matches!(before.look_up, LookUp::CutShort) {
            match &mut result {
                Ok(fields) => output::hint(fields, CUT_SHORT),
                Err(error) => error.add_hint(CUT_SHORT),
            }
        }
        result
    }

    fn customer(&self) -> NewCustomer {
        NewCustomer {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            email: self.email.clone(),
            company_name: self.company_name.clone(),
            phone: self.phone.clone(),
            external_id: self.external_id.clone(),
        }
    }
}

/// What is said where the look-up before a write could not be brought to its end.
const CUT_SHORT: &str = "The look-up of external_id before this write was cut short after 20 pages: the upstream seems \
                         to ignore the filter, so an older customer may have the same external_id.";

fn found_again(customer: Record) -> Fields {
    let mut fields = output::one("customer", customer);
    output::hint(
        &mut fields,
        "The upstream's answer to the write was lost; this customer was then found by its external_id, with the \
         fields that were sent.",
    );
    fields
}

fn lost(failure: Failure, find: &'static str) -> ToolError {
    ToolError::upstream(failure, Context::Write { find, parent: None })
}

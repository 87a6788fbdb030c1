//! The query of the customer list: which page, and which customers.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use super::refusal::Refusal;

/// Entries a page when the caller does not say.
const DEFAULT_PAGE_SIZE: usize = 20;
/// Most entries a page; a greater wish gets this many.
const MAX_PAGE_SIZE: usize = 100;

/// `page[number]`, `page[size]` and `external_id`. Other parameters are ignored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CustomerQuery {
    page: Page,
    /// Exactly this, when given. The API description does not declare it; the official SDK sends it.
    pub(super) external_id: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    /// From 1.
    number: usize,
    /// 1 to [`MAX_PAGE_SIZE`].
    size: usize,
}

impl CustomerQuery {
    /// The entries of a list that stand on this page.
    pub(super) fn page_of<'a, T>(&self, all: impl Iterator<Item = T> + 'a) -> impl Iterator<Item = T> + 'a {
        all.skip((self.page.number - 1).saturating_mul(self.page.size)).take(self.page.size)
    }

    /// Reads a query string.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] when a known parameter comes twice, or a page is not a whole number.
    fn parse(query: &str) -> Result<Self, Refusal> {
        let (mut number, mut size, mut external_id) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let parameter = match &*name {
                "page[number]" => &mut number,
                "page[size]" => &mut size,
                "external_id" => &mut external_id,
                _ => continue,
            };
            if parameter.replace(value.into_owned()).is_some() {
                return Err(Refusal::Malformed("a query parameter is given twice"));
            }
        }
        let number = number.map_or(Ok(1), |text| clamped(&text, usize::MAX))?;
        let size = size.map_or(Ok(DEFAULT_PAGE_SIZE), |text| clamped(&text, MAX_PAGE_SIZE))?;
        Ok(Self { page: Page { number, size }, external_id })
    }
}

/// Reads a whole number of any length, and brings it into 1 to `max`: to the API description every
/// integer is right, so none is refused.
fn clamped(text: &str, max: usize) -> Result<usize, Refusal> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Refusal::Malformed("page[number] and page[size] must be whole numbers"));
    }
    // Digits alone fail to parse for one reason: there are too many of them.
    Ok(if negative { 1 } else { digits.parse().unwrap_or(max).clamp(1, max) })
}

impl<S: Sync> FromRequestParts<S> for CustomerQuery {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> (usize, usize) {
        let query = CustomerQuery::parse(query).unwrap();
        (query.page.number, query.page.size)
    }

    #[test]
    fn pages_have_defaults_and_bounds() {
        assert_eq!(page(""), (1, 20));
        assert_eq!(page("page[number]=3&page[size]=7"), (3, 7));
        assert_eq!(page("page%5Bnumber%5D=3&page%5Bsize%5D=101&other=x"), (3, 100));
        assert_eq!(page("page[number]=0&page[size]=-5"), (1, 1));
        assert_eq!(page("page[number]=99999999999999999999999"), (usize::MAX, 20));
        assert_eq!(page("page[number]=-99999999999999999999999"), (1, 20));
    }

    #[test]
    fn what_is_not_a_number_or_comes_twice_is_refused() {
        for bad in [
            "page[number]=abc",
            "page[number]=",
            "page[number]=1.5",
            "page[number]=-",
            "page[number]=%FF",
            "page[number]=%D9%A3",
            "page[size]=1&page[size]=1",
            "external_id=a&external_id=b",
        ] {
            assert!(matches!(CustomerQuery::parse(bad), Err(Refusal::Malformed(_))), "{bad}");
        }
    }

    #[test]
    fn a_page_is_cut_out_of_the_list() {
        let cut = |query: &str| CustomerQuery::parse(query).unwrap().page_of(0..5).collect::<Vec<_>>();
        assert_eq!(cut("page[size]=2"), [0, 1]);
        assert_eq!(cut("page[size]=2&page[number]=3"), [4]);
        assert!(cut("page[number]=18446744073709551615&page[size]=100").is_empty());
    }

    #[test]
    fn the_filter_is_decoded() {
        let query = CustomerQuery::parse("external_id=crm%20%C3%A9+1").unwrap();
        assert_eq!(query.external_id.as_deref(), Some("crm é 1"));
    }
}

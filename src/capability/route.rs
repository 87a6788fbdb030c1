//! Method and path of an operation: read strictly at start, so that filling it in later cannot fail.

use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Operation;
use super::refusal::did_you_mean;

/// What stands unescaped in a path segment (RFC 3986, unreserved).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Method and path of an operation, from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// GET for an operation that reads; POST, PUT or PATCH for one that writes.
    pub method: Method,
    segments: Vec<Segment>,
    template: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Placeholder(&'static str),
}

impl Route {
    /// The path with its placeholders filled in, beginning with `/`.
    ///
    /// Values are escaped as single segments. One that is absent from `values`, or that no segment can
    /// hold (empty, `.` and `..`), leaves its placeholder standing: such a request finds nothing, while a
    /// shortened path would reach another resource.
    #[must_use]
    pub fn path(&self, values: &[(&str, &str)]) -> String {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Fixed(text) => path.push_str(text),
                Segment::Placeholder(name) => {
                    let value = values.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
                    let left_standing = format!("{{{{{name}}}}}");
                    let value =
                        value.filter(|value| !matches!(*value, "" | "." | "..")).unwrap_or(&left_standing);
                    path.extend(utf8_percent_encode(value, ESCAPED));
                }
            }
        }
        path
    }

    /// The path as its file writes it, for logs and metrics: it names no customer.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }
}

/// The method that a file gives, if it fits what the operation does.
pub(super) fn parse_method(method: &str, operation: Operation) -> Result<Method, String> {
    match (operation.writes(), method) {
        (false, "GET") => Ok(Method::GET),
        (true, "POST") => Ok(Method::POST),
        (true, "PUT") => Ok(Method::PUT),
        (true, "PATCH") => Ok(Method::PATCH),
        (false, _) => Err(format!("`{method}` does not fit: {} reads, with GET", operation.name())),
        (true, _) => {
            Err(format!("`{method}` does not fit: {} writes, with POST, PUT or PATCH", operation.name()))
        }
    }
}

/// The route, or every reason why the path cannot be one.
pub(super) fn parse_route(method: Method, path: &str, operation: Operation) -> Result<Route, Vec<String>> {
    let wanted = operation.placeholders();
    let Some(rest) = path.strip_prefix('/') else {
        return Err(vec![format!("`{path}` must begin with `/`")]);
    };
    let mut reasons = Vec::new();
    let mut segments: Vec<Segment> = Vec::new();
    let last = rest.split('/').count() - 1;
    for (index, text) in rest.split('/').enumerate() {
        if let Some(name) = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
            match wanted.iter().find(|wanted| **wanted == name) {
                Some(name) if segments.contains(&Segment::Placeholder(name)) => {
                    reasons.push(format!("`{{{{{name}}}}}` stands twice"));
                }
                Some(name) => segments.push(Segment::Placeholder(name)),
                None => reasons.push(format!(
                    "`{text}` is nothing that {} fills in{}",
                    operation.name(),
                    did_you_mean(name, wanted.iter().copied())
                )),
            }
        } else if let Some(reason) = segment_fault(text, index == last) {
            reasons.push(reason);
        } else {
            segments.push(Segment::Fixed(text.to_owned()));
        }
    }
    // A misspelt placeholder is told once, not as a missing one too.
    let unread = path.split('/').filter(|text| text.contains(['{', '}'])).count();
    let misspelt =
        unread > segments.iter().filter(|segment| matches!(segment, Segment::Placeholder(_))).count();
    for name in wanted {
        if !misspelt && !segments.contains(&Segment::Placeholder(name)) {
            reasons.push(format!("`{{{{{name}}}}}` is missing from the path"));
        }
    }
    if reasons.is_empty() { Ok(Route { method, segments, template: path.to_owned() }) } else { Err(reasons) }
}

/// What is wrong with a segment that is no placeholder. Only the last may be empty: a trailing slash.
fn segment_fault(text: &str, last: bool) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
    if text.is_empty() {
        return (!last).then(|| "the path holds `//`".to_owned());
    }
    if text == "." || text == ".." {
        return Some(format!("the path holds the segment `{text}`"));
    }
    if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'))
        && !name.contains(['{', '}'])
    {
        return Some(format!("`{{{name}}}` would be sent as it stands: write `{{{{{name}}}}}`"));
    }
    if text.contains(['{', '}']) {
        return Some(format!(
            "`{text}`: a placeholder must be a whole segment, as in `/{{{{customer_id}}}}/`"
        ));
    }
    text.chars()
        .find(|c| !plain(*c))
        .map(|c| format!("the path holds {c:?}: letters, digits and -._~!$&'()*+,;=:@ are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Route {
        parse_route(Method::GET, path, Operation::GetBankAccountById).unwrap()
    }

    #[test]
    fn a_path_is_filled_in_with_escaped_segments() {
        let route = route("/v1/customers/{{customer_id}}/bank-accounts/{{account_id}}");
        assert_eq!(
            route.path(&[("account_id", "a/b?c#d%2e é"), ("customer_id", "cus_1")]),
            "/v1/customers/cus_1/bank-accounts/a%2Fb%3Fc%23d%252e%20%C3%A9"
        );
        assert_eq!(route.template(), "/v1/customers/{{customer_id}}/bank-accounts/{{account_id}}");
    }

    #[test]
    fn a_value_that_no_segment_can_hold_never_shortens_the_path() {
        let route = route("/c/{{customer_id}}/a/{{account_id}}");
        for value in ["", ".", ".."] {
            assert_eq!(
                route.path(&[("customer_id", "1"), ("account_id", value)]),
                "/c/1/a/%7B%7Baccount_id%7D%7D"
            );
        }
        assert_eq!(route.path(&[("customer_id", "1")]), "/c/1/a/%7B%7Baccount_id%7D%7D");
    }

    #[test]
    fn paths_that_could_reach_elsewhere_are_refused() {
        let ids = "{{customer_id}}/{{account_id}}";
        for (path, reason) in [
            ("v1/".to_owned() + ids, "must begin with `/`"),
            (format!("/v1/../{ids}"), "the segment `..`"),
            (format!("/v1/./{ids}"), "the segment `.`"),
            (format!("//{ids}"), "holds `//`"),
            (format!("/v1//{ids}"), "holds `//`"),
            (format!("/{ids}?a=b"), "must be a whole segment"),
            (format!("/{ids}/x?a=b"), "holds '?'"),
            (format!("/{ids}/x#y"), "holds '#'"),
            (format!("/{ids}/x y"), "holds ' '"),
            (format!("/{ids}/x\u{7}"), "holds '\\u{7}'"),
            (format!("/{ids}/%2e%2e"), "holds '%'"),
            (format!("/{ids}/a\\b"), "holds '\\\\'"),
            (format!("/{ids}/é"), "holds 'é'"),
            ("/{customer_id}/{{account_id}}".to_owned(), "write `{{customer_id}}`"),
            ("/c-{{customer_id}}/{{account_id}}".to_owned(), "a whole segment"),
            ("/{{customer_id}}/{{acount_id}}".to_owned(), "did you mean `account_id`?"),
            ("/{{customer_id}}".to_owned(), "`{{account_id}}` is missing"),
            (format!("/{ids}/{{{{account_id}}}}"), "stands twice"),
        ] {
            let reasons = parse_route(Method::GET, &path, Operation::GetBankAccountById).unwrap_err();
            assert!(reasons.join("\n").contains(reason), "{path}: {reasons:?}");
        }
    }

    #[test]
    fn a_trailing_slash_is_kept() {
        let route = route("/c/{{customer_id}}/{{account_id}}/");
        assert_eq!(route.path(&[("customer_id", "1"), ("account_id", "2")]), "/c/1/2/");
    }
}

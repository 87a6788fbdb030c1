//! E-mail addresses in a text: the first character and the domain stay.

use unicode_normalization::char::is_combining_mark;

use super::escapes;
use super::fold::is_invisible;
use super::{Cover, HIDDEN};

/// Longest address in brackets that is read as a domain, in bytes.
const MAX_LITERAL_BYTES: usize = 50;

/// The addresses in a text, each up to its domain.
pub(super) fn find(text: &str) -> Vec<Cover> {
    let mut covers = Vec::new();
    // No address begins before this: what stands there belongs to the one before.
    let mut floor = 0;
    let mut from = 0;
    while let Some((sign, after)) = next_sign(text, from) {
        from = after;
        // The domain comes first: a text full of `@` must not be read backwards from each of them.
        if !text.get(after..).is_some_and(begins_with_domain) {
            continue;
        }
        if let Some(local) = text.get(floor..sign).and_then(local_part) {
            let mask = format!("{}{HIDDEN}@", local.first);
            covers.push(Cover { start: floor + local.start, end: after, mask });
        }
        floor = after;
    }
    covers
}

/// Where the next `@` stands, plain or as `%40`, and where it ends.
fn next_sign(text: &str, mut from: usize) -> Option<(usize, usize)> {
    loop {
        let rest = text.get(from..)?;
        let at = from + rest.find(['@', '%', '\\', '&'])?;
        let bytes = text.as_bytes().get(at..)?;
        if bytes.starts_with(b"@") {
            return Some((at, at + 1));
        }
        if let Some(escape) = escapes::at_start(bytes)
            && escape.ascii() == Some('@')
        {
            return Some((at, at + escape.length));
        }
        from = at + 1;
    }
}

/// Whether a name with a dot begins here; in `lodash@4.17.21` none does.
fn begins_with_domain(rest: &str) -> bool {
    if rest.starts_with('[') {
        let literal = rest.bytes().take(MAX_LITERAL_BYTES).position(|byte| byte == b']');
        return literal.and_then(|end| rest.get(..end)).is_some_and(|inner| inner.contains(['.', ':']));
    }
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || is_invisible(c) || is_combining_mark(c)
    };
    let mut labels = rest
        .split(|c| !is_part(c))
        .next()
        .unwrap_or_default()
        .split('.')
        .map(|label| label.trim_start_matches(is_invisible));
    labels.next().is_some_and(|label| !label.is_empty())
        && labels.any(|label| label.starts_with(char::is_alphabetic))
}

/// What stands before the `@`.
struct Local {
    start: usize,
    first: char,
}

/// The local part at the end of a text; nothing where there is none, or it is masked already.
fn local_part(text: &str) -> Option<Local> {
    if let Some(start) = text.strip_suffix('"').and_then(|text| text.rfind('"')) {
        let first = text.get(start + 1..)?.chars().next()?;
        return Some(Local { start, first });
    }
    let mut start = text.rmatch_indices(is_delimiter).next().map_or(0, |(at, mark)| at + mark.len());
    let unread = text.get(start..)?;
    let delimiter_end = |at: usize| {
        let escape = unread.as_bytes().get(at..).and_then(escapes::at_start)?;
        escape.ascii().is_none_or(is_delimiter).then_some(at + escape.length)
    };
    start += unread.rmatch_indices('%').find_map(|(at, _)| delimiter_end(at)).unwrap_or_default();
    let local = text.get(start..)?;
    // Quotes and other marks before the name are not the character to keep.
    let named = local.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '…');
    let named = if named.is_empty() { local } else { named };
    let first = named.chars().next()?;
    let is_masked = named == HIDDEN || named.strip_prefix(first) == Some(HIDDEN);
    (!is_masked).then_some(Local { start: start + local.len() - named.len(), first })
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '(' | ')'
                | '<'
                | '>'
                | '['
                | ']'
                | '{'
                | '}'
                | '"'
                | ','
                | ';'
                | ':'
                | '\\'
                | '/'
                | '='
                | '&'
                | '?'
                | '|'
                | '«'
                | '»'
                | '‘'
                | '’'
                | '“'
                | '”'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::masking::hide;

    fn mask(text: &str) -> Option<String> {
        hide(text, &find(text))
    }

    #[test]
    fn addresses_in_texts() {
        for (text, masked) in [
            ("ada.byron+kyc@example.co.uk", "a…@example.co.uk"),
            ("mailto:ada@example.com?x=1", "mailto:a…@example.com?x=1"),
            ("Ada <a@b.co>, bob@c.org;éva@d.fr", "Ada <a…@b.co>, b…@c.org;é…@d.fr"),
            ("?email=ada%40example.com&x=1", "?email=a…@example.com&x=1"),
            ("email%3Dada%2540example.com", "email%3Da…@example.com"),
            ("\"ada byron\"@example.com.", "a…@example.com."),
            ("'ada@example.com'", "'a…@example.com'"),
            ("{\"mail\":\"ada@example.com\"}", "{\"mail\":\"a…@example.com\"}"),
            ("ada@exam\u{200B}ple.com", "a…@exam\u{200B}ple.com"),
            ("ada@[192.168.0.1]", "a…@[192.168.0.1]"),
            ("ada@例え.jp 山田@例え.jp", "a…@例え.jp 山…@例え.jp"),
            ("a@example.com.2024", "a…@example.com.2024"),
            ("FR76…0189@bank.fr", "F…@bank.fr"),
            ("ada\\u0040example.com", "a…@example.com"),
        ] {
            assert_eq!(mask(text).as_deref(), Some(masked), "{text}");
            assert_eq!(mask(masked), None, "{masked}");
        }
        for text in
            ["", "@", "a@b", "@ada on example.com", "lodash@4.17.21", "@example.com", "100%", "a @ b.c"]
        {
            assert_eq!(mask(text), None, "{text}");
        }
    }
}

//! Escapes that other formats leave in a text: `%20`, `\u00a0`, `\n`, `&nbsp;`.

/// Longest entity between `&` and `;`, in bytes.
const MAX_ENTITY_BYTES: usize = 10;

/// One escape at the start of a text.
#[derive(Clone, Copy)]
pub(super) struct Escape {
    /// Its length in bytes.
    pub(super) length: usize,
    /// What it stands for: a byte after `%`, otherwise a character; none of a name.
    code: Option<u32>,
}

impl Escape {
    /// What it stands for, where that is an ASCII character.
    pub(super) fn ascii(&self) -> Option<char> {
        self.code.and_then(char::from_u32).filter(char::is_ascii)
    }
}

/// Whether a text can hold an escape at all.
pub(super) fn may_be_in(text: &str) -> bool {
    text.contains(['%', '\\', '&'])
}

/// A text without its escapes.
pub(super) struct Read {
    pub(super) text: String,
    /// For each byte, where the character that it belongs to is written; at the end the length of what was read.
    places: Vec<usize>,
}

impl Read {
    /// Where this place is in the text that was read.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places.get(at).or(self.places.last()).copied().unwrap_or_default()
    }
}

/// The text with its escapes read; nothing where it holds none. What a name stands for, and what is no character, is taken
/// for a blank.
pub(super) fn read(text: &str) -> Option<Read> {
    if !may_be_in(text) {
        return None;
    }
    let mut read =
        Read { text: String::with_capacity(text.len()), places: Vec::with_capacity(text.len() + 1) };
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(plain) = rest.chars().next()
    {
        let (character, length) = match at_start(rest.as_bytes()) {
            None => (plain, plain.len_utf8()),
            Some(escape) if plain == '%' => bytes_of_one(rest.as_bytes(), &escape),
            Some(escape) => (escape.code.and_then(char::from_u32).unwrap_or(' '), escape.length),
        };
        read.text.push(character);
        read.places.resize(read.text.len(), at);
        at += length;
    }
    read.places.push(at);
    Some(read)
}

/// The character whose bytes are escaped here with `%`, beginning with this one, and the length of their escapes.
fn bytes_of_one(rest: &[u8], first: &Escape) -> (char, usize) {
    let (mut bytes, mut length, mut escape) = (Vec::new(), 0, Some(*first));
    while let Some(Escape { length: one, code }) = escape
        && bytes.len() < 4
    {
        bytes.extend(code.and_then(|code| u8::try_from(code).ok()));
        length += one;
        if let Some(character) = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next()) {
            return (character, length);
        }
        escape = rest.get(length..).filter(|rest| rest.starts_with(b"%")).and_then(at_start);
    }
    (' ', first.length)
}

/// The escape that begins here.
pub(super) fn at_start(rest: &[u8]) -> Option<Escape> {
    match rest {
        [b'%', after @ ..] => percent(after),
        [b'\\', b'u', after @ ..] => {
            let code = hex(after.get(..4)?)?;
            Some(Escape { length: 6, code: Some(code) })
        }
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Some(Escape { length: 2, code: Some(' '.into()) }),
        [b'&', after @ ..] => entity(after),
        _ => None,
    }
}

/// `%` has been read. A text that was encoded twice has `%2520` for a space.
fn percent(after: &[u8]) -> Option<Escape> {
    let mut length = 1;
    let mut rest = after;
    while let [b'2', b'5', inner @ ..] = rest
        && inner.get(..2).and_then(hex).is_some()
    {
        length += 2;
        rest = inner;
    }
    let code = hex(rest.get(..2)?)?;
    Some(Escape { length: length + 2, code: Some(code) })
}

/// `&` has been read.
fn entity(after: &[u8]) -> Option<Escape> {
    let end = after.iter().take(MAX_ENTITY_BYTES + 1).position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(after.get(..end)?).ok()?;
    let length = end + 2;
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            Some(Escape { length, code: Some(code.ok()?) })
        }
        None => is_name(name).then_some(Escape { length, code: None }),
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_with_all_its_escapes() {
        for (text, plain) in [
            ("a%2Eb%20%C3%A9%25", "a.b é%"),
            (r"ex\u00e4m\n\ud800", "exäm  "),
            ("&#97;&#x1F600;&nbsp;b&", "a😀 b&"),
            ("%FF%C3", "  "),
        ] {
            let read = read(text).unwrap();
            assert_eq!(read.text, plain);
            assert_eq!((read.place(0), read.place(read.text.len())), (0, text.len()));
        }
        let read = read("a%C3%A9b").unwrap();
        assert_eq!([0, 1, 3, 4].map(|at| read.place(at)), [0, 1, 7, 8]);
    }

    #[test]
    fn a_text_without_escapes_is_not_read() {
        assert!(read("no escape").is_none());
    }

    #[test]
    fn escapes_are_read_whole() {
        for (text, length, ascii) in [
            ("%20x", 3, Some(' ')),
            ("%2520", 5, Some(' ')),
            ("%25", 3, Some('%')),
            ("%C2%A0", 3, None),
            ("%46", 3, Some('F')),
            ("\\u00a01", 6, None),
            ("\\n", 2, Some(' ')),
            ("&nbsp;", 6, None),
            ("&#43;", 5, Some('+')),
            ("&#x2B;", 6, Some('+')),
        ] {
            let escape = at_start(text.as_bytes()).unwrap();
            assert_eq!((escape.length, escape.ascii()), (length, ascii), "{text}");
        }
        for text in ["", "%", "%2", "%zz", "\\x", "\\u12", "&", "&;", "& x;", "&#;", "a"] {
            assert!(at_start(text.as_bytes()).is_none(), "{text}");
        }
    }
}

//! One strict pass over a form-encoded string for a few named parameters, each at most once.

use std::borrow::Cow;

use memchr::{memchr, memchr2};
use percent_encoding::percent_decode;

/// The named parameters of a form-encoded string, in the order of the names that were asked for.
///
/// Names are read as every form reader reads them (`co%64e` is `code`), so that a host's reader and this one see the
/// same duplicates. Values are decoded only when asked for, and strictly.
pub(crate) struct Params<'a, const N: usize> {
    found: [Found<'a>; N],
    /// Whether one of the names appears with brackets, in which some readers find it: `code[]`, `[code]`.
    bracketed: bool,
}

#[derive(Clone, Copy)]
enum Found<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

/// A value has a percent sign that two hexadecimal digits do not follow: readers differ on its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MalformedValue;

impl<'a, const N: usize> Params<'a, N> {
    pub(crate) fn scan(input: &'a [u8], names: &[&str; N]) -> Self {
        let mut found = [Found::Absent; N];
        let mut bracketed = false;
        let mut rest = Some(input).filter(|input| !input.is_empty());
        while let Some(pairs) = rest {
            let (pair, others) = cut(pairs, b'&');
            rest = others;
            let (at, value) = if let Some(plain) = unencoded(pair, names) {
                plain
            } else {
                let (name, value) = cut(pair, b'=');
                let position = position(name, names);
                bracketed |= matches!(position, Some(Position::Bracketed));
                let Some(Position::Exact(at)) = position else { continue };
                (at, value.unwrap_or_default())
            };
            let Some(slot) = found.get_mut(at) else { continue };
            *slot = match *slot {
                Found::Absent => Found::Once(value),
                // Also when equal, also when one is empty (RFC 6749 §3.1: not more than once).
                Found::Once(_) | Found::Repeated => Found::Repeated,
            };
        }
        Self { found, bracketed }
    }

    /// Merges the parameters of two parts of a request. One that is in both counts once if the values are equal,
    /// because then every reader reads the same; otherwise it is repeated.
    pub(crate) fn merged(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.found.iter_mut().zip(&other.found) {
            *mine = match (*mine, *theirs) {
                (Found::Absent, only) | (only, Found::Absent) => only,
                (Found::Once(one), Found::Once(two)) if decode(one).is_ok_and(|one| Ok(one) == decode(two)) => {
                    Found::Once(one)
                }
                _ => Found::Repeated,
            };
        }
        self
    }

    /// Whether one of the names appears with brackets.
    pub(crate) const fn any_bracketed(&self) -> bool {
        self.bracketed
    }

    pub(crate) fn any_repeated(&self) -> bool {
        self.found.iter().any(|found| matches!(found, Found::Repeated))
    }

    /// Which of the names appear more than once.
    pub(crate) fn repeated(&self) -> [bool; N] {
        self.found.map(|found| matches!(found, Found::Repeated))
    }

    /// Which of the names appear, with or without a value.
    pub(crate) fn present(&self) -> [bool; N] {
        self.found.map(|found| !matches!(found, Found::Absent))
    }

    /// Whether any of the names appears, with or without a value.
    pub(crate) fn any_present(&self) -> bool {
        self.found.iter().any(|found| !matches!(found, Found::Absent))
    }

    /// The values, still encoded. A parameter without a value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn values(&self) -> [Option<&'a [u8]>; N] {
        self.found.map(|found| match found {
            Found::Once(value) if !value.is_empty() => Some(value),
            _ => None,
        })
    }
}

/// Decodes a value; whatever it accepts, any other form reader reads the same.
pub(crate) fn decode(value: &[u8]) -> Result<Cow<'_, [u8]>, MalformedValue> {
    if memchr2(b'%', b'+', value).is_none() {
        return Ok(Cow::Borrowed(value));
    }
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => digit(bytes.next())? * 16 + digit(bytes.next())?,
            _ => byte,
        });
    }
    Ok(Cow::Owned(decoded))
}

fn digit(hexadecimal: Option<&u8>) -> Result<u8, MalformedValue> {
    let digit = hexadecimal.and_then(|&digit| char::from(digit).to_digit(16));
    digit.and_then(|digit| u8::try_from(digit).ok()).ok_or(MalformedValue)
}

/// Decodes a value that must be text.
pub(crate) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    match decode(value).ok()? {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// Decodes a value as leniently as any reader does: a percent sign without two digits is kept.
pub(crate) fn lenient_text(value: &[u8]) -> Option<String> {
    String::from_utf8(percent_decode(&with_spaces(value)).collect()).ok()
}

fn with_spaces(value: &[u8]) -> Vec<u8> {
    value.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}

/// Splits at the first delimiter. The second part is `None` if there is none.
#[inline]
pub(crate) fn cut(bytes: &[u8], delimiter: u8) -> (&[u8], Option<&[u8]>) {
    match memchr(delimiter, bytes).and_then(|at| bytes.split_at_checked(at)) {
        Some((before, behind)) => (before, behind.get(1..)),
        None => (bytes, None),
    }
}

enum Position {
    Exact(usize),
    Bracketed,
}

/// The position of a name among ours, and its value, if it is written as nearly every client writes it.
#[inline]
fn unencoded<'a>(pair: &'a [u8], names: &[&str]) -> Option<(usize, &'a [u8])> {
    // One byte, that after the name, tells most names apart.
    let mut candidates = names.iter().enumerate().filter(|(_, ours)| pair.get(ours.len()) == Some(&b'='));
    candidates.find_map(|(at, ours)| Some((at, pair.strip_prefix(ours.as_bytes())?.get(1..)?)))
}

/// The position of an encoded name among ours, which are ASCII: as it is, or decoded as leniently as any reader does.
fn position(encoded: &[u8], names: &[&str]) -> Option<Position> {
    if let Some(at) = names.iter().position(|ours| encoded == ours.as_bytes()) {
        return Some(Position::Exact(at));
    }
    // No other name without one of these is ours.
    memchr2(b'%', b'[', encoded)?;
    let decoded: Cow<'_, [u8]> = percent_decode(encoded).into();
    names.iter().enumerate().find_map(|(at, ours)| match decoded.strip_prefix(ours.as_bytes()) {
        Some([]) => Some(Position::Exact(at)),
        Some([b'[', ..]) => Some(Position::Bracketed),
        _ => {
            let inner = decoded.strip_prefix(b"[")?.strip_prefix(ours.as_bytes())?;
            inner.starts_with(b"]").then_some(Position::Bracketed)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(input: &str) -> (bool, [Option<&[u8]>; 2]) {
        let params = Params::scan(input.as_bytes(), &["code", "state"]);
        (params.any_repeated(), params.values())
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        for input in ["code=a", "c%6fde=a", "%63%6F%64%65=a", "x=y&code=a", "&&code=a&"] {
            assert_eq!(scan(input), (false, [Some(&b"a"[..]), None]), "{input}");
        }
        for input in [
            "Code=a",
            "code%20=a",
            "code+=a",
            "code%=a",
            "c%6=a",
            "codex=a",
            "cod=a",
            "code;=a",
            "[codex]=a",
            "[code=a",
        ] {
            assert_eq!(scan(input), (false, [None, None]), "{input}");
        }
    }

    #[test]
    fn a_repeat_is_seen_in_every_spelling_and_whatever_the_values() {
        for input in ["code=a&code=a", "code=a&code=", "code&code=a", "code=a&x=y&c%6Fde=b", "code=&code="] {
            assert!(scan(input).0, "{input}");
        }
        assert!(!scan("resource=a&resource=b&code=a").0);
    }

    #[test]
    fn a_name_with_brackets_is_seen_in_every_spelling() {
        for input in [
            "code[]=a",
            "code[",
            "code[0]=",
            "code%5Bx%5D=a",
            "[code]=a",
            "%5Bcode%5D",
            "[c%6fde]x=a",
            "[code][y]=a",
            "code=a&[code]=b",
            "[code]=b&code=a",
        ] {
            let params = Params::scan(input.as_bytes(), &["code", "state"]);
            assert!(params.any_bracketed(), "{input}");
        }
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_omitted() {
        for input in ["code=", "code", "code&state=", ""] {
            assert_eq!(scan(input), (false, [None, None]), "{input}");
        }
    }

    #[test]
    fn only_whole_percent_codes_are_decoded() {
        assert_eq!(decode(b"a%20b+c"), Ok(Cow::Owned(b"a b c".to_vec())));
        assert_eq!(decode(b"%ff%00%2B"), Ok(Cow::Owned(vec![0xff, 0, b'+'])));
        assert!(matches!(decode(b"a-b=c"), Ok(Cow::Borrowed(b"a-b=c"))));
        for malformed in [&b"%"[..], b"%4", b"a%zz", b"%4%41", b"%%41", b"%+1"] {
            assert_eq!(decode(malformed), Err(MalformedValue));
        }
    }
}

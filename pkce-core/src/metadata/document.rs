//! One JSON object and where its members stand, so that one can be written and every other octet stays.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

const METHODS: &str = "code_challenge_methods_supported";
const SIGNED: &str = "signed_metadata";
/// Some servers write it, though no JSON text begins with it (RFC 8259 §8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Document<'a> {
    octets: &'a [u8],
    members: Vec<Member>,
    /// Behind the opening brace.
    begin: usize,
}

struct Member {
    name: Range<usize>,
    value: Range<usize>,
}

impl<'a> Document<'a> {
    /// Reads a JSON object in UTF-8; `None` if it is anything else.
    pub(super) fn read(octets: &'a [u8]) -> Option<Self> {
        let text = octets.strip_prefix(BYTE_ORDER_MARK).unwrap_or(octets);
        // From here on it is known to be JSON, so it need only be cut up.
        std::str::from_utf8(text).ok()?;
        serde_json::from_slice::<IgnoredAny>(text).ok()?;
        let mark = octets.len() - text.len();
        let begin = mark + text.iter().position(|octet| !octet.is_ascii_whitespace())? + 1;
        if octets.get(begin - 1) != Some(&b'{') {
            return None;
        }
        let members = members(octets, begin)?;
        Some(Self { octets, members, begin })
    }

    pub(super) fn is_signed(&self) -> bool {
        self.members.iter().any(|member| self.name(member).is_some_and(|name| name == SIGNED))
    }

    /// The document with this list in the one member.
    pub(super) fn with_methods(&self, methods: &[&str]) -> Cow<'a, [u8]> {
        let list = format!("[\"{}\"]", methods.join("\",\""));
        let present: Vec<&Member> =
            self.members.iter().filter(|member| self.name(member).is_some_and(|name| name == METHODS)).collect();
        if present.is_empty() {
            return Cow::Owned(self.appended(&list));
        }
        if present.iter().all(|member| self.says(member, methods)) {
            return Cow::Borrowed(self.octets);
        }
        let mut written = Vec::with_capacity(self.octets.len() + list.len());
        let mut copied = 0;
        for member in present {
            written.extend_from_slice(self.slice(copied..member.value.start));
            written.extend_from_slice(list.as_bytes());
            copied = member.value.end;
        }
        written.extend_from_slice(self.slice(copied..self.octets.len()));
        Cow::Owned(written)
    }

    /// Behind the last member, in its own layout.
    fn appended(&self, list: &str) -> Vec<u8> {
        let (at, before, between): (usize, &[u8], &[u8]) = match self.members.as_slice() {
            [] => (self.begin, b"", b":"),
            [.., final_one] => {
                let behind_previous = match self.members.as_slice() {
                    [.., previous, _] => previous.value.end,
                    _ => self.begin,
                };
                let lead = self.slice(behind_previous..final_one.name.start).trim_ascii_start();
                let lead = lead.strip_prefix(b",").unwrap_or(self.slice(behind_previous..final_one.name.start));
                (final_one.value.end, lead, self.slice(final_one.name.end..final_one.value.start))
            }
        };
        let comma: &[u8] = if self.members.is_empty() { b"" } else { b"," };
        // A lone member says nothing of what stands between two, except where it has a line of its own.
        let before = match self.members.len() {
            1 if before.is_empty() && between.ends_with(b" ") => b" ",
            _ => before,
        };
        [
            self.slice(0..at),
            comma,
            before,
            b"\"",
            METHODS.as_bytes(),
            b"\"",
            between,
            list.as_bytes(),
            self.slice(at..self.octets.len()),
        ]
        .concat()
    }

    fn says(&self, member: &Member, methods: &[&str]) -> bool {
        serde_json::from_slice::<Vec<String>>(self.slice(member.value.clone())).is_ok_and(|said| said == methods)
    }

    fn name(&self, member: &Member) -> Option<String> {
        serde_json::from_slice(self.slice(member.name.clone())).ok()
    }

    fn slice(&self, range: Range<usize>) -> &'a [u8] {
        self.octets.get(range).unwrap_or_default()
    }
}

/// The members of the object that begins here, of octets known to be JSON.
fn members(octets: &[u8], begin: usize) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut at = begin;
    loop {
        at = behind_space(octets, at);
        match octets.get(at)? {
            b'}' => return Some(members),
            b',' => at = behind_space(octets, at + 1),
            _ => {}
        }
        let name = at..behind_value(octets, at)?;
        let value = behind_space(octets, behind_space(octets, name.end) + 1); // the colon
        at = behind_value(octets, value)?;
        members.push(Member { name, value: value..at });
    }
}

fn behind_space(octets: &[u8], from: usize) -> usize {
    let space = octets.iter().skip(from).take_while(|octet| matches!(octet, b' ' | b'\t' | b'\n' | b'\r'));
    from + space.count()
}

/// Where the value that begins here ends: a string at its quotation mark, an object or array where it is closed, anything
/// else before a delimiter.
fn behind_value(octets: &[u8], from: usize) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, octet) in octets.iter().enumerate().skip(from) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => {
                in_string = !in_string;
                if !in_string && depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' if depth > 1 => depth -= 1,
            b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

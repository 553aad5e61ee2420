//! A token request in JSON: the top-level string members that are ours, each at most once.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use crate::reason::Reason;

/// Reads the named members of a JSON object. Everything else in it is skipped.
///
/// Rejects a top level that is not an object, a repeat of a name, a value that is not a string, trailing data.
pub(crate) fn members<'a, const N: usize>(
    body: &'a [u8],
    names: &[&str; N],
) -> Result<[Option<Cow<'a, str>>; N], Reason> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = deserializer.deserialize_map(Members { names }).map_err(|_| Reason::MalformedBody)?;
    deserializer.end().map_err(|_| Reason::MalformedBody)?;
    read
}

struct Members<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = Result<[Option<Cow<'de, str>>; N], Reason>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        let mut repeated = false;
        while let Some(name) = map.next_key_seed(Text)? {
            let slot = self.names.iter().position(|ours| *ours == name).and_then(|at| found.get_mut(at));
            match slot {
                Some(slot) => repeated |= slot.replace(map.next_value_seed(Text)?).is_some(),
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        if repeated {
            return Ok(Err(Reason::DuplicateParameter));
        }
        // A parameter without a value counts as omitted (RFC 6749 §3.1).
        Ok(Ok(found.map(|value| value.filter(|text: &Cow<'_, str>| !text.is_empty()))))
    }
}

/// A string: borrowed from the body unless it has escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Option<String>, Reason> {
        members(body.as_bytes(), &["code"]).map(|[code]| code.map(Cow::into_owned))
    }

    #[test]
    fn a_member_is_read_in_every_spelling_of_its_name() {
        for body in [r#"{"code":"a"}"#, r#" {"x":{"code":1},"code":"a"} "#, r#"{"co\u0064e":"\u0061"}"#] {
            assert_eq!(read(body), Ok(Some("a".to_owned())), "{body}");
        }
        assert_eq!(read(r#"{"code":"","Code":"a"}"#), Ok(None));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert_eq!(read(r#"{"code":"a","co\u0064e":"a"}"#), Err(Reason::DuplicateParameter));
        assert_eq!(read(r#"{"code":"","code":"a"}"#), Err(Reason::DuplicateParameter));
        for body in [
            "",
            "null",
            "[]",
            r#"["code","a"]"#,
            r#""code""#,
            r#"{"code":1}"#,
            r#"{"code":null}"#,
            r#"{"code":["a"]}"#,
            r#"{"code":"a"}{}"#,
            r#"{"code":"a"} x"#,
            r#"{"code":"a",}"#,
            r#"{"code":"a""#,
            "\u{feff}{}",
        ] {
            assert_eq!(read(body), Err(Reason::MalformedBody), "{body}");
        }
    }

    #[test]
    fn a_deep_document_is_refused_and_does_not_overflow_the_stack() {
        let body = format!(r#"{{"x":{}"#, "[".repeat(100_000));
        assert_eq!(read(&body), Err(Reason::MalformedBody));
    }
}

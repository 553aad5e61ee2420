//! Form-encoded parameters, read strictly.

use std::collections::HashSet;

use percent_encoding::percent_decode;

/// Form-encoded parameters in the order in which they came, decoded once.
///
/// What goes to the upstream is written anew from these: no other reader sees the bytes that the client sent.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Returns `None` if a name or a value is not UTF-8: with replacement characters it could not be given back exactly.
    pub(crate) fn parse(encoded: &[u8]) -> Option<Self> {
        let mut parameters = Vec::new();
        for pair in encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            parameters.push((decode(name)?, decode(value)?));
        }
        Some(Self(parameters))
    }

    /// Returns the value of a parameter that occurs once. One without a value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs().filter(|(named, _)| *named == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// Returns whether a parameter occurs more than once (RFC 6749 §3.1), or has nearly one of the names in `ours`. An
    /// upstream may fold case, and PHP reads `grant.type`, `grant type` and `grant_type[]` as `grant_type`.
    /// `resource` may repeat (RFC 8707 §2).
    pub(crate) fn is_ambiguous(&self, ours: &[&str]) -> bool {
        let (mut seen, folded) = (HashSet::new(), ours.iter().map(|name| fold(name)).collect::<HashSet<_>>());
        self.pairs().any(|(name, _)| {
            let is_nearly = !ours.contains(&name) && folded.contains(&fold(name));
            is_nearly || (!seen.insert(name) && name != "resource")
        })
    }

    /// Returns those whose name is not in `ours` and is one that RFC 6749 §8.2 allows. The others are ignored (§3.1):
    /// an upstream may read their names in any way.
    pub(crate) fn others<'a>(&'a self, ours: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs().filter(|(name, _)| is_name(name) && !ours.contains(name))
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// `1*name-char`
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Letters and digits, in lower case.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn decode(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Some(percent_decode(&spaced).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(encoded: &str) -> Parameters {
        Parameters::parse(encoded.as_bytes()).unwrap()
    }

    #[test]
    fn a_parameter_counts_only_if_it_occurs_once_and_has_a_value() {
        let parameters = parse("a=1&b=&c=2&c=3&d=x%20y%2Bz+w&&e=f=g&h&i=100%");
        for (name, value) in [("a", Some("1")), ("d", Some("x y+z w")), ("e", Some("f=g")), ("i", Some("100%"))] {
            assert_eq!(parameters.one(name), value);
        }
        assert!(["b", "c", "h"].iter().all(|name| parameters.one(name).is_none()));
        assert!(Parameters::parse(b"state=%ff").is_none());
    }

    #[test]
    fn what_two_readers_would_read_differently_is_ambiguous() {
        let ours = ["state", "client_id"];
        for ambiguous in ["a=1&a=1", "a=1&%61=", "a&a", "State=1", "%20state=1", "state%09=1", "state[]=1"] {
            assert!(parse(ambiguous).is_ambiguous(&ours), "{ambiguous}");
        }
        for ambiguous in ["client.id=1", "clientId=1", "client+id=1", "client[id=1", "client_id%00=1", "CLIENT-ID"] {
            assert!(parse(ambiguous).is_ambiguous(&ours), "{ambiguous}");
        }
        for clear in ["a=1&b=1", "state=1&client_id=1", "resource=1&resource=2", "states=1", ""] {
            assert!(!parse(clear).is_ambiguous(&ours), "{clear}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_one_is_ignored() {
        let parameters = parse("state=1&a=2&b-c.d_9=3&state[x]=4&=5&e%00=6&%C3%A9=7&f+g=8");
        assert_eq!(parameters.others(&["state"]).collect::<Vec<_>>(), [("a", "2"), ("b-c.d_9", "3")]);
    }
}

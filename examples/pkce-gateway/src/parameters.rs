//! Form-encoded parameters, read strictly.

use std::borrow::Cow;
use std::collections::HashSet;

use percent_encoding::percent_decode;

/// Form-encoded parameters in the order in which they came, decoded once.
///
/// What goes to the upstream is written anew from these: nobody else reads the octets that were sent.
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// `None` if a name or a value is not UTF-8: replaced by other characters it could not be given back exactly.
    pub(crate) fn parse(encoded: &[u8]) -> Option<Self> {
        let mut parameters = Vec::new();
        for pair in encoded.split(|octet| *octet == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |octet| *octet == b'=');
            let (name, value) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
            parameters.push((decode(name)?, decode(value)?));
        }
        Some(Self(parameters))
    }

    /// The value of a parameter that stands once. One without a value counts as omitted (RFC 6749 §3.1).
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(named, _)| named == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// Whether a parameter stands more than once (RFC 6749 §3.1), or has nearly one of the names in `ours`. An upstream
    /// may fold case, and PHP reads `grant.type`, `grant type` and `grant_type[]` as `grant_type`: the last one counts.
    /// `resource` may repeat (RFC 8707 §2).
    pub(crate) fn is_ambiguous(&self, ours: &[&str]) -> bool {
        let (mut seen, folded) = (HashSet::new(), ours.iter().map(|name| fold(name)).collect::<HashSet<_>>());
        self.0.iter().map(|(name, _)| name.as_str()).any(|name| {
            let is_nearly = !ours.contains(&name) && folded.contains(&fold(name));
            is_nearly || (!seen.insert(name) && name != "resource")
        })
    }

    /// Those with none of the names in `ours`, and with a name that RFC 6749 §8.2 allows. Others are ignored, as §3.1 has
    /// it: nobody knows what the upstream would make of their names.
    pub(crate) fn others<'a>(&'a self, ours: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| is_name(name) && !ours.contains(name))
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// `1*name-char`
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(&octet))
}

/// Letters and digits, in small letters.
fn fold(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn decode(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|octet| if *octet == b'+' { b' ' } else { *octet }).collect();
    percent_decode(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(encoded: &str) -> Parameters {
        Parameters::parse(encoded.as_bytes()).unwrap()
    }

    #[test]
    fn a_parameter_counts_only_if_it_stands_once_and_has_a_value() {
        let parameters = parse("a=1&b=&c=2&c=3&d=x%20y%2Bz+w&&e=f=g&h");
        assert_eq!(parameters.one("a"), Some("1"));
        assert_eq!(parameters.one("b"), None);
        assert_eq!(parameters.one("c"), None);
        assert_eq!(parameters.one("d"), Some("x y+z w"));
        assert_eq!(parameters.one("e"), Some("f=g"));
        assert_eq!(parameters.one("h"), None);
    }

    #[test]
    fn what_two_readers_would_read_differently_is_ambiguous() {
        let ours = ["state", "client_id"];
        for ambiguous in ["a=1&a=1", "a=1&%61=", "a&a", "State=1", "STATE=", "%20state=1", "state%09=1", "state[]=1"] {
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

    #[test]
    fn octets_that_are_not_utf_8_are_not_replaced() {
        assert!(Parameters::parse(b"state=%ff").is_none());
        assert_eq!(parse("state=100%").one("state"), Some("100%"));
    }
}

//! Form-encoded parameters, read strictly.

use std::borrow::Cow;

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

    /// Whether a parameter stands more than once (RFC 6749 §3.1), or has nearly one of the names in `ours`: an upstream
    /// that folds case would read it as that one. `resource` may repeat (RFC 8707 §2).
    pub(crate) fn is_ambiguous(&self, ours: &[&str]) -> bool {
        self.0.iter().enumerate().any(|(nth, (name, _))| {
            let before = self.0.iter().take(nth);
            let is_nearly = |ours: &&str| *ours != name && ours.eq_ignore_ascii_case(name.trim());
            (name != "resource" && before.map(|(name, _)| name).any(|earlier| earlier == name))
                || ours.iter().any(is_nearly)
        })
    }

    /// Those with none of the names in `ours`.
    pub(crate) fn others<'a>(&'a self, ours: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| !ours.contains(name))
    }
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
        for ambiguous in ["a=1&a=1", "a=1&%61=", "a&a", "State=1", "STATE=", "%20state=1", "state%09=1"] {
            assert!(parse(ambiguous).is_ambiguous(&["state"]), "{ambiguous}");
        }
        for clear in ["a=1&b=1", "state=1", "resource=1&resource=2", "states=1", ""] {
            assert!(!parse(clear).is_ambiguous(&["state"]), "{clear}");
        }
    }

    #[test]
    fn octets_that_are_not_utf_8_are_not_replaced() {
        assert!(Parameters::parse(b"state=%ff").is_none());
        assert_eq!(parse("state=100%").one("state"), Some("100%"));
    }
}

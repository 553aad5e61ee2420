//! Form-encoded parameters, each at most once.

use std::collections::HashMap;

/// Form-encoded parameters. A parameter without a value counts as omitted (RFC 6749 §3.1).
pub(crate) struct Form(HashMap<String, Vec<String>>);

impl Form {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        let mut values: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            values.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        Self(values)
    }

    /// The value of a parameter that appears once.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        match self.0.get(name).map(Vec::as_slice) {
            Some([value]) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_repeated(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|values| values.len() > 1)
    }
}

//! Splitting a URI into its components (RFC 3986 §3).

/// A URI reference, split at its query and its fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    /// Everything before the query.
    pub(crate) base: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Uri<'a> {
    pub(crate) fn split(uri: &'a str) -> Self {
        let (rest, fragment) = cut(uri, '#');
        let (base, query) = cut(rest, '?');
        Self { base, query, fragment }
    }
}

fn cut(text: &str, delimiter: char) -> (&str, Option<&str>) {
    match text.split_once(delimiter) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

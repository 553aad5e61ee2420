//! What was tried, what the server said, and whether that is right.

use std::fmt;

use crate::wire::Said;

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    tried: String,
    said: String,
    right: bool,
    /// What it is called if it is right.
    verdict: &'static str,
}

impl Row {
    /// A line about an answer.
    pub fn new(tried: &str, said: &Said, right: bool) -> Self {
        let error = said.error().map(|error| format!(" {error}")).unwrap_or_default();
        Self::said(tried, &format!("{}{error}", said.status), right)
    }

    /// A line about several answers.
    pub fn said(tried: &str, said: &str, right: bool) -> Self {
        Self { tried: tried.to_owned(), said: said.to_owned(), right, verdict: "ok" }
    }

    /// A line about what PKCE lets pass and another defence stops.
    pub(crate) fn of_limit(self) -> Self {
        Self { verdict: "passes", ..self }
    }

    /// What the server said, in short.
    pub fn answer(&self) -> &str {
        &self.said
    }

    /// Whether the server did what it must.
    pub const fn is_right(&self) -> bool {
        self.right
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.right { self.verdict } else { "WRONG" };
        write!(f, "  {verdict:<6}  {:<62}  {}", self.tried, self.said)
    }
}

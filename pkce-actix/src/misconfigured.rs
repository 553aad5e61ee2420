//! A server that was put together wrongly.

use std::fmt;

use actix_web::ResponseError;

/// A server that was put together wrongly says so, loudly, and serves nothing: a 500 in plain text, which is what
/// Actix makes of an error without a status of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misconfigured(&'static str);

impl Misconfigured {
    /// The event is emitted here, not with the answer: `Option<…>` around an extractor would swallow it.
    pub(crate) fn report(what: &'static str) -> Self {
        tracing::error!(target: "pkce", outcome = "misconfigured", "{what}");
        Self(what)
    }
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Misconfigured {}

impl ResponseError for Misconfigured {}

//! What a double's token handler is asked to do.

use std::fmt;

use pkce_core::Settle;

/// What a double's token handler is asked to do, in the parameter `do` of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Answer with this status.
    Answer(u16),
    /// Answer with this status, and overrule what it says.
    Overrule(Settle, u16),
    /// Ask for a nonce (RFC 9449 §8), unless the request has a `DPoP` header.
    AskForNonce,
    /// Respond with the bytes of the body.
    Echo,
    /// Respond with 200 and a `Cache-Control` of the host's own.
    Private,
    /// Panic.
    Panic,
    /// Never come to an end.
    Hang,
    /// Fail with an error of the framework that has this status.
    Fail(u16),
}

impl Behaviour {
    /// Without the parameter, or with an odd one: the echo.
    pub(crate) fn asked_for(body: &[u8]) -> Self {
        let parameters = form_urlencoded::parse(body);
        let asked = parameters.filter(|(name, _)| name == "do").map(|(_, value)| value).next().unwrap_or_default();
        let (what, status) = asked.split_once(' ').unwrap_or((&asked, ""));
        match (what, status.parse()) {
            ("answer", Ok(status)) => Self::Answer(status),
            ("keep", Ok(status)) => Self::Overrule(Settle::Keep, status),
            ("restore", Ok(status)) => Self::Overrule(Settle::Restore, status),
            ("fail", Ok(status)) => Self::Fail(status),
            ("nonce", _) => Self::AskForNonce,
            ("private", _) => Self::Private,
            ("panic", _) => Self::Panic,
            ("hang", _) => Self::Hang,
            _ => Self::Echo,
        }
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(status) => write!(f, "answer {status}"),
            Self::Overrule(Settle::Keep, status) => write!(f, "keep {status}"),
            Self::Overrule(_, status) => write!(f, "restore {status}"),
            Self::Fail(status) => write!(f, "fail {status}"),
            Self::AskForNonce => f.write_str("nonce"),
            Self::Echo => f.write_str("echo"),
            Self::Private => f.write_str("private"),
            Self::Panic => f.write_str("panic"),
            Self::Hang => f.write_str("hang"),
        }
    }
}

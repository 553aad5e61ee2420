//! The code challenge method (RFC 7636 §4.2, §4.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a code challenge is derived from the code verifier: `S256` or `plain`, case-sensitive (RFC 7636 §4.2, §6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CodeChallengeMethod {
    /// The challenge *is* the verifier. Whoever sees the authorization request can redeem the code;
    /// rejected unless [`Policy::allow_plain`](crate::Policy::allow_plain).
    #[serde(rename = "plain")]
    Plain,
    /// `BASE64URL(SHA256(ASCII(code_verifier)))`: the default, and all that is allowed by default.
    S256,
}

impl CodeChallengeMethod {
    /// Returns the value of `code_challenge_method`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::S256 => "S256",
        }
    }
}

impl fmt::Display for CodeChallengeMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CodeChallengeMethod {
    type Err = InvalidCodeChallenge;

    fn from_str(method: &str) -> Result<Self, Self::Err> {
        match method {
            "plain" => Ok(Self::Plain),
            "S256" => Ok(Self::S256),
            _ => Err(InvalidCodeChallenge::Method),
        }
    }
}

/// The text is not a code challenge, or not a method, of RFC 7636.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCodeChallenge {
    /// The challenge is not in the form that its method demands (RFC 7636 §4.2).
    Challenge,
    /// The method is neither `S256` nor `plain` (RFC 7636 §4.3).
    Method,
}

impl fmt::Display for InvalidCodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Challenge => "the code challenge is not in the form that its method demands",
            Self::Method => "the code challenge method is neither S256 nor plain",
        })
    }
}

impl std::error::Error for InvalidCodeChallenge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        for method in ["s256", "PLAIN", "Plain", "S256 ", "", "S512"] {
            assert_eq!(method.parse::<CodeChallengeMethod>(), Err(InvalidCodeChallenge::Method));
        }
    }
}

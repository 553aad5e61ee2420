//! What the upstream's token endpoint answered.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::header::RETRY_AFTER;
use axum::http::response::Parts;
use axum::http::{HeaderValue, StatusCode};
use serde_json::value::RawValue;

/// An answer that can be passed on.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 200 with tokens.
    Tokens(Tokens),
    /// The request was understood, and refused (RFC 6749 §5.2).
    Refused(Refusal),
    /// 429: it did not look at the request.
    Busy(Option<HeaderValue>),
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection: it has not seen the request.
    Unreachable,
    /// It did not answer in time. It may have served the request.
    TimedOut,
    /// It failed, or answered with something else than RFC 6749 says, or does not know the gateway.
    Unusable,
}

/// The members of a JSON object, each as it was written.
struct Members(BTreeMap<String, Box<RawValue>>);

/// A successful answer (RFC 6749 §5.1).
pub(crate) struct Tokens(Members);

/// An error of RFC 6749 §5.2, or of an authorization response (§4.1.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) error: String,
    pub(crate) error_description: Option<String>,
    pub(crate) error_uri: Option<String>,
}

impl Answer {
    pub(crate) fn read(head: &Parts, body: &[u8]) -> Result<Self, Fault> {
        if head.status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Self::Busy(head.headers.get(RETRY_AFTER).cloned()));
        }
        let members = Members(serde_json::from_slice(body).map_err(|_| Fault::Unusable)?);
        match head.status {
            // Some say 200 to a refusal as well.
            StatusCode::OK if members.0.contains_key("error") => Refusal::read(&members)?.for_the_client(),
            StatusCode::OK => Tokens::read(members).map(Self::Tokens),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Refusal::read(&members)?.for_the_client()
            }
            _ => Err(Fault::Unusable),
        }
    }
}

impl Members {
    /// A member that is a text, and is not empty.
    fn text(&self, name: &str) -> Option<String> {
        let text: String = serde_json::from_str(self.0.get(name)?.get()).ok()?;
        Some(text).filter(|text| !text.is_empty())
    }
}

impl Tokens {
    fn read(members: Members) -> Result<Self, Fault> {
        let has = |name| members.text(name).is_some();
        let refresh_token_or_none = !members.0.contains_key("refresh_token") || has("refresh_token");
        if has("access_token") && has("token_type") && refresh_token_or_none {
            Ok(Self(members))
        } else {
            Err(Fault::Unusable)
        }
    }

    pub(crate) fn refresh_token(&self) -> Option<String> {
        self.0.text("refresh_token")
    }

    /// Puts another refresh token in its place.
    pub(crate) fn replace_refresh_token(&mut self, token: &str) -> Result<(), serde_json::Error> {
        let Self(Members(members)) = self;
        members.insert("refresh_token".to_owned(), serde_json::value::to_raw_value(token)?);
        Ok(())
    }

    pub(crate) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let Self(Members(members)) = self;
        serde_json::to_vec(members)
    }
}

impl Refusal {
    fn read(members: &Members) -> Result<Self, Fault> {
        let error = members.text("error").ok_or(Fault::Unusable)?;
        let (error_description, error_uri) = (members.text("error_description"), members.text("error_uri"));
        Self { error, error_description, error_uri }.checked().ok_or(Fault::Unusable)
    }

    /// In the characters of RFC 6749 §5.2, and not endless; what is not is left out.
    pub(crate) fn checked(mut self) -> Option<Self> {
        self.error_description = self.error_description.filter(|text| is_text(text, 1024));
        let is_web = |uri: &str| uri.starts_with("https://") || uri.starts_with("http://");
        self.error_uri = self.error_uri.filter(|uri| is_text(uri, 1024) && !uri.contains(' ') && is_web(uri));
        is_text(&self.error, 64).then_some(self)
    }

    /// What concerns the gateway's own registration is no business of the client.
    pub(crate) fn is_for_the_client(&self) -> bool {
        !matches!(self.error.as_str(), "invalid_client" | "unauthorized_client")
    }

    fn for_the_client(self) -> Result<Answer, Fault> {
        if self.is_for_the_client() { Ok(Answer::Refused(self)) } else { Err(Fault::Unusable) }
    }
}

/// Shows no token.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens([redacted])")
    }
}

/// %x20-21 / %x23-5B / %x5D-7E
fn is_text(text: &str, longest: usize) -> bool {
    let allowed = |octet| matches!(octet, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.len() <= longest && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Answer, Fault> {
        let (head, ()) = axum::http::Response::builder().status(status).body(()).unwrap().into_parts();
        Answer::read(&head, body.as_bytes())
    }

    #[test]
    fn every_member_is_passed_on_as_it_was_written() {
        let body = r#"{"access_token":"a","expires_in":3600.0,"n":1e400,"refresh_token":"r","token_type":"Bearer"}"#;
        let Ok(Answer::Tokens(mut tokens)) = read(200, body) else { panic!() };
        assert_eq!(tokens.refresh_token().as_deref(), Some("r"));
        assert_eq!(tokens.to_json().unwrap(), body.as_bytes());
        tokens.replace_refresh_token("s").unwrap();
        assert_eq!(tokens.to_json().unwrap(), body.replace("\"r\"", "\"s\"").as_bytes());
    }

    #[test]
    fn rubbish_is_not_passed_on() {
        for body in [
            "",
            "<html>",
            "[]",
            r#"["invalid_grant"]"#,
            "{}",
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":7,"token_type":"Bearer"}"#,
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":7}"#,
            r#"{"access_token":"a","token_type":"Bearer"} "#.trim_end_matches("} "),
            "access_token=a&token_type=bearer",
        ] {
            assert!(matches!(read(200, body), Err(Fault::Unusable)), "{body}");
        }
        for status in [100, 201, 204, 301, 302, 404, 500, 503] {
            let tokens = r#"{"access_token":"a","token_type":"Bearer"}"#;
            assert!(matches!(read(status, tokens), Err(Fault::Unusable)), "{status}");
        }
        for body in
            ["", "<html>", "{}", r#"["invalid_grant"]"#, r#"{"error":"a\nb"}"#, r#"{"error":""}"#, r#"{"error":7}"#]
        {
            assert!(matches!(read(400, body), Err(Fault::Unusable)), "{body}");
        }
    }

    #[test]
    fn a_refusal_is_the_clients_and_a_fault_of_the_gateway_is_not() {
        for status in [200, 400, 401, 403] {
            let Ok(Answer::Refused(refusal)) =
                read(status, r#"{"error":"invalid_grant","error_description":"a\"b","x":1}"#)
            else {
                panic!("{status}")
            };
            assert_eq!((refusal.error.as_str(), refusal.error_description), ("invalid_grant", None));
            assert!(matches!(read(status, r#"{"error":"invalid_client"}"#), Err(Fault::Unusable)));
        }
        let both = r#"{"access_token":"a","token_type":"Bearer","error":"invalid_grant"}"#;
        assert!(matches!(read(200, both), Ok(Answer::Refused(_))), "an error is an error, whatever stands beside it");
        assert!(matches!(read(429, "slow down"), Ok(Answer::Busy(None))));
    }
}

//! What the upstream responds at its token endpoint.

use std::collections::BTreeMap;
use std::io::Read as _;

use axum::http::{HeaderValue, StatusCode};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};

/// The largest response that is read, in bytes, compressed or not.
pub(crate) const LARGEST: usize = 8 * 1024 * 1024;

/// A response of the upstream.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<HeaderValue>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no response that can be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No connection: the upstream has not seen the request.
    Unreachable,
    /// No response in time. The upstream may have served the request.
    TimedOut,
    /// The upstream failed, or responded with something that is neither tokens nor an error, or rejects the gateway.
    Unusable,
    /// The gateway ends: it has not asked the upstream.
    Closing,
}

/// What was said to a token request.
pub(crate) enum Said {
    Tokens(Tokens),
    /// The request was understood, and rejected (RFC 6749 §5.2).
    Error(OAuthError),
    /// 429: the upstream did not look at the request.
    Busy(Option<HeaderValue>),
}

/// The members of a JSON object, each as it was written.
type Members = BTreeMap<String, Box<RawValue>>;

/// A successful response (RFC 6749 §5.1).
pub(crate) struct Tokens(Members);

/// An error of RFC 6749 §5.2, or of an authorization response (§4.1.2.1).
pub(crate) struct OAuthError {
    pub(crate) error: String,
    pub(crate) description: Option<String>,
    pub(crate) uri: Option<String>,
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Reads the body as JSON. It may begin with a byte order mark, and be compressed by gzip although nobody asked for
    /// that and whether or not a header tells: no JSON begins with gzip's first two bytes.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        let mut unzipped = Vec::new();
        let mut body = self.body.as_slice();
        if body.starts_with(&[0x1f, 0x8b]) {
            let limit = u64::try_from(LARGEST).ok()?;
            MultiGzDecoder::new(body).take(limit).read_to_end(&mut unzipped).ok()?;
            body = &unzipped;
        }
        serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
    }

    /// Reads a response to a token request. What is unambiguous is accepted: the upstream's code is spent.
    pub(crate) fn said(self, token_type: &str) -> Result<Said, Fault> {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Said::Busy(self.retry_after));
        }
        let members: Option<Members> = self.json();
        let error = members.as_ref().and_then(OAuthError::of);
        let missing = match (members, error) {
            // Some say 200 to an error as well.
            (Some(_), Some(error)) if self.is_success() || self.status.is_client_error() => {
                return self.error(error).map(Said::Error);
            }
            (Some(members), None) if self.is_success() && text(&members, "access_token").is_some() => {
                return Ok(Said::Tokens(self.tokens(members, token_type)));
            }
            (None, _) => "JSON",
            (Some(_), _) if self.is_success() => "access_token",
            (Some(_), _) => "error",
        };
        Err(self.unusable(missing))
    }

    fn unusable(&self, missing: &str) -> Fault {
        self.log_missing(missing);
        if self.status == StatusCode::UNAUTHORIZED {
            self.log_credentials();
        }
        Fault::Unusable
    }

    fn tokens(&self, mut members: Members, token_type: &str) -> Tokens {
        if text(&members, "token_type").is_none() {
            self.log_missing("token_type");
            members.extend(to_raw_value(token_type).map(|value| ("token_type".to_owned(), value)));
        }
        // Null or empty, it is none.
        if text(&members, "refresh_token").is_none() && members.remove("refresh_token").is_some() {
            self.log_missing("refresh_token");
        }
        Tokens(members)
    }

    /// Reads a response that is no success.
    pub(crate) fn oauth_error(&self) -> Result<OAuthError, Fault> {
        let members: Option<Members> = self.json();
        match members.as_ref().and_then(OAuthError::of) {
            Some(error) => self.error(error),
            None => Err(self.unusable("error")),
        }
    }

    /// Returns the error, unless it concerns the gateway's own registration: no client can do anything about that.
    fn error(&self, error: OAuthError) -> Result<OAuthError, Fault> {
        if error.is_for_the_client() {
            return Ok(error);
        }
        self.log_credentials();
        Err(Fault::Unusable)
    }

    fn log_credentials(&self) {
        let status = self.status.as_u16();
        tracing::error!(
            status,
            "the upstream rejects the gateway's own client_id, client_secret or way to authenticate"
        );
    }

    /// Never a value: it may be a token.
    fn log_missing(&self, missing: &str) {
        let (status, content_type, bytes) = (self.status.as_u16(), &self.content_type, self.body.len());
        tracing::warn!(status, content_type, bytes, missing, "the upstream's response is incomplete");
    }
}

impl Tokens {
    pub(crate) fn refresh_token(&self) -> Option<String> {
        text(&self.0, "refresh_token")
    }

    /// Puts another refresh token in its place, or none.
    pub(crate) fn replace_refresh_token(&mut self, token: Option<&str>) {
        self.0.remove("refresh_token");
        self.0
            .extend(token.and_then(|token| to_raw_value(token).ok()).map(|value| ("refresh_token".to_owned(), value)));
    }

    pub(crate) fn to_json(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(&self.0).ok()
    }
}

impl OAuthError {
    fn of(members: &Members) -> Option<Self> {
        let (error, description) = (text(members, "error")?, text(members, "error_description"));
        Self { error, description, uri: text(members, "error_uri") }.checked()
    }

    /// Leaves out what has other characters than RFC 6749 §5.2 allows, or is too long.
    pub(crate) fn checked(mut self) -> Option<Self> {
        self.description = self.description.filter(|text| is_text(text, 1024));
        let is_web = |uri: &str| uri.starts_with("https://") || uri.starts_with("http://");
        self.uri = self.uri.filter(|uri| is_text(uri, 1024) && !uri.contains(' ') && is_web(uri));
        is_text(&self.error, 64).then_some(self)
    }

    pub(crate) fn is_for_the_client(&self) -> bool {
        !matches!(self.error.as_str(), "invalid_client" | "unauthorized_client")
    }
}

/// Returns a member that is a text, and is not empty.
fn text(members: &Members, name: &str) -> Option<String> {
    let text: String = serde_json::from_str(members.get(name)?.get()).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

/// %x20-21 / %x23-5B / %x5D-7E
fn is_text(text: &str, longest: usize) -> bool {
    let allowed = |byte| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.len() <= longest && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Said, Fault> {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, content_type: String::new(), retry_after: None, body: body.into() }.said("Bearer")
    }

    #[test]
    fn every_member_is_passed_on_as_it_was_written() {
        let body = r#"{"access_token":"a","expires_in":3600.0,"n":1e400,"refresh_token":"r","token_type":"mac"}"#;
        let Ok(Said::Tokens(mut tokens)) = read(200, body) else { panic!() };
        assert_eq!(tokens.refresh_token().as_deref(), Some("r"));
        assert_eq!(tokens.to_json().unwrap(), body.as_bytes());
        tokens.replace_refresh_token(Some("s"));
        assert_eq!(tokens.to_json().unwrap(), body.replace("\"r\"", "\"s\"").as_bytes());
    }

    #[test]
    fn what_is_unambiguous_is_accepted_and_rubbish_is_not() {
        for more in ["", r#","token_type":7"#, r#","refresh_token":false"#, r#","error":"""#, r#","error":null"#] {
            let body = format!("\u{feff}{{\"access_token\":\"a\"{more}}}\r\n");
            assert!([200, 201, 203].iter().all(|status| matches!(read(*status, &body), Ok(Said::Tokens(_)))), "{more}");
            assert!(
                [302, 404, 500].iter().all(|status| matches!(read(*status, &body), Err(Fault::Unusable))),
                "{more}"
            );
        }
        for body in ["", "<html>", "[]", "{}", r#"{"access_token":7}"#, r#"{"error":"a\nb"}"#, r#"{"error":7}"#] {
            assert!([200, 400].iter().all(|status| matches!(read(*status, body), Err(Fault::Unusable))), "{body}");
        }
    }

    #[test]
    fn an_error_is_the_clients_and_a_fault_of_the_gateway_is_not() {
        for status in [200, 400, 401, 403, 422] {
            let body = r#"{"error":"invalid_grant","error_description":"a\"b","access_token":"a"}"#;
            let Ok(Said::Error(error)) = read(status, body) else { panic!("{status}") };
            assert_eq!((error.error.as_str(), error.description), ("invalid_grant", None));
            assert!(matches!(read(status, r#"{"error":"invalid_client"}"#), Err(Fault::Unusable)));
        }
        assert!(matches!(read(429, "slow down"), Ok(Said::Busy(None))));
    }
}

//! The requests that are measured.

use pkce_core::{CodeChallenge, CodeChallengeMethod, InvalidCodeChallenge};
use serde::Deserialize;

/// The code verifier of RFC 7636, Appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// 32 octets that look random, another 32 for each number.
pub fn octets(number: u64) -> [u8; 32] {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut octets = [0; 32];
    let (words, _) = octets.as_chunks_mut::<8>();
    for word in words {
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
        *word = state.to_le_bytes();
    }
    octets
}

/// An authorization code of 43 characters, another one for each number.
pub fn code(number: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let characters = octets(number).into_iter().chain(octets(!number)).take(43);
    characters.filter_map(|octet| ALPHABET.get(usize::from(octet % 64))).map(|&octet| char::from(octet)).collect()
}

/// The client of every request.
pub const CLIENT_ID: &str = "s6BhdRkqt3";

/// The redirect URI of every request.
pub const REDIRECT_URI: &str = "https://client.example.org/callback";

/// The challenge that [`VERIFIER`] answers.
///
/// # Errors
///
/// Never: the RFC has it right.
pub fn challenge() -> Result<CodeChallenge, InvalidCodeChallenge> {
    CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", CodeChallengeMethod::S256)
}

/// The body of a token request.
pub fn body(code: &str) -> String {
    format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcallback\
         &client_id={CLIENT_ID}&code_verifier={VERIFIER}"
    )
}

/// A token request with this code, as it goes over the wire.
pub fn token_request(code: &str) -> Vec<u8> {
    let body = body(code);
    format!(
        "POST /token HTTP/1.1\r\nHost: server.example.com\r\nAccept: application/json\r\nUser-Agent: client/1.0\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A token request as a host reads it.
#[derive(Debug, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host has its own")]
pub struct TokenForm {
    /// RFC 6749 §4.1.3.
    pub grant_type: String,
    /// RFC 6749 §4.1.3.
    pub code: String,
    /// RFC 6749 §4.1.3.
    pub redirect_uri: String,
    /// RFC 6749 §4.1.3.
    pub client_id: String,
    /// RFC 7636 §4.5.
    pub code_verifier: String,
}

/// What every server answers (RFC 6749 §5.1).
pub const TOKENS: &str = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600}"#;

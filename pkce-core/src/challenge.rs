//! The code challenge (RFC 7636 §4.2).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::method::{CodeChallengeMethod, InvalidCodeChallenge};
use crate::proof::Proof;
use crate::verifier::{CodeVerifier, InvalidCodeVerifier};

impl CodeVerifier {
    /// Derives the S256 code challenge of this verifier (RFC 7636 §4.2).
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge { proof: Proof::of_checked(self.as_str().as_bytes()), plain: None }
    }
}

/// A code challenge that was parsed strictly, with its method (RFC 7636 §4.2).
///
/// * S256: exactly 43 characters of base64url without padding, the last one canonical.
/// * `plain`: 43 to 128 unreserved characters.
///
/// It is `Serialize` and `Deserialize`. Deserialising parses it again.
///
/// ```
/// use pkce_core::{CodeChallenge, CodeChallengeMethod::S256};
///
/// // RFC 7636, Appendix B.
/// let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", S256)?;
/// assert!(challenge.verify("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").is_ok());
///
/// // The same bytes, in a spelling that only a lenient decoder accepts.
/// assert!(CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN", S256).is_err());
/// # Ok::<(), pkce_core::InvalidCodeChallenge>(())
/// ```
#[derive(Clone)]
pub struct CodeChallenge {
    proof: Proof,
    /// The text of a `plain` challenge; an S256 challenge is its proof.
    plain: Option<Zeroizing<String>>,
}

impl CodeChallenge {
    /// Parses a challenge of the given method.
    ///
    /// # Errors
    ///
    /// When it is not in the form that the method demands, and so could never be verified.
    pub fn parse(challenge: &str, method: CodeChallengeMethod) -> Result<Self, InvalidCodeChallenge> {
        match method {
            CodeChallengeMethod::S256 => {
                let mut bytes = [0; 32];
                // One character more or less would not fill 32 bytes; trailing bits must be zero (the engine's default).
                match URL_SAFE_NO_PAD.decode_slice(challenge, &mut bytes) {
                    Ok(32) => Ok(Self { proof: Proof::from_bytes(bytes), plain: None }),
                    _ => Err(InvalidCodeChallenge::Challenge),
                }
            }
            CodeChallengeMethod::Plain => match Proof::of_verifier(challenge.as_bytes()) {
                Ok(proof) => Ok(Self { proof, plain: Some(Zeroizing::new(challenge.to_owned())) }),
                Err(_) => Err(InvalidCodeChallenge::Challenge),
            },
        }
    }

    /// Returns the method.
    pub const fn method(&self) -> CodeChallengeMethod {
        match self.plain {
            Some(_) => CodeChallengeMethod::Plain,
            None => CodeChallengeMethod::S256,
        }
    }

    /// Returns the SHA-256 of the verifier that is expected.
    pub const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Checks a presented verifier: syntax, hash, and a comparison in constant time. Allocates nothing.
    ///
    /// This is the bare comparison of RFC 7636 §4.6. A server uses [`Pkce`](crate::Pkce), which also redeems the code only
    /// once.
    ///
    /// # Errors
    ///
    /// When the verifier is malformed, or is not the one this challenge was derived from.
    #[inline]
    pub fn verify(&self, code_verifier: &str) -> Result<(), VerifyError> {
        let presented = Proof::of_verifier(code_verifier.as_bytes()).map_err(VerifyError::Malformed)?;
        if presented == self.proof { Ok(()) } else { Err(VerifyError::Mismatch) }
    }

    /// Returns the two query parameters that a client adds to the authorization request (RFC 7636 §4.3).
    ///
    /// Neither value needs percent-encoding. The method is always sent: left out it would mean `plain`.
    ///
    /// ```
    /// let challenge = pkce_core::CodeVerifier::generate()?.challenge();
    /// let query: Vec<String> = challenge.authorization_parameters().iter().map(|(name, value)| format!("{name}={value}")).collect();
    /// assert!(query.join("&").ends_with("&code_challenge_method=S256"));
    /// # Ok::<(), pkce_core::RandomError>(())
    /// ```
    pub fn authorization_parameters(&self) -> [(&'static str, String); 2] {
        [("code_challenge", self.text()), ("code_challenge_method", self.method().as_str().to_owned())]
    }

    fn text(&self) -> String {
        match &self.plain {
            Some(plain) => plain.as_str().to_owned(),
            None => URL_SAFE_NO_PAD.encode(self.proof.as_bytes()),
        }
    }
}

/// Shows the method and nothing of the challenge.
impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeChallenge({}, [redacted])", self.method())
    }
}

impl PartialEq for CodeChallenge {
    fn eq(&self, other: &Self) -> bool {
        self.method() == other.method() && self.proof == other.proof
    }
}

impl Eq for CodeChallenge {}

/// The serialised form has the names of the authorization request and rejects others.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    code_challenge: String,
    code_challenge_method: CodeChallengeMethod,
}

impl Serialize for CodeChallenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Parameters { code_challenge: self.text(), code_challenge_method: self.method() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CodeChallenge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parameters = Parameters::deserialize(deserializer)?;
        Self::parse(&parameters.code_challenge, parameters.code_challenge_method).map_err(serde::de::Error::custom)
    }
}

/// A presented code verifier was not the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is not a code verifier at all (RFC 7636 §4.1).
    Malformed(InvalidCodeVerifier),
    /// It is well-formed, but the challenge was derived from another (RFC 7636 §4.6).
    Mismatch,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(_) => "the code verifier is malformed",
            Self::Mismatch => "the code verifier does not match the code challenge",
        })
    }
}

impl std::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            Self::Mismatch => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use CodeChallengeMethod::{Plain, S256};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_vectors_verify() {
        for (verifier, challenge) in [
            (VERIFIER.to_owned(), CHALLENGE),
            ("a".repeat(43), "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA"),
            ("a".repeat(128), "aDbPE7rEAOkQUHHNavRwhN-srU5eMCyUv-0k4BOvtz4"),
        ] {
            let derived = verifier.parse::<CodeVerifier>().unwrap().challenge();
            assert_eq!(derived.text(), challenge);
            assert_eq!(CodeChallenge::parse(challenge, S256).unwrap().verify(&verifier), Ok(()));
        }
    }

    #[test]
    fn an_s256_challenge_has_one_spelling() {
        let longer = format!("{CHALLENGE}A");
        let padded = format!("{CHALLENGE}=");
        let newline = format!("{CHALLENGE}\n");
        let standard_alphabet = CHALLENGE.replace('-', "+");
        for spelling in [
            "",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            &longer,
            &padded,
            &newline,
            &standard_alphabet,
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cO",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cP",
        ] {
            assert_eq!(CodeChallenge::parse(spelling, S256), Err(InvalidCodeChallenge::Challenge), "{spelling:?}");
        }
    }

    #[test]
    fn a_plain_challenge_verifies_only_itself_and_is_no_s256_challenge() {
        let plain = CodeChallenge::parse(VERIFIER, Plain).unwrap();
        assert_eq!(plain.verify(VERIFIER), Ok(()));
        assert_eq!(plain.verify(CHALLENGE), Err(VerifyError::Mismatch));
        assert_ne!(plain, CodeChallenge::parse(CHALLENGE, S256).unwrap());
    }

    #[test]
    fn a_malformed_verifier_is_the_source_of_its_error_and_a_mismatch_has_none() {
        let challenge = CodeChallenge::parse(CHALLENGE, S256).unwrap();
        let (malformed, mismatch) = (challenge.verify("short").unwrap_err(), challenge.verify(CHALLENGE).unwrap_err());
        assert_eq!(malformed.to_string(), "the code verifier is malformed");
        assert_eq!(malformed.source().unwrap().to_string(), "a code verifier has 43 to 128 characters");
        assert_eq!(mismatch.to_string(), "the code verifier does not match the code challenge");
        assert!(mismatch.source().is_none());
    }

    #[test]
    fn deserialising_parses_again() {
        let challenge = CodeChallenge::parse(CHALLENGE, S256).unwrap();
        let json = serde_json::to_string(&challenge).unwrap();
        assert_eq!(json, format!(r#"{{"code_challenge":"{CHALLENGE}","code_challenge_method":"S256"}}"#));
        assert_eq!(serde_json::from_str::<CodeChallenge>(&json).unwrap(), challenge);
        for tampered in [
            json.replace("-cM", "-cN"),
            json.replace("S256", "s256"),
            json.replace("\"S256\"", "null"),
            r#"{"code_challenge":"x"}"#.to_owned(),
        ] {
            assert!(serde_json::from_str::<CodeChallenge>(&tampered).is_err(), "{tampered}");
        }
    }

    #[test]
    fn debug_shows_no_challenge() {
        let challenge = CodeChallenge::parse(VERIFIER, Plain).unwrap();
        assert_eq!(
            format!("{challenge:?} {:?}", challenge.proof()),
            "CodeChallenge(plain, [redacted]) Proof([redacted])"
        );
    }
}

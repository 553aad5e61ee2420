//! The user: signs in, allows, and comes back to the client with a code.

use std::error::Error;

use pkce_core::CodeVerifier;
use url::Url;

use crate::wire::{Said, Wire};

/// The client that plays.
pub const CLIENT: &str = "spa";
/// Its redirect URI.
pub const CALLBACK: &str = "http://127.0.0.1:8765/callback";

/// The second parameter that PKCE adds to an authorization request.
pub const S256: (&str, &str) = ("code_challenge_method", "S256");

/// What can go wrong in a play that is none of its points.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A flow of the honest client up to the code: what the thief has seen is the code and the challenge.
#[derive(Debug)]
#[non_exhaustive]
pub struct Flow {
    /// The code.
    pub code: String,
    /// The client's secret.
    pub verifier: CodeVerifier,
}

impl Flow {
    /// Goes through the authorization request and the sign-in.
    ///
    /// # Errors
    ///
    /// When the server does not answer as an authorization server would.
    pub async fn start(wire: Wire) -> Result<Self> {
        let verifier = CodeVerifier::generate()?;
        let challenge = challenge(&verifier);
        let said = wire.get(&authorize(&[("code_challenge", &challenge), S256])).await?;
        let code = sign_in(wire, &said).await?;
        Ok(Self { code, verifier })
    }

    /// The body of the token request, with more parameters behind.
    pub fn token_request(&self, more: &[(&str, &str)]) -> String {
        let base = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("redirect_uri", CALLBACK),
            ("code", &self.code),
        ];
        form(base.iter().chain(more))
    }

    /// The client redeems its code.
    ///
    /// # Errors
    ///
    /// When the server does not answer as an authorization server would.
    pub async fn redeem(&self, wire: Wire) -> Result<Said> {
        Ok(wire.post_form("/token", &self.token_request(&[("code_verifier", self.verifier.as_str())])).await?)
    }
}

/// The target of an authorization request, with more parameters behind.
pub fn authorize(more: &[(&str, &str)]) -> String {
    let base = [("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", CALLBACK), ("state", "xyz")];
    format!("/authorize?{}", form(base.iter().chain(more)))
}

/// The challenge that the client sends.
pub fn challenge(verifier: &CodeVerifier) -> String {
    let [(_, challenge), _] = verifier.challenge().authorization_parameters();
    challenge
}

/// The user signs in on the page and allows; the code is in the redirect.
///
/// # Errors
///
/// When the server does not answer as an authorization server would.
pub async fn sign_in(wire: Wire, page: &Said) -> Result<String> {
    let location = sign_in_as("alice", wire, page).await?;
    let code = location.query_pairs().find(|(name, _)| name == "code").ok_or("no code in the redirect")?;
    Ok(code.1.into_owned())
}

/// A user signs in on the page and allows: where the browser is sent.
pub(crate) async fn sign_in_as(user: &str, wire: Wire, page: &Said) -> Result<Url> {
    let transaction = page
        .body
        .split_once("name=\"transaction\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map(|(value, _)| value)
        .ok_or_else(|| format!("no sign-in page: {}", page.status))?;
    let decision =
        [("transaction", transaction), ("username", user), ("password", "wonderland"), ("decision", "allow")];
    let said = wire.post_form("/sign-in", &form(&decision)).await?;
    Ok(Url::parse(said.header("location").ok_or("no redirect")?)?)
}

/// Parameters as a form has them.
pub fn form<'a>(pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

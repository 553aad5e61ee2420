//! The registered clients, and the user in front of the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkce_core::CodeVerifier;
use playground::{FORM, Result, S256, Said, Wire, challenge, form};
use url::Url;

/// How a client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// It is public.
    None,
    /// By HTTP Basic.
    Basic,
    /// By `client_secret` in the body.
    Body,
}

/// A registered client.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Its name.
    pub id: &'static str,
    /// One of its redirect URIs.
    pub redirect_uri: &'static str,
    /// How it authenticates.
    pub secret: Secret,
}

impl Client {
    /// The public client.
    pub const SPA: Self = Self { id: "spa", redirect_uri: playground::CALLBACK, secret: Secret::None };
    /// The confidential client, by HTTP Basic.
    pub const WEB: Self = Self { id: "web", redirect_uri: "https://app.example/cb?tenant=7", secret: Secret::Basic };
    /// The confidential client, by a secret in the body.
    pub const WEB_BY_BODY: Self = Self { secret: Secret::Body, ..Self::WEB };

    /// The target of an authorization request, with more parameters behind.
    pub fn authorize(self, more: &[(&str, &str)]) -> String {
        let base = [("response_type", "code"), ("client_id", self.id), ("redirect_uri", self.redirect_uri)];
        format!("/authorize?{}", form(base.iter().chain(more)))
    }

    /// Goes through the authorization request and the sign-in; `more` stands in the authorization request.
    pub async fn go(self, wire: Wire, more: &[(&str, &str)]) -> Result<Issued> {
        let verifier = CodeVerifier::generate()?;
        let challenge = challenge(&verifier);
        let pkce = [("code_challenge", challenge.as_str()), S256];
        let all: Vec<_> = pkce.iter().chain(more).copied().collect();
        self.sign_in(wire, verifier, &all).await
    }

    /// Goes through an authorization request with these parameters and the sign-in.
    pub async fn sign_in(self, wire: Wire, verifier: CodeVerifier, parameters: &[(&str, &str)]) -> Result<Issued> {
        let page = wire.get(&self.authorize(parameters)).await?;
        let location = location(&allow(wire, &page).await?)?;
        let code = parameter(&location, "code").ok_or("no code in the redirect")?;
        Ok(Issued { client: self, code, verifier, location })
    }

    /// Sends a token request with the client's own authentication.
    pub async fn token(self, wire: Wire, parameters: &[(&str, &str)]) -> Result<Said> {
        let mut headers = vec![FORM];
        let mut parameters = parameters.to_vec();
        let basic = format!("Basic {}", STANDARD.encode("web:web-secret"));
        match self.secret {
            Secret::None => parameters.push(("client_id", self.id)),
            Secret::Basic => headers.push(("authorization", &basic)),
            Secret::Body => parameters.extend([("client_id", self.id), ("client_secret", "web-secret")]),
        }
        Ok(wire.send("POST", "/token", &headers, &form(&parameters)).await?)
    }
}

/// A code on its way to its client.
#[derive(Debug)]
pub struct Issued {
    /// Whose it is.
    pub client: Client,
    /// The code.
    pub code: String,
    /// The client's secret.
    pub verifier: CodeVerifier,
    /// The redirect it came by.
    pub location: Url,
}

impl Issued {
    /// The client redeems its code; `more` stands behind in the token request.
    pub async fn redeem(&self, wire: Wire, more: &[(&str, &str)]) -> Result<Said> {
        let base = [
            ("grant_type", "authorization_code"),
            ("code", self.code.as_str()),
            ("code_verifier", self.verifier.as_str()),
        ];
        let all: Vec<_> = base.iter().chain(more).copied().collect();
        self.client.token(wire, &all).await
    }
}

/// The name of the pending request that stands in a sign-in page.
pub fn transaction(page: &Said) -> Result<&str> {
    let (_, rest) = page.body.split_once("name=\"transaction\" value=\"").ok_or("no sign-in page")?;
    Ok(rest.split_once('"').ok_or("no sign-in page")?.0)
}

/// The user submits the page.
pub async fn submit(wire: Wire, page: &Said, password: &str, decision: &str) -> Result<Said> {
    let transaction = transaction(page)?;
    let fields = [("transaction", transaction), ("username", "alice"), ("password", password), ("decision", decision)];
    Ok(wire.post_form("/sign-in", &form(&fields)).await?)
}

/// The user signs in and allows.
pub async fn allow(wire: Wire, page: &Said) -> Result<Said> {
    submit(wire, page, "wonderland", "allow").await
}

/// Where a 303 leads.
pub fn location(said: &Said) -> Result<Url> {
    if said.status != 303 {
        return Err(format!("no redirect: {} {}", said.status, said.body).into());
    }
    Ok(said.header("location").ok_or("no location")?.parse()?)
}

/// A parameter that stands once in the query of a redirect.
pub fn parameter(location: &Url, name: &str) -> Option<String> {
    let mut values = location.query_pairs().filter(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    let value = values.next();
    assert!(values.next().is_none(), "{name} stands twice in {location}");
    value
}

/// The names in the query of a redirect, in order.
pub fn query(location: &Url) -> Vec<String> {
    location.query_pairs().map(|(name, _)| name.into_owned()).collect()
}

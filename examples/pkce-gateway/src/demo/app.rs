//! The clients of the demonstration.

use pkce_tower::CodeVerifier;
use url::Url;

use super::{Result, Seen, UserAgent};

/// A client that is registered at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "tests make some of their own")]
pub struct App {
    /// Its name.
    pub id: &'static str,
    /// What a confidential client has.
    pub secret: Option<&'static str>,
    /// Where it gets its codes.
    pub redirect_uri: &'static str,
}

/// A flow on its way. The verifier never leaves the client before the token request.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Flow {
    /// Whose it is.
    pub app: App,
    /// The client's secret for this flow.
    pub verifier: CodeVerifier,
}

impl App {
    /// An app on the user's own machine.
    pub const NATIVE: Self = Self { id: "native", secret: None, redirect_uri: "http://127.0.0.1:8765/callback" };
    /// An app with a server of its own.
    pub const WEB: Self =
        Self { id: "web", secret: Some("web-secret"), redirect_uri: "https://app.example/cb?tenant=7" };

    /// A new flow.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn flow(self) -> Result<Flow> {
        Ok(Flow { app: self, verifier: CodeVerifier::generate()? })
    }

    /// Sends a token request as this client.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn token(self, gateway: &str, parameters: &[(&str, &str)]) -> Result<Seen> {
        let mut form = parameters.to_vec();
        form.push(("client_id", self.id));
        form.extend(self.secret.map(|secret| ("client_secret", secret)));
        UserAgent::new().post(&format!("{gateway}/token"), &form).await
    }
}

impl Flow {
    /// The authorization request, with more parameters behind.
    ///
    /// # Errors
    ///
    /// When the gateway has no URL.
    pub fn request(&self, gateway: &str, more: &[(&str, &str)]) -> Result<String> {
        let mut url = Url::parse(&format!("{gateway}/authorize"))?;
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", self.app.id)])
            .extend_pairs([("redirect_uri", self.app.redirect_uri), ("state", "the client's own state")])
            .extend_pairs(self.verifier.challenge().authorization_parameters())
            .extend_pairs(more);
        Ok(url.into())
    }

    /// Goes to the gateway, to the upstream, and back to the gateway's callback, which is not called yet: its query.
    ///
    /// # Errors
    ///
    /// When one of them does not send the browser on.
    pub async fn sign_in(&self, browser: &mut UserAgent, gateway: &str, more: &[(&str, &str)]) -> Result<String> {
        let to_upstream = browser.get(&self.request(gateway, more)?).await?.location()?;
        let back = UserAgent::new().get(to_upstream.as_str()).await?.location()?;
        Ok(back.query().unwrap_or_default().to_owned())
    }

    /// Goes all the way to the client: the gateway's code.
    ///
    /// # Errors
    ///
    /// When there is no code at the end.
    pub async fn code(&self, browser: &mut UserAgent, gateway: &str) -> Result<String> {
        let query = self.sign_in(browser, gateway, &[("scope", "photos")]).await?;
        let seen = browser.get(&format!("{gateway}/callback?{query}")).await?;
        Ok(seen.parameter("code").ok_or_else(|| format!("no code: {seen:?}"))?)
    }

    /// Redeems a code with the flow's verifier.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn redeem(&self, gateway: &str, code: &str) -> Result<Seen> {
        let grant = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", self.app.redirect_uri)];
        let verifier = [("code_verifier", self.verifier.as_str())];
        self.app.token(gateway, &[&grant[..], &verifier[..]].concat()).await
    }
}

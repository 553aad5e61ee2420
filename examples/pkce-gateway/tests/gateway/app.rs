//! The clients that are registered at the gateway.

use pkce_tower::CodeVerifier;
use reqwest::Url;

use crate::Result;
use crate::user_agent::{Seen, UserAgent, form, get, post};

#[derive(Clone, Copy)]
pub(crate) struct App {
    pub(crate) id: &'static str,
    pub(crate) secret: Option<&'static str>,
    pub(crate) redirect_uri: &'static str,
}

/// A flow on its way.
pub(crate) struct Flow {
    pub(crate) app: App,
    pub(crate) verifier: CodeVerifier,
}

/// A flow that has come back from the upstream and not yet to the gateway.
pub(crate) struct Returned {
    pub(crate) gateway: String,
    pub(crate) flow: Flow,
    pub(crate) browser: UserAgent,
    pub(crate) query: String,
}

pub(crate) const STATE: &str = "the client's own state";

impl App {
    /// An app on the user's own machine.
    pub(crate) const NATIVE: Self = Self { id: "native", secret: None, redirect_uri: "http://localhost:8765/callback" };
    /// An app with a server of its own.
    pub(crate) const WEB: Self =
        Self { id: "web", secret: Some("web-secret"), redirect_uri: "https://app.example/cb?tenant=7" };

    pub(crate) fn flow(self) -> Flow {
        Flow { app: self, verifier: CodeVerifier::generate().unwrap() }
    }

    /// Sends a form to an endpoint as this client.
    pub(crate) async fn post(self, endpoint: &str, parameters: &[(&str, &str)]) -> Result<Seen> {
        let mut all = parameters.to_vec();
        all.push(("client_id", self.id));
        all.extend(self.secret.map(|secret| ("client_secret", secret)));
        post(endpoint, &[], &form(&all)).await
    }

    pub(crate) async fn token(self, gateway: &str, parameters: &[(&str, &str)]) -> Result<Seen> {
        self.post(&format!("{gateway}/token"), parameters).await
    }

    pub(crate) async fn refresh(self, gateway: &str, token: &str) -> Result<Seen> {
        self.token(gateway, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}

impl Flow {
    /// The authorization request, with more parameters at its end.
    pub(crate) fn request(&self, gateway: &str, more: &[(&str, &str)]) -> String {
        let mut url = Url::parse(&format!("{gateway}/authorize")).unwrap();
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", self.app.id)])
            .extend_pairs([("redirect_uri", self.app.redirect_uri), ("state", STATE)])
            .extend_pairs(self.verifier.challenge().authorization_parameters())
            .extend_pairs(more);
        url.into()
    }

    /// Goes to the gateway, to the upstream, and back towards the gateway's callback: its query.
    pub(crate) async fn sign_in(
        &self,
        browser: &mut UserAgent,
        gateway: &str,
        more: &[(&str, &str)],
    ) -> Result<String> {
        let to_upstream = browser.get(&self.request(gateway, more)).await?.location()?;
        let back = get(to_upstream.as_str()).await?.location()?;
        Ok(back.query().unwrap_or_default().to_owned())
    }

    /// Goes all the way to the client: the gateway's code.
    pub(crate) async fn code(&self, gateway: &str) -> Result<String> {
        let mut browser = UserAgent::default();
        let query = self.sign_in(&mut browser, gateway, &[("scope", "photos")]).await?;
        let seen = browser.get(&format!("{gateway}/callback?{query}")).await?;
        Ok(seen.parameter("code").ok_or_else(|| format!("no code: {seen:?}"))?)
    }

    /// Redeems a code with the flow's verifier.
    pub(crate) async fn redeem(&self, gateway: &str, code: &str) -> Result<Seen> {
        let (redirect_uri, verifier) = (self.app.redirect_uri, self.verifier.as_str());
        let grant = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", verifier)];
        self.app.token(gateway, &[&grant[..], &[("redirect_uri", redirect_uri)]].concat()).await
    }
}

impl Returned {
    pub(crate) async fn new(gateway: &str) -> Result<Self> {
        let (mut browser, flow) = (UserAgent::default(), App::NATIVE.flow());
        let query = flow.sign_in(&mut browser, gateway, &[("scope", "photos")]).await?;
        Ok(Self { gateway: gateway.to_owned(), browser, flow, query })
    }

    /// Calls the callback with this query; the browser keeps its cookies, as an attacker's would.
    pub(crate) async fn call(&mut self, query: &str) -> Result<Seen> {
        let mut browser = UserAgent { cookies: self.browser.cookies.clone() };
        browser.get(&format!("{}/callback?{query}", self.gateway)).await
    }

    pub(crate) async fn finishes(mut self) -> Result {
        let query = self.query.clone();
        let code = self.call(&query).await?.parameter("code").ok_or("no code")?;
        assert_eq!(self.flow.redeem(&self.gateway, &code).await?.status, 200);
        Ok(())
    }
}

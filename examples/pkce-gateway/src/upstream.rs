//! The authorization server without PKCE.

use std::error::Error;
use std::fs;
use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder};
use serde_json::{Map, Value};
use tokio::sync::RwLock;
use tokio::time::sleep;

use crate::config::{ClientAuthentication, UpstreamConfig};
use crate::endpoint::{self, Endpoint};
use crate::parameters::Parameters;
use crate::reply::{Fault, LARGEST, Reply};

/// After the signal to end: how long an exchange can still begin, and how long the store and the client get after the last
/// one.
const BEGINS: Duration = Duration::from_secs(5);
const SETTLES: Duration = Duration::from_secs(3);

/// The upstream, and how the gateway is registered there.
pub(crate) struct Upstream {
    http: Client,
    config: UpstreamConfig,
    secret: String,
    /// What it calls itself.
    pub(crate) issuer: String,
    pub(crate) authorization: Endpoint,
    pub(crate) token: Endpoint,
    pub(crate) revocation: Option<Endpoint>,
    /// Its metadata, if it was discovered.
    pub(crate) metadata: Map<String, Value>,
    requires_iss: bool,
    /// Whether it gets a code challenge.
    pub(crate) has_pkce: bool,
    /// Read by each exchange while it is under way.
    exchanges: RwLock<()>,
}

impl Upstream {
    /// Makes the client for the upstream: no redirect is followed, and no connection is used twice, because a server may
    /// close an idle one in the very moment in which a code goes out on it.
    pub(crate) fn http(config: &UpstreamConfig) -> Result<Client, String> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let timeout = Duration::from_millis(config.timeout_millis);
        // To connect takes less than the whole: an upstream that was not reached has not seen the code.
        let mut builder = Client::builder().timeout(timeout).connect_timeout(timeout / 2);
        builder = builder.redirect(Policy::none()).pool_max_idle_per_host(0).user_agent("pkce-gateway");
        if let Some(path) = &config.ca_file {
            let failed = |error: String| format!("ca_file {}: {error}", path.display());
            let pem = fs::read(path).map_err(|error| failed(error.to_string()))?;
            let roots = Certificate::from_pem_bundle(&pem).map_err(|error| failed(error.to_string()))?;
            if roots.is_empty() {
                return Err(failed("no certificate".to_owned()));
            }
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|error| format!("the client for the upstream: {error}"))
    }

    /// Puts it together from the configuration and, if it was discovered, its metadata. The configuration wins.
    pub(crate) fn new(http: Client, config: UpstreamConfig, metadata: Map<String, Value>) -> Result<Self, String> {
        let base = endpoint::checked(&config.issuer)?;
        if base.scheme() == "http" && !matches!(base.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")) {
            tracing::warn!("the upstream is reached by http: the gateway's secret is sent in clear");
        }
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let find = |configured: &Option<String>, name: &str| configured.as_deref().or(text(name)).map(str::to_owned);
        let at = |url: Option<String>, change, name| match url {
            Some(url) => Endpoint::new(&base, &url, change).map(Some).map_err(|error| format!("{name}: {error}")),
            None => Ok(None),
        };
        let authorization = find(&config.authorization_endpoint, "authorization_endpoint");
        let token = find(&config.token_endpoint, "token_endpoint");
        let revocation = find(&config.revocation_endpoint, "revocation_endpoint");
        let missing = |name| format!("neither the configuration nor the upstream's metadata has {name}");
        let supports_s256 = metadata.get("code_challenge_methods_supported").and_then(Value::as_array);
        let supports_s256 = supports_s256.is_some_and(|methods| methods.iter().any(|method| method == "S256"));
        let sends_iss = metadata.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true));
        Ok(Self {
            authorization: at(authorization, &config.authorization, "authorization_endpoint")?
                .ok_or_else(|| missing("authorization_endpoint"))?,
            token: at(token, &config.token, "token_endpoint")?.ok_or_else(|| missing("token_endpoint"))?,
            revocation: at(revocation, &config.revocation, "revocation_endpoint")?,
            secret: config.client_secret.read().map_err(|error| format!("the upstream's client_secret: {error}"))?,
            issuer: text("issuer").unwrap_or(&config.issuer).to_owned(),
            requires_iss: config.requires_iss.unwrap_or(sends_iss),
            has_pkce: config.pkce.unwrap_or(supports_s256),
            exchanges: RwLock::default(),
            http,
            config,
            metadata,
        })
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.config.client_id
    }

    pub(crate) fn token_type(&self) -> &str {
        &self.config.token_type
    }

    /// Returns whether an authorization response with this `iss`, or with none, can be the upstream's (RFC 9207 §2.4).
    pub(crate) fn is_issuer(&self, iss: Option<&str>) -> bool {
        iss.map_or(!self.requires_iss, |iss| iss == self.issuer)
    }

    /// Ends the exchanges: completes a few seconds after the last one, before which no new one can begin.
    pub(crate) async fn close(&self) {
        sleep(BEGINS).await;
        let _closed = self.exchanges.write().await;
        sleep(SETTLES).await;
    }

    /// Posts these parameters, and what the endpoint lets through of the client's form, with the gateway's credentials.
    pub(crate) async fn post(
        &self,
        endpoint: &Endpoint,
        own: &[(&str, &str)],
        form: &Parameters,
        ours: &[&str],
    ) -> Result<Reply, Fault> {
        let Ok(_exchange) = self.exchanges.try_read() else { return Err(Fault::Closing) };
        let (id, secret) = (self.client_id(), self.secret.as_str());
        let mut request =
            self.http.post(endpoint.url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let in_body = match self.config.client_authentication {
            ClientAuthentication::ClientSecretBasic => {
                request = request.header(AUTHORIZATION, basic(id, secret));
                &[][..]
            }
            ClientAuthentication::ClientSecretPost => &[("client_id", id), ("client_secret", secret)],
        };
        let fixed = endpoint.fixed(ours);
        let parameters = own.iter().chain(in_body).copied().chain(endpoint.passed_on(form, &fixed));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.send(request.body(body)).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, Fault> {
        let exchange = send(request).await;
        exchange.map_err(|error| {
            tracing::error!(error = chain(&error), "the upstream gave no usable response");
            match (error.is_connect(), error.is_timeout()) {
                (true, _) => Fault::Unreachable,
                (false, true) => Fault::TimedOut,
                (false, false) => Fault::Unusable,
            }
        })
    }
}

/// Sends a request and reads the response, up to a limit.
pub(crate) async fn send(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
    let request = request.header(ACCEPT, "application/json").header(ACCEPT_ENCODING, "identity");
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut reply = Reply {
        status: response.status(),
        content_type: content_type.unwrap_or_default().to_owned(),
        retry_after: response.headers().get(RETRY_AFTER).cloned(),
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        reply.body.extend_from_slice(&chunk);
        if reply.body.len() > LARGEST {
            break; // cut off, it cannot be read
        }
    }
    Ok(reply)
}

/// Returns an error with all that caused it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain = format!("{chain}: {error}");
        cause = error.source();
    }
    chain
}

/// Each form-encoded first (RFC 6749 §2.3.1).
fn basic(user: &str, password: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(user), encode(password))))
}

//! The authorization server that has no PKCE.

use std::error::Error as _;
use std::fmt;

use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Request, Response, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::legacy::Error;
use tokio::time::timeout;
use url::Url;

use crate::answer::{Answer, Fault};
use crate::config::{ClientAuthentication, Registration};
use crate::http_client::{self, HttpClient};
use crate::parameters::Parameters;

/// The largest answer of a token endpoint that is read, in octets.
const LARGEST: usize = 256 * 1024;

/// The upstream, and how the gateway is registered there.
pub(crate) struct Upstream {
    http: HttpClient,
    base: Url,
    authorization_endpoint: Url,
    token_endpoint: Url,
    token_uri: Uri,
    registration: Registration,
    /// The names of the parameters in the endpoints' own queries.
    fixed: Vec<String>,
}

impl Upstream {
    /// An upstream at this URL.
    pub(crate) fn new(base: &Url, registration: Registration) -> Result<Self, String> {
        let base = checked(base.clone())?;
        if base.query().is_some() {
            return Err("the upstream's URL has a query".to_owned());
        }
        let authorization_endpoint = endpoint(&base, &registration.authorization_endpoint)?;
        let token_endpoint = endpoint(&base, &registration.token_endpoint)?;
        let https = [&base, &token_endpoint].iter().any(|url| url.scheme() == "https");
        let token_uri = token_endpoint.as_str().parse().map_err(|_| "the token endpoint is no URL")?;
        // Shorter than the whole: an upstream that was not even reached has not seen the code.
        let http = http_client::new(https, registration.timeout() / 2)?;
        let queries = [&authorization_endpoint, &token_endpoint].map(|url| url.query().unwrap_or_default().as_bytes());
        let queries = queries.map(|query| Parameters::parse(query).ok_or("an endpoint's query cannot be read"));
        let [of_one, of_other] = queries;
        let fixed = of_one?.names().chain(of_other?.names()).map(str::to_owned).collect();
        Ok(Self { http, base, authorization_endpoint, token_endpoint, token_uri, registration, fixed })
    }

    /// Its URL.
    pub(crate) const fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) const fn endpoints(&self) -> [&Url; 2] {
        [&self.authorization_endpoint, &self.token_endpoint]
    }

    pub(crate) const fn authorization_endpoint(&self) -> &Url {
        &self.authorization_endpoint
    }

    /// What a client has no say in: the names in `ours`, and what the operator has put into the endpoints' queries.
    pub(crate) fn fixed<'a>(&'a self, ours: &[&'a str]) -> Vec<&'a str> {
        ours.iter().copied().chain(self.fixed.iter().map(String::as_str)).collect()
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.registration.client_id
    }

    /// Whether an authorization response with this `iss`, or with none, may be its own (RFC 9207 §2.4).
    pub(crate) fn is_issuer(&self, iss: Option<&str>) -> bool {
        let by_default = self.base.as_str().trim_end_matches('/');
        match iss {
            None => !self.registration.requires_iss,
            Some(iss) => iss == self.registration.issuer.as_deref().unwrap_or(by_default),
        }
    }

    /// Sends a token request with the gateway's own credentials.
    pub(crate) async fn token(&self, parameters: Vec<(&str, &str)>) -> Result<Answer, Fault> {
        let request = self.token_request(parameters)?;
        let exchange = async {
            let (head, body) = self.send(request).await?.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(|_| Fault::Unusable)?;
            Answer::read(&head, &body.to_bytes())
        };
        let answer = timeout(self.registration.timeout(), exchange).await.unwrap_or(Err(Fault::TimedOut));
        if let Err(fault) = answer {
            tracing::error!(?fault, "the upstream's token endpoint");
        }
        answer
    }

    fn token_request(&self, parameters: Vec<(&str, &str)>) -> Result<Request<Body>, Fault> {
        let Registration { client_id, client_secret, client_authentication, .. } = &self.registration;
        let mut request = Request::post(&self.token_uri)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        match client_authentication {
            ClientAuthentication::ClientSecretBasic => {
                request = request.header(AUTHORIZATION, basic(client_id, client_secret));
            }
            ClientAuthentication::ClientSecretPost => {
                form.extend_pairs([("client_id", client_id), ("client_secret", client_secret)]);
            }
        }
        request.body(form.finish().into()).map_err(|_| Fault::Unusable)
    }

    /// Sends any request, its target rewritten; what comes back is streamed.
    pub(crate) async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, Fault> {
        timeout(self.registration.timeout(), self.send(request)).await.unwrap_or(Err(Fault::TimedOut))
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Fault> {
        self.http.request(request).await.map(|response| response.map(Body::new)).map_err(|error| fault(&error))
    }
}

/// Shows no secret.
impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

fn fault(error: &Error) -> Fault {
    let source = error.source().map(ToString::to_string);
    tracing::warn!(%error, source, "the upstream");
    if error.is_connect() { Fault::Unreachable } else { Fault::Unusable }
}

/// A path below the base, or a URL.
fn endpoint(base: &Url, text: &str) -> Result<Url, String> {
    let url = match text.strip_prefix('/') {
        Some(path) => Url::parse(&format!("{}/{path}", base.as_str().trim_end_matches('/'))),
        None => Url::parse(text),
    };
    checked(url.map_err(|_| format!("{text:?} is neither a path nor a URL"))?)
}

/// Neither credentials nor a fragment, and nothing that is not HTTP. A query is only part of an endpoint.
fn checked(url: Url) -> Result<Url, String> {
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_http && url.username().is_empty() && url.password().is_none() && url.fragment().is_none() {
        Ok(url)
    } else {
        Err("the upstream has a URL by http or https, without credentials and without a fragment".to_owned())
    }
}

/// Each form-encoded first (RFC 6749 §2.3.1).
fn basic(user: &str, password: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(user), encode(password))))
}

//! An authorization server of `oxide-auth` on axum, as its documentation builds one: authorization with a consent page,
//! token, refresh, a guarded resource, everything in memory. `README.md` beside it says what `pkce-tower` changes.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use oxide_auth::endpoint::{
    AccessTokenFlow, AuthorizationFlow, OwnerConsent, OwnerSolicitor, QueryParameter as _, RefreshFlow, ResourceFlow,
    Solicitation,
};
use oxide_auth::frontends::simple::endpoint::{FnSolicitor, Generic, Vacant};
use oxide_auth::primitives::prelude::{AuthMap, Client, ClientMap, RandomGenerator, Scope, TokenMap};
use oxide_auth_axum::{OAuthRequest, OAuthResource, OAuthResponse, WebError};
use pkce_tower::{CaptureLayer, MemoryStore, Pkce, TokenEndpointLayer};
use url::{Url, form_urlencoded};

/// Where both clients get their codes.
pub const CALLBACK: &str = "http://localhost:8021/endpoint";

/// Registrar, codes and tokens.
struct Endpoint {
    registrar: ClientMap,
    authorizer: AuthMap<RandomGenerator>,
    issuer: TokenMap<RandomGenerator>,
    scopes: Vec<Scope>,
}

/// A redirect URI or a scope that is none.
pub type InvalidSetting = Box<dyn Error + Send + Sync>;

type Shared = Arc<Mutex<Endpoint>>;

/// The server.
///
/// # Errors
///
/// When a setting above is none.
pub fn app() -> Result<Router, InvalidSetting> {
    let pkce = Pkce::new(MemoryStore::new());
    Ok(Router::new()
        .route("/authorize", get(ask).post(decide).layer(CaptureLayer::new(pkce.clone())))
        .route("/token", post(token).layer(TokenEndpointLayer::new(pkce)))
        .route("/", get(resource))
        .with_state(Arc::new(Mutex::new(Endpoint::new()?))))
}

/// The authorization request: a page that asks the user.
async fn ask(State(shared): State<Shared>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    let solicitor = FnSolicitor(|request: &mut OAuthRequest, solicitation: Solicitation<'_>| {
        match OAuthResponse::default().content_type("text/html; charset=utf-8") {
            Ok(response) => OwnerConsent::InProgress(response.body(&consent_page(request, &solicitation))),
            Err(error) => OwnerConsent::Error(error),
        }
    });
    authorize(&shared, request, solicitor)
}

/// The user's answer: the same parameters again, and `allow`. A real server signs the user in first.
async fn decide(State(shared): State<Shared>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    let allowed = request.query().is_some_and(|query| query.unique_value("allow").is_some());
    let answer = move |_: &mut OAuthRequest, _: Solicitation<'_>| {
        if allowed { OwnerConsent::Authorized("alice".to_owned()) } else { OwnerConsent::Denied }
    };
    authorize(&shared, request, FnSolicitor(answer))
}

/// The token request.
async fn token(State(shared): State<Shared>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    let mut endpoint = lock(&shared)?;
    match request.body().and_then(|body| body.unique_value("grant_type")).as_deref() {
        Some("refresh_token") => Ok(RefreshFlow::prepare(endpoint.with(Vacant))?.execute(request)?),
        _ => Ok(AccessTokenFlow::prepare(endpoint.with(Vacant))?.execute(request)?),
    }
}

/// What the tokens are for.
async fn resource(State(shared): State<Shared>, request: OAuthResource) -> Result<OAuthResponse, WebError> {
    let mut endpoint = lock(&shared)?;
    match ResourceFlow::prepare(endpoint.with(Vacant))?.execute(request.into()) {
        Ok(grant) => Ok(OAuthResponse::default().body(&format!("hello, {}", grant.owner_id))),
        Err(refused) => Ok(refused?),
    }
}

fn authorize<S>(shared: &Shared, request: OAuthRequest, solicitor: S) -> Result<OAuthResponse, WebError>
where
    S: OwnerSolicitor<OAuthRequest>,
{
    Ok(AuthorizationFlow::prepare(lock(shared)?.with(solicitor))?.execute(request)?)
}

/// A form whose two buttons repeat the authorization request.
fn consent_page(request: &OAuthRequest, solicitation: &Solicitation<'_>) -> String {
    let grant = solicitation.pre_grant();
    let mut again = form_urlencoded::Serializer::new(String::new());
    again.append_pair("response_type", "code");
    again.append_pair("client_id", &grant.client_id);
    again.append_pair("redirect_uri", grant.redirect_uri.as_str());
    again.append_pair("scope", &grant.scope.to_string());
    again.append_pair("state", solicitation.state().unwrap_or_default());
    for name in ["code_challenge", "code_challenge_method"] {
        again.append_pair(name, &request.query().and_then(|query| query.unique_value(name)).unwrap_or_default());
    }
    let (client, action) = (&grant.client_id, again.finish().replace('&', "&amp;"));
    format!(
        "<!doctype html><title>Consent</title><p>{client} asks for {}</p><form method=post>\
         <button formaction=\"/authorize?{action}&amp;allow=true\">Allow</button>\
         <button formaction=\"/authorize?{action}\">Deny</button></form>",
        grant.scope
    )
}

fn lock(shared: &Shared) -> Result<MutexGuard<'_, Endpoint>, WebError> {
    shared.lock().map_err(|_| WebError::InternalError(None))
}

impl Endpoint {
    /// With a client that has no secret and one that has.
    fn new() -> Result<Self, InvalidSetting> {
        let (callback, scope): (Url, Scope) = (CALLBACK.parse()?, "default-scope".parse()?);
        let clients = [
            Client::public("PublicClient", callback.clone().into(), scope.clone()),
            Client::confidential("LocalClient", callback.into(), scope.clone(), b"SecretSecret"),
        ];
        Ok(Self {
            registrar: clients.into_iter().collect(),
            authorizer: AuthMap::new(RandomGenerator::new(16)),
            issuer: TokenMap::new(RandomGenerator::new(16)),
            scopes: vec![scope],
        })
    }

    /// What a flow of `oxide-auth` runs on.
    fn with<S>(
        &mut self,
        solicitor: S,
    ) -> Generic<&ClientMap, &mut AuthMap<RandomGenerator>, &mut TokenMap<RandomGenerator>, S, &[Scope]> {
        Generic {
            registrar: &self.registrar,
            authorizer: &mut self.authorizer,
            issuer: &mut self.issuer,
            solicitor,
            scopes: &self.scopes,
            response: Vacant,
        }
    }
}

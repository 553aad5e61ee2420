//! An authorization server of `oxide-auth` on Actix Web, as its documentation builds one, with the endpoint as an actor:
//! authorization with a consent page, token, refresh, a guarded resource, everything in memory. `README.md` beside it
//! says what `pkce-actix` changes.

use std::error::Error;

use actix::{Actor, Addr, Context, Handler};
use actix_web::web::{self, Data, ServiceConfig};
use oxide_auth::endpoint::{Endpoint, OwnerConsent, OwnerSolicitor, QueryParameter as _, Solicitation};
use oxide_auth::frontends::simple::endpoint::{ErrorInto, FnSolicitor, Generic, Vacant};
use oxide_auth::primitives::prelude::{AuthMap, Client, ClientMap, RandomGenerator, Scope, TokenMap};
use oxide_auth_actix::{
    Authorize, OAuthMessage, OAuthOperation, OAuthRequest, OAuthResource, OAuthResponse, Refresh, Resource, Token,
    WebError,
};
use pkce_actix::{Capture, MemoryStore, Pkce, TokenEndpoint};
use url::{Url, form_urlencoded};

/// Where both clients get their codes.
pub const CALLBACK: &str = "http://localhost:8021/endpoint";

/// A redirect URI or a scope that is none.
pub type InvalidSetting = Box<dyn Error + Send + Sync>;

/// The server, which all workers share.
#[derive(Debug, Clone)]
pub struct Server {
    state: Addr<State>,
    pkce: Pkce,
}

impl Server {
    /// Starts the actor that holds registrar, codes and tokens.
    ///
    /// # Errors
    ///
    /// When a setting above is none.
    pub fn start() -> Result<Self, InvalidSetting> {
        Ok(Self { state: State::new()?.start(), pkce: Pkce::new(MemoryStore::new()) })
    }

    /// The routes, for each worker's application.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) {
        let Self { state, pkce } = self.clone();
        move |config| {
            config
                .app_data(Data::new(state))
                .service(
                    web::resource("/authorize")
                        .wrap(Capture::new(pkce.clone()))
                        .route(web::get().to(ask))
                        .route(web::post().to(decide)),
                )
                .service(web::resource("/token").wrap(TokenEndpoint::new(pkce)).route(web::post().to(token)))
                .service(web::resource("/").route(web::get().to(resource)));
        }
    }
}

/// The authorization request: a page that asks the user.
async fn ask(state: Data<Addr<State>>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    state.send(Authorize(request).wrap(Extras::Ask)).await?
}

/// The user's answer: the same parameters again, and `allow`. A real server signs the user in first.
async fn decide(state: Data<Addr<State>>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    let allowed = request.query().is_some_and(|query| query.unique_value("allow").is_some());
    state.send(Authorize(request).wrap(Extras::Decided(allowed))).await?
}

/// The token request.
async fn token(state: Data<Addr<State>>, request: OAuthRequest) -> Result<OAuthResponse, WebError> {
    match request.body().and_then(|body| body.unique_value("grant_type")).as_deref() {
        Some("refresh_token") => state.send(Refresh(request).wrap(Extras::Nothing)).await?,
        _ => state.send(Token(request).wrap(Extras::Nothing)).await?,
    }
}

/// What the tokens are for.
async fn resource(state: Data<Addr<State>>, request: OAuthResource) -> Result<OAuthResponse, WebError> {
    match state.send(Resource(request.into_request()).wrap(Extras::Nothing)).await? {
        Ok(grant) => Ok(OAuthResponse::ok().body(&format!("hello, {}", grant.owner_id))),
        Err(refused) => refused,
    }
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

/// What an operation has to know beside the request.
enum Extras {
    Ask,
    Decided(bool),
    Nothing,
}

/// Registrar, codes and tokens.
struct State {
    registrar: ClientMap,
    authorizer: AuthMap<RandomGenerator>,
    issuer: TokenMap<RandomGenerator>,
    scopes: Vec<Scope>,
}

impl State {
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

    /// What an operation of `oxide-auth` runs on.
    fn with<S>(&mut self, solicitor: S) -> impl Endpoint<OAuthRequest, Error = WebError>
    where
        S: OwnerSolicitor<OAuthRequest>,
    {
        ErrorInto::new(Generic {
            registrar: &self.registrar,
            authorizer: &mut self.authorizer,
            issuer: &mut self.issuer,
            solicitor,
            scopes: &*self.scopes,
            response: Vacant,
        })
    }
}

impl Actor for State {
    type Context = Context<Self>;
}

impl<O: OAuthOperation> Handler<OAuthMessage<O, Extras>> for State {
    type Result = Result<O::Item, O::Error>;

    fn handle(&mut self, message: OAuthMessage<O, Extras>, _: &mut Context<Self>) -> Self::Result {
        let (operation, extras) = message.into_inner();
        match extras {
            Extras::Ask => {
                let page = |request: &mut OAuthRequest, solicitation: Solicitation<'_>| match OAuthResponse::ok()
                    .content_type("text/html; charset=utf-8")
                {
                    Ok(response) => OwnerConsent::InProgress(response.body(&consent_page(request, &solicitation))),
                    Err(error) => OwnerConsent::Error(error),
                };
                operation.run(self.with(FnSolicitor(page)))
            }
            Extras::Decided(allowed) => {
                let answer = move |_: &mut OAuthRequest, _: Solicitation<'_>| {
                    if allowed { OwnerConsent::Authorized("alice".to_owned()) } else { OwnerConsent::Denied }
                };
                operation.run(self.with(FnSolicitor(answer)))
            }
            Extras::Nothing => operation.run(self.with(Vacant)),
        }
    }
}

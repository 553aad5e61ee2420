//! A small authorization server on Actix Web, with PKCE by `pkce-actix`.
//!
//! What concerns PKCE is all here: the challenge at `/authorize`, the binding when the code is issued, the middleware
//! on `/token`, the methods in the metadata. The rest of the server is in `example-host`.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use example_host::{Answer, CORS, Consent, Host, Options};
use pkce_actix::pkce_core::store::ChallengeStore;
use pkce_actix::{AuthorizationCode, ChallengeRejection, Clearance, OptionalChallenge, Pkce, TokenEndpoint};

/// What the workers share.
#[derive(Debug, Clone)]
pub struct Server {
    host: Data<Host>,
    pkce: Data<Pkce>,
}

impl Server {
    /// The server with the options of a command line, on the store that they name, under the name `issuer`.
    pub fn new(options: &Options, store: impl ChallengeStore, issuer: &str) -> Self {
        let host = Arc::new(Host::new(issuer));
        let revoking = Arc::clone(&host);
        let pkce = options.pkce(store, move |replay| revoking.revoke(replay));
        Self::with(host, pkce)
    }

    /// The server with PKCE of one's own.
    pub fn with(host: Arc<Host>, pkce: Pkce) -> Self {
        Self { host: Data::from(host), pkce: Data::new(pkce) }
    }
}

/// The application, made anew for each worker.
pub fn app(
    server: Server,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let token = web::resource("/token")
        .route(web::post().to(token))
        .route(web::method(Method::OPTIONS).to(options))
        .wrap(TokenEndpoint::new(server.pkce.as_ref().clone()))
        .wrap(from_fn(with_cors));
    let for_browsers = |path: &str| {
        let resource = web::resource(path).route(web::method(Method::OPTIONS).to(options));
        resource.default_service(web::to(get_only)).wrap(from_fn(with_cors))
    };
    App::new()
        .app_data(server.host)
        .app_data(server.pkce)
        .app_data(PayloadConfig::new(16 * 1024))
        .service(
            web::resource("/authorize")
                .route(web::get().to(authorize))
                .route(web::head().to(authorize))
                .default_service(web::to(get_only)),
        )
        .service(web::resource("/sign-in").route(web::post().to(sign_in)).default_service(web::to(post_only)))
        .service(token)
        .service(for_browsers("/me").route(web::get().to(me)).route(web::head().to(me)))
        .service(
            for_browsers("/.well-known/oauth-authorization-server")
                .route(web::get().to(metadata))
                .route(web::head().to(metadata)),
        )
        .default_service(web::to(not_found))
        .wrap(from_fn(literal_path))
        .wrap(from_fn(log))
}

/// Client and redirect URI come first, so the challenge is taken as a `Result` and looked at last.
async fn authorize(
    host: Data<Host>,
    request: HttpRequest,
    challenge: Result<OptionalChallenge, ChallengeRejection>,
) -> Result<HttpResponse, ChallengeRejection> {
    let pending = match host.authorize(request.query_string()) {
        Err(answer) => return Ok(respond(answer)),
        Ok(pending) => pending,
    };
    Ok(respond(match challenge {
        Ok(OptionalChallenge(challenge)) => pending.sign_in(challenge),
        Err(refused) => match refused.rejection() {
            Some(rejection) => pending.refuse(rejection),
            None => return Err(refused),
        },
    }))
}

/// The code is bound before it leaves.
async fn sign_in(host: Data<Host>, pkce: Data<Pkce>, body: Result<Bytes, Error>) -> HttpResponse {
    let approved = match body.map(|body| host.decide(&body)) {
        Err(refused) => return respond(host.unreadable(refused.as_response_error().status_code().as_u16())),
        Ok(Consent::Answered(answer)) => return respond(answer),
        Ok(Consent::Approved(approved)) => approved,
    };
    let Ok(code) = AuthorizationCode::generate() else { return respond(approved.redirect_without_code()) };
    let bind = match approved.request().challenge.clone() {
        Some(challenge) => pkce.bind(&code, challenge),
        // Only with --allow-missing-challenge: that there is none is bound too.
        None => pkce.bind_without_challenge(&code),
    };
    respond(match bind.grant(approved.grant()).await {
        Ok(()) => approved.redirect(code.as_str()),
        Err(error) => approved.redirect_unbound(&error),
    })
}

/// Runs only once the code verifier has matched, or for another grant type.
async fn token(host: Data<Host>, clearance: Clearance, request: HttpRequest, body: Bytes) -> HttpResponse {
    respond(host.token(&clearance, authorization(&request), &body))
}

async fn me(host: Data<Host>, request: HttpRequest) -> HttpResponse {
    respond(host.me(authorization(&request)))
}

async fn metadata(host: Data<Host>, pkce: Data<Pkce>) -> HttpResponse {
    respond(host.metadata(pkce.code_challenge_methods_supported()))
}

async fn options(host: Data<Host>) -> HttpResponse {
    respond(host.options())
}

async fn get_only(host: Data<Host>) -> HttpResponse {
    respond(host.method_not_allowed("GET"))
}

async fn post_only(host: Data<Host>) -> HttpResponse {
    respond(host.method_not_allowed("POST"))
}

async fn not_found(host: Data<Host>) -> HttpResponse {
    respond(host.not_found())
}

/// Errors carry the headers too: a browser-based app has to see them.
async fn with_cors(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    for (name, value) in CORS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Actix decodes a path before it looks for a route, so `/%74oken` would be `/token`: not to a proxy in front of it.
async fn literal_path(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.uri().path().contains('%') {
        let host = request.app_data::<Data<Host>>().map(|host| respond(host.not_found()));
        return Ok(request
            .into_response(host.unwrap_or_else(|| HttpResponse::NotFound().finish()))
            .map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Names the path without its query: a query holds the challenge.
async fn log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let response = next.call(request).await?;
    tracing::info!(%method, path, status = response.status().as_u16());
    Ok(response)
}

fn authorization(request: &HttpRequest) -> Option<&str> {
    request.headers().get(AUTHORIZATION)?.to_str().ok()
}

fn respond(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for header in answer.headers {
        response.insert_header(header);
    }
    response.body(answer.body)
}

//! A complete small authorization server on Actix Web, to copy: sign-in, consent, codes, tokens, refresh. `cargo run -p
//! actix-example` listens on 127.0.0.1:3000, or on the address of its argument. Replace what is marked "yours".
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints its address; nothing panics with a lock")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_cors::Cors;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, Form, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, error, get, post};
use actix_web_httpauth::extractors::{basic::BasicAuth, bearer::BearerAuth};
use constant_time_eq::constant_time_eq;
use percent_encoding::percent_decode_str;
use pkce_actix::{
    AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, ErrorCode, MemoryStore,
    PendingChallenge, Pkce, RedirectUriMatcher, Rejection, TokenEndpoint,
};
use rand::distr::{Alphanumeric, SampleString as _};
use serde::Deserialize;
use serde_json::json;

// Yours: the users, and the clients: id, secret (a public client has none), redirect URI.
const USER: (&str, &str) = ("alice", "wonderland");
const CLIENTS: [(&str, Option<&str>, &str); 2] = [
    ("native", None, "http://127.0.0.1/callback"),
    ("web", Some("the secret of the web client"), "https://web.example/callback"),
];
const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");
const REDIRECT_URIS: RedirectUriMatcher = RedirectUriMatcher::new(); // a native app takes a free port
const LIFETIME: Duration = Duration::from_secs(600); // of a pending request, and of an access token

struct Server {
    issuer: String,
    pending: Mutex<HashMap<(String, String), Pending>>, // by session and CSRF token: each tab has a token of its own
    grants: Mutex<HashMap<String, Grant>>,              // yours: a database that forgets what has expired
}
type Reply = Result<HttpResponse, AuthorizationRedirect>;

// An authorization request that waits for the user. Nothing of it is in the form.
type Pending = (Instant, AuthorizationRequest, AuthorizationResponse, PendingChallenge);

// What the user has granted, and its tokens of that time. Its key is bound with the code. What is revoked is removed.
struct Grant {
    request: AuthorizationRequest,
    user: String,
    access_token: String,
    refresh_token: String,
    since: Instant,
}

#[derive(Deserialize)]
struct AuthorizationRequest {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
}

#[get("/authorize")]
async fn authorize(
    server: Data<Server>,
    pkce: Data<Pkce>,
    http: HttpRequest,
    Query(request): Query<AuthorizationRequest>,
    challenge: Result<Challenge, Rejection>,
) -> Reply {
    if !CLIENTS.iter().any(|&(id, _, uri)| id == request.client_id && REDIRECT_URIS.matches(uri, &request.redirect_uri))
    {
        return Ok(HttpResponse::BadRequest().body("unknown client or redirect URI")); // never a redirect
    }
    let response = AuthorizationResponse::new(&pkce, &request.redirect_uri).state(request.state.clone());
    if request.response_type != "code" {
        return Err(response.error(ErrorCode::UnsupportedResponseType));
    }
    let Challenge(challenge) = challenge.map_err(|rejection| response.error(&rejection))?;
    let known = http.cookie("session").filter(|cookie| cookie.value().len() == 32);
    let session = known.map_or_else(random, |cookie| cookie.value().to_owned());
    let cookie = Cookie::build("session", session.clone()).path("/").http_only(true).same_site(SameSite::Lax);
    let (csrf, mut page) = page(&request);
    page.add_cookie(&cookie.secure(server.issuer.starts_with("https:")).finish()).ok();
    let mut pending = server.pending.lock().unwrap();
    pending.retain(|_, pending| pending.0.elapsed() < LIFETIME);
    pending.insert((session, csrf), (Instant::now(), request, response, challenge));
    Ok(page)
}

fn page(request: &AuthorizationRequest) -> (String, HttpResponse) {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (csrf, client, uri) = (random(), escape(&request.client_id), escape(&request.redirect_uri));
    let page = format!(
        "<!doctype html><title>Consent</title><form method=post action=/consent>{client} at {uri} asks for your account.\
         <input type=hidden name=csrf value=\"{csrf}\"><input name=user> <input name=password type=password>\
         <button name=answer value=allow>Allow</button> <button name=answer value=deny>Deny</button></form>"
    );
    let mut response = HttpResponse::Ok();
    response.insert_header(NO_STORE).insert_header(("referrer-policy", "no-referrer"));
    response.insert_header(("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"));
    (csrf, response.content_type("text/html; charset=utf-8").body(page))
}

#[derive(Deserialize)]
struct Decision {
    csrf: String,
    answer: String,
    user: String,
    password: String,
}

#[post("/consent")]
async fn consent(server: Data<Server>, pkce: Data<Pkce>, http: HttpRequest, decision: Form<Decision>) -> Reply {
    let Decision { csrf, answer, user, password } = decision.into_inner();
    if answer == "allow" && (user.as_str(), password.as_str()) != USER {
        return Ok(HttpResponse::Forbidden().body("wrong password"));
    }
    let session = http.cookie("session").map_or(String::new(), |cookie| cookie.value().to_owned());
    let pending = server.pending.lock().unwrap().remove(&(session, csrf));
    let Some((_, request, response, challenge)) = pending.filter(|(since, ..)| since.elapsed() < LIFETIME) else {
        return Ok(HttpResponse::Forbidden().body("please start again"));
    };
    if answer != "allow" {
        return Err(response.error(ErrorCode::AccessDenied));
    }
    let (id, code) = (random(), AuthorizationCode::generate().map_err(|error| response.error(&error))?);
    // Before the code leaves. The layer compares the client and the redirect URI with those of the token request.
    let bind = pkce.bind(&code, challenge).client_id(&request.client_id).redirect_uri(&request.redirect_uri);
    bind.grant(&id).await.map_err(|error| response.error(&error))?;
    let grant = Grant { request, user, access_token: random(), refresh_token: random(), since: Instant::now() };
    server.grants.lock().unwrap().insert(id, grant);
    Ok(response.code(&code).into())
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
    refresh_token: Option<String>,
}

// Runs once the code verifier has matched, and for other grant types. After a 400 or 401 the code can be redeemed again.
async fn token(
    server: Data<Server>,
    clearance: Clearance,
    basic: Option<BasicAuth>,
    Form(request): Form<TokenRequest>,
) -> HttpResponse {
    let error = |error| HttpResponse::BadRequest().insert_header(NO_STORE).json(json!({ "error": error }));
    let Some(client_id) = authenticate(basic.as_ref(), request.client_id.as_deref()) else {
        let (basic, error) = ((WWW_AUTHENTICATE, "Basic"), json!({ "error": "invalid_client" }));
        return HttpResponse::Unauthorized().insert_header(NO_STORE).insert_header(basic).json(error);
    };
    let refresh_token = request.refresh_token.unwrap_or_default();
    let id = match request.grant_type.as_str() {
        "authorization_code" => clearance.grant::<String>().unwrap_or_default(),
        "refresh_token" => refresh_token.split('.').next().unwrap_or_default().to_owned(),
        _ => return error("unsupported_grant_type"),
    };
    let mut grants = server.grants.lock().unwrap();
    let is_theirs = |grant: &&mut Grant| grant.request.client_id == client_id;
    let Some(grant) = grants.get_mut(&id).filter(is_theirs) else { return error("invalid_grant") };
    if request.grant_type == "refresh_token" && refresh_token != grant.refresh_token {
        grants.remove(&id); // a refresh token that was used before: somebody has stolen it (RFC 9700 §4.14.2)
        return error("invalid_grant");
    }
    (grant.access_token, grant.refresh_token, grant.since) = (random(), format!("{id}.{}", random()), Instant::now());
    let (access, refresh, seconds) = (&grant.access_token, &grant.refresh_token, LIFETIME.as_secs());
    HttpResponse::Ok().insert_header(NO_STORE).json(json!({
        "access_token": access, "token_type": "Bearer", "expires_in": seconds, "refresh_token": refresh,
    }))
}

fn authenticate(basic: Option<&BasicAuth>, client_id: Option<&str>) -> Option<&'static str> {
    // RFC 6749 §2.3.1: both halves are form-encoded.
    let decode = |half: &str| percent_decode_str(&half.replace('+', " ")).decode_utf8_lossy().into_owned();
    let (name, password) = match basic {
        Some(basic) => (decode(basic.user_id()), decode(basic.password().unwrap_or_default())),
        None => (client_id?.to_owned(), String::new()),
    };
    let (id, secret, _) = CLIENTS.iter().find(|(id, ..)| *id == name && client_id.is_none_or(|other| other == *id))?;
    constant_time_eq(secret.unwrap_or_default().as_bytes(), password.as_bytes()).then_some(id)
}

fn cors() -> Cors {
    Cors::default().allow_any_origin().allow_any_method().allowed_headers([AUTHORIZATION, CONTENT_TYPE])
}

#[get("/me", wrap = "cors()")] // a resource that the tokens open
async fn me(server: Data<Server>, bearer: BearerAuth) -> actix_web::Result<String> {
    let is_opened = |grant: &&Grant| grant.access_token == bearer.token() && grant.since.elapsed() < LIFETIME;
    let grants = server.grants.lock().unwrap();
    grants.values().find(is_opened).map(|grant| grant.user.clone()).ok_or(error::ErrorUnauthorized("unknown token"))
}

#[get("/.well-known/oauth-authorization-server", wrap = "cors()")]
async fn metadata(server: Data<Server>, pkce: Data<Pkce>) -> HttpResponse {
    let issuer = &server.issuer;
    HttpResponse::Ok().json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": pkce.code_challenge_methods_supported(),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn timed<B>(request: ServiceRequest, next: Next<B>) -> actix_web::Result<ServiceResponse<B>> {
    let response = actix_web::rt::time::timeout(Duration::from_secs(5), next.call(request)).await; // its body included
    response.unwrap_or_else(|_| Err(error::ErrorRequestTimeout("too slow")))
}

fn random() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 32) // 190 bits
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let listener = std::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:3000".into()))?;
    let issuer = format!("http://{}", listener.local_addr()?); // yours: the https URL that clients know
    println!("listening on {issuer}");
    let server = Data::new(Server { issuer, pending: Mutex::default(), grants: Mutex::default() });
    let replayed = server.clone();
    let pkce = Pkce::builder(MemoryStore::new()) // yours: a store that all of your servers share
        .issuer(&server.issuer)
        .on_replay(move |replay| {
            replay.grant::<String>().ok().and_then(|id| replayed.grants.lock().unwrap().remove(&id));
            std::future::ready(())
        })
        .build(); // once, outside of the closure: the workers share it
    let app = move || {
        App::new()
            .app_data(server.clone())
            .app_data(Data::new(pkce.clone()))
            .service(authorize)
            .service(consent)
            .service(web::resource("/token").wrap(TokenEndpoint::new(pkce.clone())).wrap(cors()).post(token))
            .service(me)
            .service(metadata)
            .wrap(from_fn(timed))
    };
    HttpServer::new(app).listen(listener)?.run().await
}

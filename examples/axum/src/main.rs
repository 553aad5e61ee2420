//! A complete small authorization server on axum, to copy: sign-in, consent, codes, tokens, refresh. `cargo run -p
//! axum-example` listens on 127.0.0.1:3000, or on the address of its argument. Replace what is marked "yours".
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints its address; nothing panics with a lock")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_extra::TypedHeader;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use axum_extra::headers::authorization::{Authorization, Basic, Bearer};
use constant_time_eq::constant_time_eq;
use percent_encoding::percent_decode_str;
use pkce_tower::{
    AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, ErrorCode, MemoryStore,
    PendingChallenge, Pkce, RedirectUriMatcher, Rejection, TokenEndpointLayer,
};
use rand::distr::{Alphanumeric, SampleString as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use tower_http::timeout::TimeoutLayer;

// Yours: the users, and the clients: id, secret (a public client has none), redirect URI.
const USER: (&str, &str) = ("alice", "wonderland");
const CLIENTS: [(&str, Option<&str>, &str); 2] = [
    ("native", None, "http://127.0.0.1/callback"),
    ("web", Some("the secret of the web client"), "https://web.example/callback"),
];
const REDIRECT_URIS: RedirectUriMatcher = RedirectUriMatcher::new(); // a native app takes a free port
const LIFETIME: Duration = Duration::from_secs(600); // of a pending request, and of an access token

struct AppState {
    issuer: String,
    pkce: Pkce,
    pending: Mutex<HashMap<(String, String), Pending>>, // by session and CSRF token: each tab has a token of its own
    grants: Arc<Mutex<HashMap<String, Grant>>>,         // yours: a database that forgets what has expired
}
type App = State<Arc<AppState>>;
type Reply = Result<Response, AuthorizationRedirect>;
impl AsRef<Pkce> for AppState {
    fn as_ref(&self) -> &Pkce {
        &self.pkce
    }
}

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

async fn authorize(
    State(app): App,
    cookies: CookieJar,
    Query(request): Query<AuthorizationRequest>,
    challenge: Result<Challenge, Rejection>,
) -> Reply {
    if !CLIENTS.iter().any(|&(id, _, uri)| id == request.client_id && REDIRECT_URIS.matches(uri, &request.redirect_uri))
    {
        return Ok((StatusCode::BAD_REQUEST, "unknown client or redirect URI").into_response()); // never a redirect
    }
    let response = AuthorizationResponse::new(&app.pkce, &request.redirect_uri).state(request.state.clone());
    if request.response_type != "code" {
        return Err(response.error(ErrorCode::UnsupportedResponseType));
    }
    let Challenge(challenge) = challenge.map_err(|rejection| response.error(&rejection))?;
    let session =
        cookies.get("session").map(Cookie::value).filter(|id| id.len() == 32).map_or_else(random, str::to_owned);
    let cookie = Cookie::build(("session", session.clone())).path("/").http_only(true).same_site(SameSite::Lax);
    let cookies = cookies.add(cookie.secure(app.issuer.starts_with("https:")));
    let (csrf, page) = page(&request);
    let mut pending = app.pending.lock().unwrap();
    pending.retain(|_, pending| pending.0.elapsed() < LIFETIME);
    pending.insert((session, csrf), (Instant::now(), request, response, challenge));
    Ok((cookies, page).into_response())
}

fn page(request: &AuthorizationRequest) -> (String, Response) {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (csrf, client, uri) = (random(), escape(&request.client_id), escape(&request.redirect_uri));
    let page = format!(
        "<!doctype html><title>Consent</title><form method=post action=/consent>{client} at {uri} asks for your account.\
         <input type=hidden name=csrf value=\"{csrf}\"><input name=user> <input name=password type=password>\
         <button name=answer value=allow>Allow</button> <button name=answer value=deny>Deny</button></form>"
    );
    let headers = [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ];
    (csrf, (headers, Html(page)).into_response())
}

#[derive(Deserialize)]
struct Decision {
    csrf: String,
    answer: String,
    user: String,
    password: String,
}

async fn consent(State(app): App, cookies: CookieJar, Form(decision): Form<Decision>) -> Reply {
    let Decision { csrf, answer, user, password } = decision;
    if answer == "allow" && (user.as_str(), password.as_str()) != USER {
        return Ok((StatusCode::FORBIDDEN, "wrong password").into_response());
    }
    let session = cookies.get("session").map_or("", Cookie::value).to_owned();
    let pending = app.pending.lock().unwrap().remove(&(session, csrf));
    let Some((_, request, response, challenge)) = pending.filter(|(since, ..)| since.elapsed() < LIFETIME) else {
        return Ok((StatusCode::FORBIDDEN, "please start again").into_response());
    };
    if answer != "allow" {
        return Err(response.error(ErrorCode::AccessDenied));
    }
    let (id, code) = (random(), AuthorizationCode::generate().map_err(|error| response.error(&error))?);
    // Before the code leaves. The layer compares the client and the redirect URI with those of the token request.
    let bind = app.pkce.bind(&code, challenge).client_id(&request.client_id).redirect_uri(&request.redirect_uri);
    bind.grant(&id).await.map_err(|error| response.error(&error))?;
    let grant = Grant { request, user, access_token: random(), refresh_token: random(), since: Instant::now() };
    app.grants.lock().unwrap().insert(id, grant);
    Ok(response.code(&code).into_response())
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: Option<String>,
    refresh_token: Option<String>,
}

// Runs once the code verifier has matched, and for other grant types. After a 400 or 401 the code can be redeemed again.
async fn token(
    State(app): App,
    clearance: Clearance,
    basic: Option<TypedHeader<Authorization<Basic>>>,
    Form(request): Form<TokenRequest>,
) -> Response {
    let no_store = [(CACHE_CONTROL, "no-store")];
    let error = |error| (StatusCode::BAD_REQUEST, no_store.clone(), Json(json!({ "error": error }))).into_response();
    let Some(client_id) = authenticate(basic.as_deref(), request.client_id.as_deref()) else {
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic")], error("invalid_client")).into_response();
    };
    let refresh_token = request.refresh_token.unwrap_or_default();
    let id = match request.grant_type.as_str() {
        "authorization_code" => clearance.grant::<String>().unwrap_or_default(),
        "refresh_token" => refresh_token.split('.').next().unwrap_or_default().to_owned(),
        _ => return error("unsupported_grant_type"),
    };
    let mut grants = app.grants.lock().unwrap();
    let is_theirs = |grant: &&mut Grant| grant.request.client_id == client_id;
    let Some(grant) = grants.get_mut(&id).filter(is_theirs) else { return error("invalid_grant") };
    if request.grant_type == "refresh_token" && refresh_token != grant.refresh_token {
        grants.remove(&id); // a refresh token that was used before: somebody has stolen it (RFC 9700 §4.14.2)
        return error("invalid_grant");
    }
    (grant.access_token, grant.refresh_token, grant.since) = (random(), format!("{id}.{}", random()), Instant::now());
    let (access, refresh, seconds) = (&grant.access_token, &grant.refresh_token, LIFETIME.as_secs());
    let tokens =
        json!({ "access_token": access, "token_type": "Bearer", "expires_in": seconds, "refresh_token": refresh });
    (no_store, Json(tokens)).into_response()
}

fn authenticate(basic: Option<&Authorization<Basic>>, client_id: Option<&str>) -> Option<&'static str> {
    // RFC 6749 §2.3.1: both halves are form-encoded.
    let decode = |half: &str| percent_decode_str(&half.replace('+', " ")).decode_utf8_lossy().into_owned();
    let (name, password) = match basic {
        Some(basic) => (decode(basic.username()), decode(basic.password())),
        None => (client_id?.to_owned(), String::new()),
    };
    let (id, secret, _) = CLIENTS.iter().find(|(id, ..)| *id == name && client_id.is_none_or(|other| other == *id))?;
    constant_time_eq(secret.unwrap_or_default().as_bytes(), password.as_bytes()).then_some(id)
}

async fn me(State(app): App, TypedHeader(bearer): TypedHeader<Authorization<Bearer>>) -> Result<String, StatusCode> {
    let is_opened = |grant: &&Grant| grant.access_token == bearer.token() && grant.since.elapsed() < LIFETIME;
    let grants = app.grants.lock().unwrap();
    grants.values().find(is_opened).map(|grant| grant.user.clone()).ok_or(StatusCode::UNAUTHORIZED)
}

async fn metadata(State(app): App) -> Json<Value> {
    let issuer = &app.issuer;
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"), "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["code"], "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
        "code_challenge_methods_supported": app.pkce.code_challenge_methods_supported(),
        "authorization_response_iss_parameter_supported": true, // every response of `pkce` has `iss`
    }))
}

fn random() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), 32) // 190 bits
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(std::env::args().nth(1).unwrap_or("127.0.0.1:3000".into())).await?;
    let issuer = format!("http://{}", listener.local_addr()?); // yours: the https URL that clients know
    println!("listening on {issuer}");
    let grants = Arc::<Mutex<HashMap<_, _>>>::default();
    let replayed = Arc::clone(&grants);
    let pkce = Pkce::builder(MemoryStore::new()) // yours: a store that all of your servers share
        .issuer(&issuer)
        .on_replay(move |replay| {
            replay.grant::<String>().ok().and_then(|id| replayed.lock().unwrap().remove(&id));
            std::future::ready(())
        })
        .build();
    let for_browsers = Router::new()
        .route("/token", post(token).layer(TokenEndpointLayer::new(pkce.clone())))
        .route("/me", get(me)) // a resource that the tokens open
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .layer(CorsLayer::new().allow_origin(Any).allow_headers([AUTHORIZATION, CONTENT_TYPE])); // outside
    let app = Router::new()
        .route("/authorize", get(authorize))
        .route("/consent", post(consent))
        .merge(for_browsers)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_secs(5))) // bodies included
        .with_state(Arc::new(AppState { issuer, pkce, pending: Mutex::default(), grants }));
    axum::serve(listener, app).await
}

//! A small server that had the table before it had PKCE: one client, and one user, who always consents.
//!
//! Lines that PKCE has added are marked `// PKCE`.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{FromRef, Json, Query, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use pkce_tower::pkce_core::store::CodeDigest;
use pkce_tower::{
    AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, ClearanceKind, ErrorCode,
    Pkce, RedirectUriMatcher, Rejection, TokenEndpointLayer,
};
use serde::Deserialize;
use serde_json::json;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::AuthorizationCodes;

/// The table as it was before PKCE.
pub const TABLE: &str = "
    CREATE TABLE authorization_codes (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        code         TEXT    NOT NULL UNIQUE,
        client_id    TEXT    NOT NULL,
        user_id      TEXT    NOT NULL,
        redirect_uri TEXT    NOT NULL,
        scope        TEXT    NOT NULL,
        created_at   INTEGER NOT NULL,          -- seconds since the epoch
        expires_at   INTEGER NOT NULL,          -- seconds since the epoch
        used         INTEGER NOT NULL DEFAULT 0
    )";

/// Runs when consent is given. PKCE has added the digest; nothing needs the code in clear any more.
pub const INSERT: &str = "
    INSERT INTO authorization_codes
        (code, client_id, user_id, redirect_uri, scope, created_at, expires_at, code_digest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    RETURNING id";

/// Runs when tokens are issued, with the row's id. Before PKCE it had `code = ?1`, and compared client and redirect URI, which
/// the layer does now. One statement that checks and marks.
pub const USE: &str = "
    UPDATE authorization_codes SET used = 1
    WHERE id = ?1 AND expires_at > ?2 AND used = 0
    RETURNING user_id, scope";

/// Runs about once a minute. PKCE has added the second condition, in milliseconds.
pub const DELETE_EXPIRED: &str = "
    DELETE FROM authorization_codes WHERE expires_at <= ?1 AND coalesce(pkce_expires_at, 0) <= ?1 * 1000";

/// How long a row lives, in seconds: longer than the policy's code lifetime (60 seconds by default), which decides.
pub const LIFETIME: i64 = 600;

/// The only client.
pub const CLIENT_ID: &str = "the-client";
/// Its only redirect URI.
pub const REDIRECT_URI: &str = "https://client.example/callback";

/// How long a writer waits for another one: less than the policy's time-out (two seconds by default), so that a call
/// that was reported as an error is not done a moment later.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Opens the server's pool.
///
/// SQLite has one writer at a time, and a writer that waits may be overtaken. A server with many writers gives them a
/// pool of one connection, which is a queue.
///
/// # Errors
///
/// When the file cannot be opened.
pub async fn connect(file: &Path, busy_timeout: Duration) -> sqlx::Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(busy_timeout);
    SqlitePoolOptions::new().max_connections(4).connect_with(options).await
}

#[derive(Debug, Clone)]
struct Server {
    pool: SqlitePool,
    pkce: Pkce, // PKCE
}

// PKCE: the extractor finds the policy by this.
impl FromRef<Server> for Pkce {
    fn from_ref(server: &Server) -> Self {
        server.pkce.clone()
    }
}

/// The server, on a database that is migrated.
pub fn app(pool: SqlitePool) -> Router {
    let pkce = Pkce::new(AuthorizationCodes::new(pool.clone())); // PKCE
    Router::new()
        .route("/authorize", get(authorize))
        .route("/token", post(token).layer(TokenEndpointLayer::new(pkce.clone()))) // PKCE: the layer
        .with_state(Server { pool, pkce })
}

#[derive(Debug, Deserialize)]
struct AuthorizationRequest {
    client_id: String,
    redirect_uri: String,
    scope: String,
    state: Option<String>,
}

/// Login and consent would come here.
async fn authorize(
    State(server): State<Server>,
    Query(request): Query<AuthorizationRequest>,
    challenge: Result<Challenge, Rejection>, // PKCE
) -> Result<AuthorizationRedirect, Response> {
    if request.client_id != CLIENT_ID || !RedirectUriMatcher::new().matches(REDIRECT_URI, &request.redirect_uri) {
        return Err(StatusCode::BAD_REQUEST.into_response());
    }
    let response = AuthorizationResponse::new(&server.pkce, &request.redirect_uri).state(request.state);
    let Challenge(challenge) = challenge.map_err(|rejection| response.error(&rejection))?; // PKCE
    let code = AuthorizationCode::generate().map_err(|error| response.error(&error))?;
    let now = seconds();
    let id: i64 = sqlx::query_scalar(INSERT)
        .bind(code.as_str())
        .bind(&request.client_id)
        .bind("alice")
        .bind(&request.redirect_uri)
        .bind(&request.scope)
        .bind(now)
        .bind(now + LIFETIME)
        .bind(&CodeDigest::of(code.as_str().as_bytes()).as_bytes()[..]) // PKCE
        .fetch_one(&server.pool)
        .await
        .map_err(|_| response.error(ErrorCode::TemporarilyUnavailable))?;
    // PKCE: before the code leaves. If this fails the row stays, and nobody can redeem it.
    let bind = server.pkce.bind(&code, challenge).client_id(request.client_id).redirect_uri(request.redirect_uri);
    bind.grant(&id).await.map_err(|error| response.error(&error))?;
    Ok(response.code(&code))
}

/// Runs only after the code verifier has matched. A rejection makes the code redeemable again, any other response does
/// not.
async fn token(State(server): State<Server>, clearance: Clearance) -> Response {
    if clearance.kind() == ClearanceKind::OtherGrant {
        return reject("unsupported_grant_type");
    }
    let Ok(id) = clearance.grant::<i64>() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() }; // PKCE
    // All rows: the row comes before the commit, and the commit may fail.
    let rows = sqlx::query_as::<_, (String, String)>(USE).bind(id).bind(seconds()).fetch_all(&server.pool).await;
    match rows.as_deref().map(<[_]>::first) {
        Ok(Some((user_id, scope))) => {
            let access_token = format!("a token for {user_id}"); // yours is a better one
            let tokens = json!({ "access_token": access_token, "token_type": "Bearer", "scope": scope });
            ([(CACHE_CONTROL, "no-store")], Json(tokens)).into_response()
        }
        Ok(None) => reject("invalid_grant"),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

fn reject(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

fn seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

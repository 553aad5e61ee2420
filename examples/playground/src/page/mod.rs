//! The page in the browser: the flow step by step, and each attack by a click.
//!
//! The page is the client, on an origin of its own. What it cannot see itself, the browser's navigations and the
//! operator's log, the authorization server's [`Recorder`] keeps for it.

mod authorization_server;
mod document;
mod guard;
mod operator_log;
mod recorder;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::attacks::Attack;
use crate::page::authorization_server::AuthorizationServer;
use crate::page::document::Document;
use crate::page::guard::Guard;
use crate::page::operator_log::OperatorLog;
use crate::page::recorder::Recorder;
use crate::user::Result;

/// What the page's requests are answered from.
struct Page {
    document: Document,
    recorder: Recorder,
}

/// Serves the page, and an authorization server beside it, until the process is interrupted.
///
/// `listening` is told where, once both accept connections.
///
/// # Errors
///
/// When the address is not 127.0.0.1, for which alone the client's redirect URI is registered, or cannot be listened on.
pub async fn serve(listen: SocketAddr, listening: impl FnOnce(SocketAddr)) -> Result<()> {
    if listen.ip() != Ipv4Addr::LOCALHOST {
        return Err(
            "the page's redirect URI is registered for 127.0.0.1 alone, so it cannot be served elsewhere".into()
        );
    }
    // The pages show its lines; a process has one subscriber.
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(OperatorLog))?;
    let listener = TcpListener::bind(listen).await.map_err(|error| format!("{listen}: {error}"))?;
    let address = listener.local_addr()?;
    let server = AuthorizationServer::start().await?;
    let origin = format!("http://{address}");
    let page = Page { document: Document::new(&origin, &server.issuer()), recorder: server.recorder.clone() };
    listening(address);
    tokio::select! {
        ended = axum::serve(listener, router(page, address)).into_future() => ended?,
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    Ok(())
}

fn router(page: Page, address: SocketAddr) -> Router {
    Router::new()
        .route("/", get(document))
        .route("/callback", get(document))
        .route("/play/exchanges", post(exchanges))
        .route("/play/attacks/{name}", post(attack))
        .layer(middleware::from_fn_with_state(Guard::new(address), guard::check))
        .with_state(Arc::new(page))
}

async fn document(State(page): State<Arc<Page>>) -> Response {
    let headers: [(HeaderName, &str); 6] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("content-security-policy"), &page.document.policy),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        // The redirect with the code ends here.
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, page.document.html.clone()).into_response()
}

/// What was on the wire with this value in it: the state, the code, the access token.
async fn exchanges(State(page): State<Arc<Page>>, value: String) -> Response {
    private(StatusCode::OK, json!({ "exchanges": page.recorder.with(&value) }))
}

/// Plays an attack against an authorization server of its own, so that all that it has recorded is the attack.
async fn attack(Path(name): Path<String>) -> Response {
    let Some(attack) = Attack::find(&name) else {
        return private(StatusCode::NOT_FOUND, json!({ "error": "there is no such attack" }));
    };
    match play(attack).await {
        Ok(played) => private(StatusCode::OK, played),
        Err(error) => private(StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error.to_string() })),
    }
}

async fn play(attack: &Attack) -> Result<Value> {
    let server = AuthorizationServer::start().await?;
    let row = attack.play(server.wire).await?;
    Ok(json!({ "refused": row.is_right(), "said": row.answer(), "exchanges": server.recorder.all() }))
}

/// Codes and tokens stand in it.
fn private(status: StatusCode, value: Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(value)).into_response()
}

//! The server on axum.

use std::net::TcpListener;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Form, Router};
use pkce_tower::{Clearance, TokenEndpointLayer};

use super::{ByHand, SameJob, Server, Variant};
use crate::requests::{TOKENS, TokenForm};

pub(super) fn serve(listener: TcpListener, server: Server) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() else { return };
    runtime.block_on(async {
        if listener.set_nonblocking(true).is_ok()
            && let Ok(listener) = tokio::net::TcpListener::from_std(listener)
        {
            _ = axum::serve(listener, app(server)).await;
        }
    });
}

fn app(server: Server) -> Router {
    let token = match server.variant {
        Variant::Bare => post(bare),
        Variant::Buffering => post(bare).layer(from_fn(buffer)),
        Variant::ByHand => post(by_hand).with_state(server.by_hand),
        Variant::SameJob | Variant::SameJobBound => post(same_job).with_state(server.same_job),
        Variant::SameJobLayer => post(bare).layer(from_fn_with_state(server.same_job, same_job_layer)),
        Variant::Ours | Variant::OursBound => post(ours).layer(TokenEndpointLayer::new(server.pkce)),
    };
    Router::new().route("/token", token)
}

async fn bare(Form(form): Form<TokenForm>) -> Response {
    tokens(&form)
}

async fn by_hand(State(codes): State<ByHand>, Form(form): Form<TokenForm>) -> Response {
    if codes.check(&form) { tokens(&form) } else { StatusCode::BAD_REQUEST.into_response() }
}

async fn same_job(State(codes): State<SameJob>, Form(form): Form<TokenForm>) -> Response {
    if codes.check(&form) { tokens(&form) } else { StatusCode::BAD_REQUEST.into_response() }
}

async fn ours(clearance: Clearance, Form(form): Form<TokenForm>) -> Response {
    if clearance.is_verified() { tokens(&form) } else { StatusCode::BAD_REQUEST.into_response() }
}

async fn same_job_layer(State(codes): State<SameJob>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(octets) = to_bytes(body, 16 * 1024).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    match serde_urlencoded::from_bytes(&octets) {
        Ok(form) if codes.check(&form) => next.run(Request::from_parts(parts, Body::from(octets))).await,
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

async fn buffer(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, 16 * 1024).await {
        Ok(octets) => next.run(Request::from_parts(parts, Body::from(octets))).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

fn tokens<F>(form: &F) -> Response {
    std::hint::black_box(form);
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], TOKENS).into_response()
}

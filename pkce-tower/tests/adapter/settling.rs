//! What becomes of a redeemed code, by the outcome of the host.

use std::time::Duration;

use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, post};
use axum::{BoxError, Form, Router};
use http::StatusCode;
use pkce_tower::{Clearance, Pkce, Policy, Reason, Settle, TokenEndpointLayer};
use tokio::time::timeout;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::common::{Slow, authorize, pkce, redeem};

const REPLAYED: (u16, Option<Reason>) = (400, Some(Reason::CodeReplayed));

fn host(pkce: &Pkce, token: MethodRouter) -> Router {
    Router::new().route("/token", token.layer(TokenEndpointLayer::new(pkce.clone())))
}

/// Answers with this status, and overrules what becomes of the code.
fn answers(status: u16, overrule: Option<Settle>) -> MethodRouter {
    post(move |_: Clearance| async move {
        let mut response = StatusCode::from_u16(status).unwrap().into_response();
        if let Some(settle) = overrule {
            response.extensions_mut().insert(settle);
        }
        response
    })
}

async fn panics(_: Clearance) -> Response {
    panic!("on purpose")
}

async fn hangs(_: Clearance) -> Response {
    std::future::pending().await
}

#[tokio::test]
async fn the_status_of_the_host_decides_unless_it_overrules() {
    let restored = [400, 401, 403, 415, 422, 429].map(|status| (status, None, (status, None)));
    let kept = [200, 204, 302, 404, 408, 409, 413, 500, 503].map(|status| (status, None, REPLAYED));
    let overruled = [
        (200, Some(Settle::Restore), (200, None)),
        (500, Some(Settle::Restore), (500, None)),
        (401, Some(Settle::Keep), REPLAYED),
    ];
    for (status, overrule, again) in restored.into_iter().chain(kept).chain(overruled) {
        let pkce = pkce();
        let app = host(&pkce, answers(status, overrule));
        let form = authorize(&pkce).await;
        assert_eq!(redeem(&app, &form).await, (status, None));
        assert_eq!(redeem(&app, &form).await, again, "{status} {overrule:?}");
    }
}

#[tokio::test]
async fn a_layer_inside_that_refuses_counts_by_its_status() {
    let pkce = pkce();
    let inside = from_fn(async |_: Request, _: Next| StatusCode::UNAUTHORIZED);
    let app = host(&pkce, post(panics).layer(inside));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, (401, None));
}

#[tokio::test]
async fn an_extractor_of_the_host_that_refuses_counts_by_its_status() {
    #[derive(serde::Deserialize)]
    struct Own {
        #[expect(dead_code, reason = "it is never there")]
        client_assertion: String,
    }
    let pkce = pkce();
    let app = host(&pkce, post(async |_: Clearance, _: Form<Own>| StatusCode::OK));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (422, None));
    assert_eq!(redeem(&app, &form).await, (422, None));
}

#[tokio::test]
async fn the_code_is_restored_before_the_answer_goes_out() {
    let pkce = Pkce::new(Slow { restore: Duration::from_millis(50), ..Slow::default() });
    let app = host(&pkce, answers(401, None));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, (401, None));
}

#[tokio::test]
async fn a_store_that_cannot_restore_leaves_the_answer_of_the_host() {
    let store = Slow { restore: Duration::from_secs(60), ..Slow::default() };
    let pkce = Pkce::builder(store).policy(Policy::new().store_timeout(Duration::from_millis(20))).build();
    let app = host(&pkce, answers(401, None));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

#[tokio::test]
async fn a_handler_that_panics_leaves_the_code_redeemed() {
    let pkce = pkce();
    let app = host(&pkce, post(panics));
    let form = authorize(&pkce).await;
    let (host, first) = (app.clone(), form.clone());
    assert!(tokio::spawn(async move { redeem(&host, &first).await }).await.unwrap_err().is_panic());
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

#[tokio::test]
async fn a_panic_that_is_caught_leaves_the_code_redeemed() {
    let pkce = pkce();
    let layer = TokenEndpointLayer::new(pkce.clone());
    for token in [
        post(panics).layer(ServiceBuilder::new().layer(CatchPanicLayer::new()).layer(layer.clone())),
        post(panics).route_layer(CatchPanicLayer::new()).layer(layer),
    ] {
        let app = Router::new().route("/token", token);
        let form = authorize(&pkce).await;
        assert_eq!(redeem(&app, &form).await, (500, None));
        assert_eq!(redeem(&app, &form).await, REPLAYED);
    }
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_the_code_redeemed() {
    let pkce = pkce();
    let app = host(&pkce, post(hangs));
    let form = authorize(&pkce).await;
    assert!(timeout(Duration::from_millis(20), redeem(&app, &form)).await.is_err());
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

#[tokio::test]
async fn a_time_out_leaves_the_code_redeemed() {
    let pkce = pkce();
    let layer = TokenEndpointLayer::new(pkce.clone());
    let slow = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20));
    for token in [
        post(hangs).layer(ServiceBuilder::new().layer(slow).layer(layer.clone())),
        post(hangs).layer(ServiceBuilder::new().layer(layer).layer(slow)),
    ] {
        let app = Router::new().route("/token", token);
        let form = authorize(&pkce).await;
        assert_eq!(redeem(&app, &form).await, (408, None));
        assert_eq!(redeem(&app, &form).await, REPLAYED);
    }
}

#[tokio::test]
async fn a_service_that_fails_leaves_the_code_redeemed() {
    let pkce = pkce();
    let fails = tower::service_fn(async |_: Request| Err::<Response, BoxError>("no one knows".into()));
    let service = ServiceBuilder::new().layer(TokenEndpointLayer::new(pkce.clone())).service(fails);
    let failed = async |error: BoxError| (StatusCode::BAD_GATEWAY, error.to_string());
    let app = Router::new().route_service("/token", HandleError::new(service, failed));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (502, None));
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

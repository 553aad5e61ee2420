//! What becomes of a redeemed code, by the outcome of the host.

use axum::error_handling::HandleError;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use axum::{BoxError, Form, Router};
use http::StatusCode;
use pkce_tower::{Clearance, Pkce, Reason, TokenEndpointLayer};
use tower::ServiceBuilder;

use crate::common::{authorize, pkce, redeem};

const REPLAYED: (u16, Option<Reason>) = (400, Some(Reason::CodeReplayed));

fn host(pkce: &Pkce, token: MethodRouter) -> Router {
    Router::new().route("/token", token.layer(TokenEndpointLayer::new(pkce.clone())))
}

async fn panics(_: Clearance) -> Response {
    panic!("on purpose")
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

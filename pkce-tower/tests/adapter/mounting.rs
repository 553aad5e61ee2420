//! Where the layer can be mounted, and what can stand around it.

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::Full;
use pkce_tower::{Clearance, Pkce, Reason, TokenEndpointLayer};
use tower::ServiceBuilder;
use tower_http::cors::{Any, CorsLayer};
use tower_http::map_request_body::MapRequestBodyLayer;
use tower_http::map_response_body::MapResponseBodyLayer;

use crate::common::{REFRESH, authorize, header, octets, outcome, pkce, preflight, redeem, send, text, token_request};

async fn token(_: Clearance, body: Bytes) -> Bytes {
    body
}

async fn protects(app: &Router, pkce: &Pkce) {
    let form = authorize(pkce).await;
    let (stolen, _) = form.split_once("&code_verifier").unwrap();
    assert_eq!(redeem(app, stolen).await, (400, Some(Reason::VerifierMissing)));
    assert_eq!(redeem(app, &form).await, (200, None));
    assert_eq!(redeem(app, &form).await, (400, Some(Reason::CodeReplayed)));
}

#[tokio::test]
async fn it_protects_wherever_it_is_mounted() {
    let pkce = pkce();
    let layer = || TokenEndpointLayer::new(pkce.clone());
    let authorize = || Router::new().route("/authorize", get(async || "the form"));
    for app in [
        authorize().route("/token", post(token).layer(layer())),
        authorize().route("/token", post(token).route_layer(layer())),
        authorize().route("/token", post(token).layer(ServiceBuilder::new().layer(layer()))),
        authorize().route_service("/token", ServiceBuilder::new().layer(layer()).service(post(token))),
        authorize().merge(Router::new().route("/token", post(token)).layer(layer())),
        authorize().merge(Router::new().route("/token", post(token)).route_layer(layer())),
    ] {
        protects(&app, &pkce).await;
        let form = http::Request::get("/authorize?code=mine").body(Body::empty()).unwrap();
        assert_eq!(text(send(&app, form).await).await, "the form");
    }
}

#[tokio::test]
async fn it_protects_a_nested_router() {
    let pkce = pkce();
    let oauth = Router::new().route("/", post(token)).layer(TokenEndpointLayer::new(pkce.clone()));
    protects(&Router::new().nest("/token", oauth), &pkce).await;
}

/// `Router::layer` wraps what answers unknown paths as well, and a router that starts with it keeps that.
#[tokio::test]
async fn unknown_paths_are_none_of_its_business_under_route_layer() {
    let pkce = pkce();
    let token = || Router::new().route("/token", post(token));
    let layer = || TokenEndpointLayer::new(pkce.clone());
    for (app, status) in [(token().route_layer(layer()), 404), (token().layer(layer()), 405)] {
        let app = app.route("/authorize", get(async || "the form"));
        let nowhere = http::Request::get("/nowhere").body(Body::empty()).unwrap();
        assert_eq!(send(&app, nowhere).await.status(), status);
        protects(&app, &pkce).await;
    }
}

#[tokio::test]
async fn cors_outside_answers_the_preflight_and_gives_refusals_its_headers() {
    let pkce = pkce();
    let cors = CorsLayer::new().allow_origin(Any).allow_methods([http::Method::POST]);
    let layer = TokenEndpointLayer::new(pkce.clone());
    for app in [
        Router::new().route("/token", post(token).layer(layer.clone())).layer(cors.clone()),
        Router::new().route("/token", post(token).layer(ServiceBuilder::new().layer(cors).layer(layer))),
    ] {
        let response = send(&app, preflight()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(header(&response, "access-control-allow-methods"), "POST");
        assert_eq!(octets(response).await, "");
        let response = send(&app, token_request("grant_type=authorization_code")).await;
        assert_eq!(outcome(&response), (400, Some(Reason::CodeMissing)));
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        protects(&app, &pkce).await;
    }
}

#[tokio::test]
async fn the_bodies_can_be_mapped_around_it() {
    let pkce = pkce();
    let around = ServiceBuilder::new()
        .layer(MapResponseBodyLayer::new(|body: Body| body))
        .layer(MapRequestBodyLayer::new(|body: Body| body))
        .layer(TokenEndpointLayer::new(pkce.clone()))
        .layer(MapResponseBodyLayer::new(|_: Body| Body::new(Full::new(Bytes::from_static(b"compressed")))));
    let app = Router::new().route("/token", post(token).layer(around));
    protects(&app, &pkce).await;
    assert_eq!(octets(send(&app, token_request(REFRESH)).await).await, "compressed");
    let refusal = send(&app, token_request("grant_type=authorization_code")).await;
    assert!(text(refusal).await.starts_with(r#"{"error":"invalid_request""#));
}

#[tokio::test]
async fn without_it_a_clearance_is_a_loud_500() {
    let app = Router::new().route("/token", post(token));
    let response = send(&app, token_request(REFRESH)).await;
    assert_eq!(outcome(&response), (500, Some(Reason::Misconfigured)));
    assert_eq!(header(&response, "content-type"), "application/json");
    assert!(text(response).await.starts_with(r#"{"error":"server_error""#));
}

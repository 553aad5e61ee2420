//! The capture layer, where the suite over both adapters does not look: readiness, extensions, rendering, time-outs.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{AppendHeaders, IntoResponse as _};
use axum::routing::{any, get};
use http::{Response, StatusCode};
use pkce_tower::{AuthorizationResponse, CaptureLayer, Pkce, Policy, Reason, pkce_core};
use tower::buffer::BufferLayer;
use tower_http::cors::CorsLayer;

use crate::common::{FORM, Slow, header, octets, outcome, pkce, send, text};

const QUERY: &str = "redirect_uri=https%3A%2F%2Fa.example%2Fcb&state=s\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn issue() -> Response<Body> {
    let cookies = AppendHeaders([("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-host", "1")]);
    (StatusCode::SEE_OTHER, cookies, [("location", "https://a.example/cb?code=c")], "see there").into_response()
}

fn host(pkce: &Pkce) -> Router {
    Router::new().route("/authorize", get(issue).layer(CaptureLayer::new(pkce.clone())))
}

fn authorize(query: &str) -> Request {
    Request::get(format!("/authorize?{query}")).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_bound_code_leaves_with_the_answer_as_it_was() {
    let pkce = pkce();
    let response = send(&host(&pkce), authorize(QUERY)).await;
    assert_eq!(outcome(&response), (303, None));
    assert_eq!((header(&response, "location"), header(&response, "x-host")), ("https://a.example/cb?code=c", "1"));
    assert_eq!(text(response).await, "see there");
    assert!(pkce.redeem("c", Some(VERIFIER)).await.is_ok());
}

#[tokio::test]
async fn a_refused_code_leaves_its_cookies_and_its_reason_behind() {
    let response = send(&host(&pkce()), authorize(&QUERY.replace("S256", "s256"))).await;
    assert_eq!(outcome(&response), (303, Some(Reason::ChallengeMethod)));
    assert!(response.extensions().get::<pkce_core::Rejection>().is_some());
    assert_eq!(response.headers().get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!((header(&response, "x-host"), header(&response, "referrer-policy")), ("", "no-referrer"));
    assert!(octets(response).await.is_empty());
}

#[tokio::test]
async fn a_plain_refusal_is_rendered_by_the_closure_of_the_host() {
    let layer = CaptureLayer::new(pkce()).render(|rejection| {
        let page = format!("<h1>{}</h1>", rejection.error());
        Response::builder().status(rejection.status()).header("content-type", "text/html").body(page.into()).unwrap()
    });
    let app = Router::new().route("/authorize", get(issue).layer(layer));
    let response = send(&app, authorize(&QUERY.replace("a.example", "b.example"))).await;
    assert_eq!(outcome(&response), (500, Some(Reason::CodeForOtherTarget)));
    assert_eq!((header(&response, "content-type"), header(&response, "location")), ("text/html", ""));
    assert_eq!(text(response).await, "<h1>server_error</h1>");
}

#[tokio::test]
async fn a_store_that_hangs_lets_no_code_out_and_is_given_up_in_time() {
    let store = Slow { insert: Duration::from_secs(60), ..Slow::default() };
    let policy = Policy::new().store_timeout(Duration::from_millis(20));
    let pkce = Pkce::builder(store).policy(policy).build();
    let response = send(&host(&pkce), authorize(QUERY)).await;
    assert_eq!(outcome(&response), (303, Some(Reason::StoreTimedOut)));
    assert!(header(&response, "location").starts_with("https://a.example/cb?error=temporarily_unavailable&"));
}

#[tokio::test]
async fn the_identical_octets_of_a_post_reach_the_handler() {
    let app = Router::new()
        .route("/authorize", any(async |body: bytes::Bytes| body).layer(CaptureLayer::new(pkce())))
        .layer(CorsLayer::permissive());
    for body in [&b"a=b&\x00\xff%zz"[..], b""] {
        let request = Request::post("/authorize").header("content-type", FORM).body(Body::from(body)).unwrap();
        assert_eq!(octets(send(&app, request).await).await, body);
    }
    // That of another method is not read, nor a form that says that it is too large.
    let long = vec![b'x'; 100_000];
    for method in ["PUT", "POST"] {
        let request = Request::builder().method(method).uri("/authorize").header("content-type", FORM);
        let response = send(&app, request.body(Body::from(long.clone())).unwrap()).await;
        assert_eq!(octets(response).await, long, "{method}");
    }
}

#[tokio::test]
async fn the_service_that_was_found_ready_is_the_one_that_is_called() {
    let inner = tower::ServiceBuilder::new()
        .layer(CaptureLayer::new(pkce()))
        .layer(BufferLayer::<Request>::new(1))
        .service_fn(async |_: Request| Ok::<_, std::convert::Infallible>(issue().await));
    let response = tower::ServiceExt::oneshot(inner, authorize(QUERY)).await.unwrap();
    assert_eq!(outcome(&response), (303, None));
}

#[test]
fn a_redirect_of_the_authorization_endpoint_is_a_response() {
    let reply = AuthorizationResponse::new(&pkce(), "https://a.example/cb").state("s".to_owned());
    let response = reply.code("c").into_response();
    assert_eq!(
        (response.status(), header(&response, "location")),
        (StatusCode::SEE_OTHER, "https://a.example/cb?code=c&state=s")
    );
    assert_eq!((header(&response, "cache-control"), header(&response, "referrer-policy")), ("no-store", "no-referrer"));
}

#[tokio::test]
async fn mounted_twice_no_code_leaves() {
    let pkce = pkce();
    let layer = CaptureLayer::new(pkce.clone());
    let app = Router::new().route("/authorize", get(issue).layer((layer.clone(), layer)));
    assert_eq!(outcome(&send(&app, authorize(QUERY)).await), (303, Some(Reason::CodeAlreadyBound)));
}

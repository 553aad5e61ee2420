//! The layer: what reaches the host, and what leaves in its stead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, any, post};
use axum::{Form, Router};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body as _, Frame};
use pkce_tower::{
    Clearance, ClearanceKind, CodeVerifier, MemoryStore, Pkce, Policy, Reason, Settle, TokenEndpointLayer, pkce_core,
};

use crate::common::{
    REFRESH, Slow, authorize, frames, header, octets, outcome, pkce, preflight, redeem, send, text, token_request,
};

async fn echo(_: Clearance, body: Bytes) -> Bytes {
    body
}

fn host(pkce: &Pkce, token: MethodRouter) -> Router {
    Router::new().route("/token", token.layer(TokenEndpointLayer::new(pkce.clone())))
}

fn limited(octets: usize) -> Pkce {
    Pkce::builder(MemoryStore::new()).policy(Policy::new().body_limit(octets)).build()
}

fn every_octet() -> Vec<u8> {
    let all: Vec<u8> = (0..=255).filter(|octet| *octet != b'&').collect();
    [REFRESH, b"&x=", &all].concat()
}

#[tokio::test]
async fn the_identical_octets_reach_the_handler() {
    let body = every_octet();
    let answer = send(&host(&pkce(), post(echo)), token_request(body.clone())).await;
    assert_eq!(octets(answer).await, body);
}

#[tokio::test]
async fn a_body_in_many_chunks_reaches_the_handler_as_it_was() {
    let body = every_octet();
    for size in [1, 7, body.len()] {
        let chunks = body.chunks(size).flat_map(|chunk| [Bytes::new(), Bytes::copy_from_slice(chunk)]);
        let chunks = Body::new(frames(chunks.map(Frame::data)));
        let answer = send(&host(&pkce(), post(echo)), token_request(chunks)).await;
        assert_eq!(octets(answer).await, body);
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_reaches_the_handler_and_one_octet_more_is_refused() {
    let app = host(&limited(REFRESH.len()), post(echo));
    assert_eq!(octets(send(&app, token_request(REFRESH)).await).await, REFRESH);
    let response = send(&app, token_request([REFRESH, b"r"].concat())).await;
    assert_eq!(outcome(&response), (413, Some(Reason::BodyTooLarge)));
}

#[tokio::test]
async fn the_limit_is_the_policys_and_not_that_of_the_framework() {
    let long = [REFRESH, b"&x=", &vec![b'x'; 3 * 1024 * 1024]].concat();
    let app = host(&limited(4 * 1024 * 1024), post(async |_: Clearance| StatusCode::OK));
    assert_eq!(send(&app, token_request(long)).await.status(), 200);
}

/// They say nothing of a form, and hyper would not promise them to a host either.
#[tokio::test]
async fn trailers_of_the_request_end_at_the_layer() {
    async fn token(request: Request) -> String {
        let collected = http_body_util::BodyExt::collect(request.into_body()).await.unwrap();
        assert!(collected.trailers().is_none());
        String::from_utf8(collected.to_bytes().to_vec()).unwrap()
    }
    let trailers = HeaderMap::from_iter([("code".parse().unwrap(), "c".parse().unwrap())]);
    let body = Body::new(frames([Frame::data(Bytes::from_static(REFRESH)), Frame::trailers(trailers)]));
    assert_eq!(text(send(&host(&pkce(), post(token)), token_request(body)).await).await.as_bytes(), REFRESH);
}

#[tokio::test]
async fn a_body_that_breaks_off_never_reaches_the_handler() {
    let pkce = pkce();
    let app = host(&pkce, post(echo));
    let form = authorize(&pkce).await;
    let body = Body::new(frames([Frame::data(Bytes::from(form.clone()))]).broken_off());
    assert_eq!(outcome(&send(&app, token_request(body)).await), (400, Some(Reason::MalformedBody)));
    assert_eq!(redeem(&app, &form).await, (200, None));
}

#[tokio::test]
async fn the_rest_of_the_request_is_as_it_was() {
    #[derive(Clone, PartialEq, Debug)]
    struct Outside(u8);
    async fn token(parts: Parts) -> StatusCode {
        assert_eq!(parts.uri, "/token?tenant=1");
        assert_eq!(parts.version, http::Version::HTTP_2);
        assert_eq!(parts.headers["dpop"], "proof");
        assert_eq!(parts.headers.len(), 2);
        assert_eq!(parts.extensions.get(), Some(&Outside(1)));
        StatusCode::OK
    }
    let mut request = token_request(REFRESH);
    *request.uri_mut() = "/token?tenant=1".parse().unwrap();
    *request.version_mut() = http::Version::HTTP_2;
    request.headers_mut().insert("dpop", "proof".parse().unwrap());
    request.extensions_mut().insert(Outside(1));
    assert_eq!(send(&host(&pkce(), post(token)), request).await.status(), 200);
}

#[tokio::test]
async fn the_handler_gets_the_clearance_and_the_grant() {
    async fn token(clearance: Clearance) -> String {
        assert!(clearance.is_verified());
        clearance.grant().unwrap()
    }
    let pkce = pkce();
    let verifier = CodeVerifier::generate().unwrap();
    pkce.bind("c", verifier.challenge()).grant("alice").await.unwrap();
    let form = format!("grant_type=authorization_code&code=c&code_verifier={}", verifier.as_str());
    assert_eq!(text(send(&host(&pkce, post(token)), token_request(form)).await).await, "alice");
}

#[tokio::test]
async fn a_preflight_passes_with_an_empty_body_and_without_a_clearance() {
    async fn token(request: Request) -> StatusCode {
        assert!(Clearance::of(request.extensions()).is_none());
        assert!(request.body().is_end_stream());
        StatusCode::NO_CONTENT
    }
    assert_eq!(send(&host(&pkce(), any(token)), preflight()).await.status(), 204);
}

#[tokio::test]
async fn a_refusal_is_the_standard_answer_and_the_handler_does_not_run() {
    async fn token() -> StatusCode {
        panic!("the handler ran");
    }
    let form = "grant_type=authorization_code&code=stolen";
    let response = send(&host(&pkce(), post(token)), token_request(form)).await;
    let rejection = pkce_core::Rejection::from(Reason::VerifierMissing);
    assert_eq!(outcome(&response), (rejection.status(), Some(Reason::VerifierMissing)));
    assert_eq!(response.extensions().get::<pkce_core::Rejection>(), Some(&rejection));
    assert_eq!(response.extensions().get::<Settle>(), None);
    for (name, value) in rejection.headers() {
        assert_eq!(header(&response, name), value);
    }
    assert_eq!(response.body().size_hint().exact(), Some(rejection.body().len() as u64));
    assert_eq!(text(response).await, rejection.body());
}

#[tokio::test]
async fn every_method_but_post_is_refused_by_the_layer() {
    let app = host(&pkce(), any(echo));
    for method in ["GET", "HEAD", "PUT", "DELETE", "post"] {
        let mut request = token_request(REFRESH);
        *request.method_mut() = method.parse().unwrap();
        let response = send(&app, request).await;
        assert_eq!((outcome(&response), header(&response, "allow")), ((405, Some(Reason::TokenMethod)), "POST"));
    }
}

#[tokio::test]
async fn a_header_that_stands_twice_is_seen_twice() {
    let mut request = token_request(REFRESH);
    request.headers_mut().append("content-type", "text/plain".parse().unwrap());
    assert_eq!(outcome(&send(&host(&pkce(), post(echo)), request).await), (400, Some(Reason::ContentType)));
}

#[tokio::test]
async fn a_refusal_is_rendered_by_the_closure_of_the_host() {
    let layer = TokenEndpointLayer::new(pkce()).render(|rejection| {
        let body = format!(r#"{{"title":"{}"}}"#, rejection.error());
        let response =
            Response::builder().status(rejection.status()).header("content-type", "application/problem+json");
        response.body(body.into()).unwrap()
    });
    assert!(format!("{layer:?}").contains("Renderer(custom)"));
    let app = Router::new().route("/token", any(echo).layer(layer));
    let mut request = token_request(REFRESH);
    *request.method_mut() = http::Method::GET;
    let response = send(&app, request).await;
    assert_eq!(outcome(&response), (405, Some(Reason::TokenMethod)));
    assert!(response.extensions().get::<pkce_core::Rejection>().is_some());
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(text(response).await, r#"{"title":"invalid_request"}"#);
}

#[tokio::test]
async fn mounted_twice_it_says_so_and_burns_nothing() {
    let replays = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&replays);
    let hook = move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        std::future::ready(())
    };
    let pkce = Pkce::builder(MemoryStore::new()).on_replay(hook).build();
    let inside = post(echo).layer(TokenEndpointLayer::new(pkce.clone()));
    let app = host(&pkce, inside);
    let form = authorize(&pkce).await;
    let response = send(&app, token_request(form.clone())).await;
    assert_eq!(outcome(&response), (500, Some(Reason::Misconfigured)));
    assert_eq!(replays.load(Ordering::Relaxed), 0);
    // No host has served it: it is live for a server that is put together rightly.
    assert_eq!(redeem(&host(&pkce, post(echo)), &form).await, (200, None));
}

#[tokio::test]
async fn a_store_that_hangs_is_a_503_in_time() {
    let store = Slow { redeem: Duration::from_secs(60), ..Slow::default() };
    let policy = Policy::new().store_timeout(Duration::from_millis(20));
    let pkce = Pkce::builder(store).policy(policy).build();
    let app = host(&pkce, post(echo));
    let form = authorize(&pkce).await;
    let sent = Instant::now();
    assert_eq!(redeem(&app, &form).await, (503, Some(Reason::StoreTimedOut)));
    assert!(sent.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_middleware_inside_finds_the_clearance() {
    let inside = from_fn(async |request: Request, next: Next| {
        assert_eq!(Clearance::of(request.extensions()).unwrap().kind(), ClearanceKind::OtherGrant);
        next.run(request).await
    });
    assert_eq!(send(&host(&pkce(), post(echo).layer(inside)), token_request(REFRESH)).await.status(), 200);
}

#[tokio::test]
async fn a_middleware_outside_finds_the_reason() {
    let outside = from_fn(async |request: Request, next: Next| {
        let response = next.run(request).await;
        let reason = response.extensions().get::<pkce_core::Rejection>().map(|rejection| rejection.reason().as_str());
        ([("x-reason", reason.unwrap_or_default())], response).into_response()
    });
    let app = host(&pkce(), post(echo)).layer(outside);
    let response = send(&app, token_request("grant_type=authorization_code")).await;
    assert_eq!(header(&response, "x-reason"), "code_missing");
}

#[tokio::test]
async fn the_form_extractor_of_the_host_reads_what_was_judged() {
    async fn token(_: Clearance, Form(form): Form<Vec<(String, String)>>) -> String {
        format!("{form:?}")
    }
    let answer = send(&host(&pkce(), post(token)), token_request(REFRESH)).await;
    assert_eq!(text(answer).await, r#"[("grant_type", "refresh_token"), ("refresh_token", "r")]"#);
}

#[tokio::test]
async fn the_clearance_of_one_request_is_not_that_of_the_next() {
    async fn token(parts: Parts) -> String {
        Clearance::of(&parts.extensions).is_some().to_string()
    }
    let pkce = pkce();
    let app = host(&pkce, any(token));
    let form = authorize(&pkce).await;
    for (request, cleared) in [(token_request(form), "true"), (preflight(), "false"), (token_request(REFRESH), "true")]
    {
        assert_eq!(text(send(&app, request).await).await, cleared);
    }
}

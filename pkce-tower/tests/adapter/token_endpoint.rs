//! The layer: what reaches the host, and what leaves in its stead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, any, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use pkce_tower::{Clearance, MemoryStore, Pkce, Policy, Reason, TokenEndpointLayer};

use crate::common::{REFRESH, authorize, frames, header, octets, outcome, pkce, redeem, send, text, token_request};

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
    let all: Vec<u8> = (0x20..=255).filter(|octet| *octet != 0x7f && *octet != b'&').collect();
    [REFRESH, b"&x=", &all].concat()
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
async fn a_body_cut_off_by_a_limit_outside_is_too_large() {
    let chunked = || {
        Body::new(frames([Frame::data(Bytes::from_static(b"grant_type=")), Frame::data(Bytes::from(vec![b'x'; 100]))]))
    };
    let app = host(&pkce(), post(echo)).layer(tower_http::limit::RequestBodyLimitLayer::new(50));
    assert_eq!(outcome(&send(&app, token_request(chunked())).await), (413, Some(Reason::BodyTooLarge)));
    let broken = Body::new(frames([Frame::data(Bytes::from_static(REFRESH))]).broken_off());
    assert_eq!(outcome(&send(&app, token_request(broken)).await), (400, Some(Reason::MalformedBody)));
}

/// Virtual time: the body never ends.
#[tokio::test(start_paused = true)]
async fn a_slow_body_is_given_up() {
    let never = || {
        Body::new(http_body_util::StreamBody::new(
            futures_util::stream::pending::<Result<Frame<Bytes>, std::io::Error>>(),
        ))
    };
    for (policy, seconds) in [(Policy::new(), 30), (Policy::new().body_timeout(Some(Duration::from_secs(5))), 5)] {
        let begun = tokio::time::Instant::now();
        let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
        let response = send(&host(&pkce, post(echo)), token_request(never())).await;
        assert_eq!(outcome(&response), (408, Some(Reason::BodyTimedOut)));
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
    let endless = Pkce::builder(MemoryStore::new()).policy(Policy::new().body_timeout(None)).build();
    let app = host(&endless, post(echo));
    let request = send(&app, token_request(never()));
    assert!(tokio::time::timeout(Duration::from_secs(3600), request).await.is_err());
}

#[tokio::test]
async fn tokens_are_not_stored_unless_the_host_says_how() {
    for (route, cache_control, pragma) in [
        (post(async |_: Clearance| "tokens"), "no-store", "no-cache"),
        (post(async |_: Clearance| ([("cache-control", "private")], "tokens")), "private", ""),
        (post(async |_: Clearance| StatusCode::UNAUTHORIZED), "", ""),
    ] {
        let response = send(&host(&pkce(), route), token_request(REFRESH)).await;
        assert_eq!((header(&response, "cache-control"), header(&response, "pragma")), (cache_control, pragma));
    }
}

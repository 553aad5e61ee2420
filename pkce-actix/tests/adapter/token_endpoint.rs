//! The middleware: what reaches the host, and what leaves in its stead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::test::{TestRequest, call_and_read_body, call_service, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse};
use pkce_actix::{Clearance, ClearanceKind, MemoryStore, Pkce, Policy, Reason, TokenEndpoint, pkce_core};

use crate::common::{FORM, REFRESH, Slow, authorize, header, pkce, reason, redeem, text, token_request};

async fn echo(_: Clearance, body: Bytes) -> Bytes {
    body
}

#[actix_web::test]
async fn the_identical_octets_reach_the_handler() {
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce())).route(web::post().to(echo));
    let app = init_service(App::new().service(token)).await;
    let every_octet: Vec<u8> = (0..=255).filter(|octet| *octet != b'&').collect();
    let body = [REFRESH, b"&x=", &every_octet].concat();
    let answer = call_and_read_body(&app, token_request(body.clone()).to_request()).await;
    assert_eq!(answer, body);
}

#[actix_web::test]
async fn the_handler_gets_the_clearance_and_the_grant() {
    async fn token(clearance: Clearance) -> String {
        assert!(clearance.is_verified());
        clearance.grant().unwrap()
    }
    let pkce = pkce();
    let verifier = pkce_actix::CodeVerifier::generate().unwrap();
    pkce.bind("c", verifier.challenge()).grant("alice").await.unwrap();
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce)).route(web::post().to(token));
    let app = init_service(App::new().service(token)).await;
    let form = format!("grant_type=authorization_code&code=c&code_verifier={}", verifier.as_str());
    assert_eq!(call_and_read_body(&app, token_request(form).to_request()).await, "alice");
}

#[actix_web::test]
async fn a_preflight_passes_with_an_empty_body_and_without_a_clearance() {
    async fn preflight(request: HttpRequest, body: Bytes) -> HttpResponse {
        assert!(body.is_empty() && !request.extensions().contains::<Clearance>());
        HttpResponse::NoContent().finish()
    }
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce())).to(preflight);
    let app = init_service(App::new().service(token)).await;
    let request = TestRequest::default().method(Method::OPTIONS).uri("/token");
    assert_eq!(call_service(&app, request.to_request()).await.status(), 204);
}

#[actix_web::test]
async fn a_refusal_is_the_standard_answer_and_the_handler_does_not_run() {
    async fn token() -> HttpResponse {
        panic!("the handler ran");
    }
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce())).route(web::post().to(token));
    let app = init_service(App::new().service(token)).await;
    let form = "grant_type=authorization_code&code=stolen";
    let response = call_service(&app, token_request(form).to_request()).await;
    let rejection = pkce_core::Rejection::from(Reason::VerifierMissing);
    assert_eq!(response.status(), rejection.status());
    assert_eq!(reason(&response), Some(Reason::VerifierMissing));
    assert_eq!(response.response().extensions().get::<pkce_core::Rejection>(), Some(&rejection));
    assert_eq!(response.headers().len(), rejection.headers().count());
    for (name, value) in rejection.headers() {
        assert_eq!(header(&response, name), value);
    }
    assert_eq!(text(response).await, rejection.body());
}

#[actix_web::test]
async fn a_refusal_passes_through_the_middleware_outside() {
    let token = web::resource("/token")
        .wrap(TokenEndpoint::new(pkce()))
        .wrap(DefaultHeaders::new().add(("access-control-allow-origin", "*")))
        .route(web::post().to(echo));
    let app = init_service(App::new().service(token)).await;
    let response = call_service(&app, token_request("grant_type=authorization_code").to_request()).await;
    assert_eq!(response.status(), 400);
    assert_eq!(header(&response, "access-control-allow-origin"), "*");
}

#[actix_web::test]
async fn a_refusal_is_rendered_by_the_closure_of_the_host() {
    let endpoint = TokenEndpoint::new(pkce()).render(|rejection| {
        HttpResponse::build(rejection.status().try_into().unwrap())
            .content_type("application/problem+json")
            .body(format!(r#"{{"title":"{}"}}"#, rejection.error()))
    });
    assert!(format!("{endpoint:?}").contains("Renderer(custom)"));
    let app = init_service(App::new().service(web::resource("/token").wrap(endpoint).to(echo))).await;
    let response = call_service(&app, TestRequest::get().uri("/token").to_request()).await;
    assert_eq!(response.status(), 405);
    assert_eq!(reason(&response), Some(Reason::TokenMethod));
    assert_eq!(header(&response, "content-type"), "application/problem+json");
    assert_eq!(text(response).await, r#"{"title":"invalid_request"}"#);
}

#[actix_web::test]
async fn a_body_over_the_limit_is_refused() {
    let pkce = Pkce::builder(MemoryStore::new()).policy(Policy::new().body_limit(REFRESH.len())).build();
    let app = init_service(App::new().service(web::resource("/token").wrap(TokenEndpoint::new(pkce)).to(echo))).await;
    assert_eq!(call_service(&app, token_request(REFRESH).to_request()).await.status(), 200);
    let response = call_service(&app, token_request([REFRESH, b"r"].concat()).to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (413, Some(Reason::BodyTooLarge)));
}

#[actix_web::test]
async fn it_wraps_a_scope_and_an_application() {
    let pkce = pkce();
    let scope = web::scope("").wrap(TokenEndpoint::new(pkce.clone())).route("/token", web::post().to(echo));
    let app = init_service(App::new().service(scope)).await;
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (200, None));
    assert_eq!(redeem(&app, &form).await, (400, Some(Reason::CodeReplayed)));

    let app = App::new().wrap(TokenEndpoint::new(pkce.clone())).route("/token", web::post().to(echo));
    let app = init_service(app).await;
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (200, None));
    assert_eq!(redeem(&app, &form).await, (400, Some(Reason::CodeReplayed)));
}

#[actix_web::test]
async fn mounted_twice_is_a_loud_500_and_no_replay() {
    let replays = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&replays);
    let hook = move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        std::future::ready(())
    };
    let pkce = Pkce::builder(MemoryStore::new()).on_replay(hook).build();
    let endpoint = TokenEndpoint::new(pkce.clone());
    let app = init_service(App::new().service(web::resource("/token").wrap(endpoint.clone()).wrap(endpoint).to(echo)));
    let app = app.await;
    let form = authorize(&pkce).await;
    // The code is live after the first, or the second would be refused.
    for _ in 0..2 {
        let response = call_service(&app, token_request(form.clone()).to_request()).await;
        assert_eq!((response.status().as_u16(), reason(&response)), (500, Some(Reason::Misconfigured)));
    }
    assert_eq!(replays.load(Ordering::Relaxed), 0);
}

#[actix_web::test]
async fn a_character_set_does_not_hide_a_code_from_the_judge() {
    // Actix decodes a form by its character set: half of these octets is a code to it, the other half a refresh to us.
    let form = "grant_type=authorization_code&code=stolen&x=".encode_utf16().flat_map(u16::to_le_bytes);
    let body: Vec<u8> = form.chain(b"&grant_type=refresh_token&y=1".iter().copied()).collect();
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce())).to(echo);
    let app = init_service(App::new().service(token)).await;
    let utf_16 = ("content-type", "application/x-www-form-urlencoded; charset=utf-16le");
    let request = TestRequest::post().uri("/token").insert_header(utf_16).set_payload(body);
    let response = call_service(&app, request.to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (400, Some(Reason::ContentType)));
}

#[actix_web::test]
async fn a_store_that_hangs_is_a_503_in_time() {
    let store = Slow { redeem: Duration::from_secs(60), ..Slow::default() };
    let policy = Policy::new().store_timeout(Duration::from_millis(20));
    let pkce = Pkce::builder(store).policy(policy).build();
    let app =
        init_service(App::new().service(web::resource("/token").wrap(TokenEndpoint::new(pkce.clone())).to(echo))).await;
    let form = authorize(&pkce).await;
    let sent = Instant::now();
    assert_eq!(redeem(&app, &form).await, (503, Some(Reason::StoreTimedOut)));
    assert!(sent.elapsed() < Duration::from_secs(10));
}

#[actix_web::test]
async fn a_middleware_inside_finds_the_clearance() {
    let inside = from_fn(async |request: ServiceRequest, next: Next<_>| {
        let kind = request.extensions().get::<Clearance>().map(|clearance| clearance.kind());
        assert_eq!(kind, Some(ClearanceKind::OtherGrant));
        next.call(request).await
    });
    let token = web::resource("/token").wrap(inside).wrap(TokenEndpoint::new(pkce())).to(echo);
    let app = init_service(App::new().service(token)).await;
    assert_eq!(call_service(&app, token_request(REFRESH).to_request()).await.status(), 200);
}

#[actix_web::test]
async fn the_form_extractor_of_the_host_reads_what_was_judged() {
    async fn token(_: Clearance, form: web::Form<Vec<(String, String)>>) -> String {
        format!("{:?}", *form)
    }
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce())).route(web::post().to(token));
    let app = init_service(App::new().service(token)).await;
    let request = TestRequest::post().uri("/token").insert_header(FORM).set_payload(REFRESH);
    let answer = call_and_read_body(&app, request.to_request()).await;
    assert_eq!(answer, r#"[("grant_type", "refresh_token"), ("refresh_token", "r")]"#);
}

/// So that one can be made outside `HttpServer::new` and cloned into every worker.
#[test]
fn it_can_be_shared_by_the_workers() {
    fn shared<T: Clone + Send + Sync + 'static>(_: T) {}
    shared(TokenEndpoint::new(pkce()).render(|_| HttpResponse::BadRequest().finish()));
}

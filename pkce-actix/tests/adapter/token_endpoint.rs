//! The middleware: what reaches the host, and what leaves in its stead.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse};
use pkce_actix::{Clearance, MemoryStore, Pkce, Policy, Reason, TokenEndpoint};

use crate::common::{REFRESH, authorize, header, pkce, reason, redeem, token_request};

async fn echo(_: Clearance, body: Bytes) -> Bytes {
    body
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
        ready(())
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
    assert_eq!((response.status().as_u16(), reason(&response)), (400, Some(Reason::Charset)));
}

/// So that one can be made outside `HttpServer::new` and cloned into every worker.
#[test]
fn it_can_be_shared_by_the_workers() {
    fn shared<T: Clone + Send + Sync + 'static>(_: T) {}
    shared(TokenEndpoint::new(pkce()).render(|_| HttpResponse::BadRequest().finish()));
}

#[actix_web::test]
async fn tokens_are_not_stored_unless_the_host_says_how() {
    for (own, status, cache_control, pragma) in
        [(None, 200, "no-store", "no-cache"), (Some("private"), 200, "private", ""), (None, 401, "", "")]
    {
        let token = move |_: Clearance| {
            let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap());
            if let Some(value) = own {
                response.insert_header(("cache-control", value));
            }
            ready(response.body("tokens"))
        };
        let resource = web::resource("/token").wrap(TokenEndpoint::new(pkce())).to(token);
        let response =
            call_service(&init_service(App::new().service(resource)).await, token_request(REFRESH).to_request()).await;
        assert_eq!((header(&response, "cache-control"), header(&response, "pragma")), (cache_control, pragma));
    }
}

#[test]
fn debug_says_whose_the_rejections_are() {
    let standard = TokenEndpoint::new(pkce());
    assert!(format!("{standard:?}").contains("Renderer(standard)"));
    let custom = standard.render(|_| HttpResponse::BadRequest().finish());
    assert!(format!("{custom:?}").contains("Renderer(custom)"));
}

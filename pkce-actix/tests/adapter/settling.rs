//! What becomes of a redeemed code, by the outcome of the host.

use std::rc::Rc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, ErrorUnauthorized, InternalError};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::time::timeout;
use actix_web::test::init_service;
use actix_web::{App, Error, HttpResponse, rt, web};
use pkce_actix::{Clearance, Pkce, Reason, Settle, TokenEndpoint};

use crate::common::{Slow, authorize, pkce, redeem, token_request};

const REPLAYED: (u16, Option<Reason>) = (400, Some(Reason::CodeReplayed));

/// Answers with this status, and overrules what becomes of the code.
fn answer(status: u16, overrule: Option<Settle>) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::from_u16(status).unwrap());
    if let Some(settle) = overrule {
        response.extensions_mut().insert(settle);
    }
    response
}

/// A token endpoint where something further in answers, before the handler.
macro_rules! host {
    ($pkce:expr, $inside:expr) => {{
        let inside = from_fn(async |_: ServiceRequest, _: Next<BoxBody>| Err::<ServiceResponse, Error>($inside));
        let token = web::resource("/token").wrap(inside).wrap(TokenEndpoint::new($pkce.clone()));
        init_service(App::new().service(token.to(HttpResponse::Ok))).await
    }};
}

#[actix_web::test]
async fn the_status_of_the_host_decides_unless_it_overrules() {
    for (status, overrule, again) in [
        (200, None, REPLAYED),
        (302, None, REPLAYED),
        (500, None, REPLAYED),
        (401, None, (401, None)),
        (200, Some(Settle::Restore), (200, None)),
        (401, Some(Settle::Keep), REPLAYED),
    ] {
        let pkce = pkce();
        let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone()));
        let token = token.to(move |_: Clearance| async move { answer(status, overrule) });
        let app = init_service(App::new().service(token)).await;
        let form = authorize(&pkce).await;
        assert_eq!(redeem(&app, &form).await, (status, None));
        assert_eq!(redeem(&app, &form).await, again, "{status} {overrule:?}");
    }
}

#[actix_web::test]
async fn an_error_of_the_handler_counts_by_its_status() {
    let pkce = pkce();
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone()));
    let token = token.to(async |_: Clearance| Err::<HttpResponse, _>(ErrorUnauthorized("invalid_client")));
    let app = init_service(App::new().service(token)).await;
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, (401, None));
}

#[actix_web::test]
async fn an_error_of_a_middleware_inside_counts_by_its_status() {
    let pkce = pkce();
    let app = host!(pkce, ErrorUnauthorized("invalid_client"));
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, (401, None));

    let app = host!(pkce, ErrorInternalServerError("no one knows"));
    assert_eq!(redeem(&app, &form).await, (500, None));
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

/// To render it for a look at its extensions would leave the client an empty 500.
#[actix_web::test]
async fn an_error_made_of_a_response_is_handed_on_whole() {
    let pkce = pkce();
    let app = host!(
        pkce,
        InternalError::from_response("", HttpResponse::Unauthorized().insert_header(("dpop-nonce", "n")).finish())
            .into()
    );
    let form = authorize(&pkce).await;
    let request = token_request(form.clone()).to_request();
    let error = app.call(request).await.unwrap_err();
    let response = error.error_response();
    assert_eq!((response.status().as_u16(), response.headers().contains_key("dpop-nonce")), (401, true));
    assert_eq!(redeem(&app, &form).await, (401, None));
}

#[actix_web::test]
async fn the_code_is_restored_before_the_answer_goes_out() {
    let pkce = Pkce::new(Slow { restore: Duration::from_millis(50), ..Slow::default() });
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone()));
    let app = init_service(App::new().service(token.to(async |_: Clearance| answer(401, None)))).await;
    let form = authorize(&pkce).await;
    assert_eq!(redeem(&app, &form).await, (401, None));
    assert_eq!(redeem(&app, &form).await, (401, None));
}

#[actix_web::test]
async fn a_handler_that_panics_leaves_the_code_redeemed() {
    async fn token(_: Clearance) -> HttpResponse {
        panic!("on purpose");
    }
    let pkce = pkce();
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone())).to(token);
    let app = Rc::new(init_service(App::new().service(token)).await);
    let form = authorize(&pkce).await;
    let (host, first) = (Rc::clone(&app), form.clone());
    let panicked = rt::spawn(async move { redeem(&*host, &first).await }).await.unwrap_err();
    assert!(panicked.is_panic());
    assert_eq!(redeem(&*app, &form).await, REPLAYED);
}

#[actix_web::test]
async fn a_request_that_is_cancelled_leaves_the_code_redeemed() {
    async fn token(_: Clearance) -> HttpResponse {
        std::future::pending().await
    }
    let pkce = pkce();
    let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone())).to(token);
    let app = init_service(App::new().service(token)).await;
    let form = authorize(&pkce).await;
    assert!(timeout(Duration::from_millis(20), redeem(&app, &form)).await.is_err());
    assert_eq!(redeem(&app, &form).await, REPLAYED);
}

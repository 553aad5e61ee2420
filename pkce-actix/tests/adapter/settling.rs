//! What becomes of a redeemed code, by the outcome of the host.

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, ErrorUnauthorized, InternalError};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::init_service;
use actix_web::{App, Error, HttpResponse, web};
use pkce_actix::{Clearance, Reason, TokenEndpoint};

use crate::common::{authorize, pkce, redeem, token_request};

const REPLAYED: (u16, Option<Reason>) = (400, Some(Reason::CodeReplayed));

/// A token endpoint where something further in answers, before the handler.
macro_rules! host {
    ($pkce:expr, $inside:expr) => {{
        let inside = from_fn(async |_: ServiceRequest, _: Next<BoxBody>| Err::<ServiceResponse, Error>($inside));
        let token = web::resource("/token").wrap(inside).wrap(TokenEndpoint::new($pkce.clone()));
        init_service(App::new().service(token.to(HttpResponse::Ok))).await
    }};
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

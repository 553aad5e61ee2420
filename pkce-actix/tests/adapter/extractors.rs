//! The extractors.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use actix_web::{App, Error, HttpResponse, ResponseError as _, Route, Scope};
use pkce_actix::{
    Challenge, ChallengeForm, Clearance, CodeChallenge, MemoryStore, OptionalChallenge, OptionalChallengeForm,
    PendingChallenge, Pkce, Policy, Reason, Rejection, pkce_core,
};

use crate::common::{pkce, reason, text};

/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const MALFORMED: &str = "code_challenge=short&code_challenge_method=S256";

fn parameters() -> String {
    format!("response_type=code&client_id=c&code_challenge={CHALLENGE}&code_challenge_method=S256")
}

fn lenient() -> Pkce {
    Pkce::builder(MemoryStore::new()).policy(Policy::new().allow_missing_challenge()).build()
}

fn host(
    pkce: Pkce,
    route: Route,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().app_data(web::Data::new(pkce)).route("/authorize", route)
}

async fn get(pkce: Pkce, route: Route, query: &str) -> ServiceResponse<impl MessageBody> {
    let app = init_service(host(pkce, route)).await;
    call_service(&app, TestRequest::get().uri(&format!("/authorize?{query}")).to_request()).await
}

async fn required(Challenge(challenge): Challenge) -> String {
    which(challenge.challenge())
}

async fn optional(OptionalChallenge(challenge): OptionalChallenge) -> String {
    which(challenge.as_ref().and_then(PendingChallenge::challenge))
}

fn which(challenge: Option<&CodeChallenge>) -> String {
    challenge
        .map_or("none", |challenge| if challenge.verify(VERIFIER).is_ok() { "the one" } else { "another" })
        .to_owned()
}

/// Why the documentation warns of it, and `OptionalChallenge` exists.
#[actix_web::test]
async fn an_option_around_the_extractor_takes_a_malformed_challenge_for_none() {
    async fn wrong(challenge: Option<Challenge>) -> String {
        challenge.is_some().to_string()
    }
    assert_eq!(text(get(pkce(), web::get().to(wrong), MALFORMED).await).await, "false");
}

#[actix_web::test]
async fn without_a_pkce_every_extractor_is_a_loud_500() {
    for route in [
        web::to(required),
        web::to(optional),
        web::to(async |_: ChallengeForm<()>| HttpResponse::Ok()),
        web::to(async |_: OptionalChallengeForm<()>| HttpResponse::Ok()),
    ] {
        let app = init_service(App::new().route("/authorize", route)).await;
        let request = TestRequest::get().uri(&format!("/authorize?{}", parameters())).to_request();
        let response = call_service(&app, request).await;
        assert_eq!((response.status().as_u16(), reason(&response)), (500, Some(Reason::Misconfigured)));
        assert!(text(response).await.starts_with(r#"{"error":"server_error""#));
    }
}

#[actix_web::test]
async fn the_nearest_pkce_counts() {
    let route = || web::get().to(optional);
    let (strict, lenient) = (|| web::Data::new(pkce()), || web::Data::new(lenient()));
    let app = App::new()
        .app_data(lenient())
        .service(web::scope("/scope").app_data(strict()).route("/strict", route()))
        .service(
            web::scope("/outer")
                .app_data(strict())
                .service(web::resource("/lenient").app_data(lenient()).route(route())),
        )
        .route("/lenient", route());
    let app = init_service(app).await;
    for (path, status) in [("/lenient", 200), ("/scope/strict", 400), ("/outer/lenient", 200)] {
        let response = call_service(&app, TestRequest::get().uri(path).to_request()).await;
        assert_eq!(response.status(), status, "{path}");
    }
}

/// Actix cannot tell which of two types is nearer, so another one could be overruled by one farther out.
#[actix_web::test]
async fn a_pkce_in_another_wrapping_is_a_loud_500_and_never_overruled() {
    let wrappings: [fn(Scope) -> Scope; 3] = [
        |scope| scope.app_data(pkce()),
        |scope| scope.app_data(Arc::new(pkce())),
        |scope| scope.app_data(web::Data::new(Arc::new(pkce()))),
    ];
    for wrap in wrappings {
        let scope = || wrap(web::scope("/scope")).route("/authorize", web::get().to(optional));
        for app in [App::new().service(scope()), App::new().app_data(web::Data::new(lenient())).service(scope())] {
            let app = init_service(app).await;
            for query in [String::new(), parameters()] {
                let request = TestRequest::get().uri(&format!("/scope/authorize?{query}")).to_request();
                let response = call_service(&app, request).await;
                assert_eq!((response.status().as_u16(), reason(&response)), (500, Some(Reason::Misconfigured)));
            }
        }
    }
}

#[actix_web::test]
async fn a_clearance_without_the_middleware_is_a_loud_500() {
    let app = App::new().route("/token", web::post().to(async |_: Clearance| "tokens"));
    let response = call_service(&init_service(app).await, TestRequest::post().uri("/token").to_request()).await;
    assert_eq!(response.status(), 500);
    assert_eq!(reason(&response), Some(Reason::Misconfigured));
    assert!(text(response).await.starts_with(r#"{"error":"server_error""#));
}

#[test]
fn a_challenge_rejection_tells_the_client_no_more_than_the_standard_does() {
    let rejection = pkce_core::Rejection::from(Reason::ChallengeRequired);
    let challenge_rejection = Rejection::from(rejection.clone());
    assert_eq!(challenge_rejection.rejection(), &rejection);
    assert_eq!(challenge_rejection.to_string(), "code challenge required");
    assert_eq!(
        (challenge_rejection.status_code(), challenge_rejection.error_response().status().as_u16()),
        (StatusCode::BAD_REQUEST, 400)
    );
}

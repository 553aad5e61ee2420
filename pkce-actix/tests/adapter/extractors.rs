//! The extractors.

use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web;
use actix_web::{App, Error, HttpResponse, Route};
use pkce_actix::{
    AuthorizationRedirect, AuthorizationResponse, Challenge, ChallengeForm, Clearance, CodeChallenge, MemoryStore,
    OptionalChallenge, OptionalChallengeForm, PendingChallenge, Pkce, Policy, Reason, Rejection, pkce_core,
};

use crate::common::{FORM, Slow, header, pkce, reason, text};

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

async fn post(pkce: Pkce, route: Route, form: String) -> ServiceResponse<impl MessageBody> {
    let app = init_service(host(pkce, route)).await;
    call_service(&app, TestRequest::post().uri("/authorize").insert_header(FORM).set_payload(form).to_request()).await
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

#[actix_web::test]
async fn a_challenge_reaches_the_handler() {
    assert_eq!(text(get(pkce(), web::get().to(required), &parameters()).await).await, "the one");
    assert_eq!(text(get(pkce(), web::get().to(optional), &parameters()).await).await, "the one");
}

#[actix_web::test]
async fn a_refusal_is_the_standard_answer() {
    let response = get(pkce(), web::get().to(required), "response_type=code").await;
    let rejection = pkce_core::Rejection::from(Reason::ChallengeRequired);
    assert_eq!(response.status(), 400);
    assert_eq!(reason(&response), Some(Reason::ChallengeRequired));
    assert_eq!(response.response().extensions().get::<pkce_core::Rejection>(), Some(&rejection));
    for (name, value) in rejection.headers() {
        assert_eq!(header(&response, name), value);
    }
    assert_eq!(text(response).await, rejection.body());
}

#[actix_web::test]
async fn the_optional_challenge_is_none_only_if_none_was_sent() {
    assert_eq!(text(get(lenient(), web::get().to(optional), "response_type=code").await).await, "none");
    let refused = get(lenient(), web::get().to(optional), MALFORMED).await;
    assert_eq!((refused.status().as_u16(), reason(&refused)), (400, Some(Reason::ChallengeMalformed)));
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
async fn a_host_that_has_validated_the_redirect_uri_redirects_the_error() {
    async fn authorize(challenge: Result<Challenge, Rejection>) -> Result<&'static str, AuthorizationRedirect> {
        let response = AuthorizationResponse::to("https://client.example/cb").state("s".to_owned());
        challenge.map(|_| "served").map_err(|rejection| response.error(&rejection))
    }
    assert_eq!(get(pkce(), web::get().to(authorize), &parameters()).await.status(), 200);
    let response = get(pkce(), web::get().to(authorize), "").await;
    assert_eq!(response.status(), 303);
    assert_eq!(
        header(&response, "location"),
        "https://client.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"
    );
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

/// Actix cannot tell which of two types is nearer, so a bare one could be overruled by one farther out.
#[actix_web::test]
async fn a_bare_pkce_is_a_loud_500_and_never_overruled() {
    let scope = || web::scope("/scope").app_data(pkce()).route("/authorize", web::get().to(optional));
    for app in [App::new().service(scope()), App::new().app_data(web::Data::new(lenient())).service(scope())] {
        let app = init_service(app).await;
        for query in [String::new(), parameters()] {
            let request = TestRequest::get().uri(&format!("/scope/authorize?{query}")).to_request();
            let response = call_service(&app, request).await;
            assert_eq!((response.status().as_u16(), reason(&response)), (500, Some(Reason::Misconfigured)));
        }
    }
}

#[actix_web::test]
async fn a_handler_that_redeems_by_itself_times_out_without_any_layer() {
    async fn token(pkce: web::Data<Pkce>) -> Result<&'static str, Rejection> {
        let (_clearance, reservation) = pkce.redeem("the-code", Some(VERIFIER)).await?;
        drop(reservation);
        Ok("tokens")
    }
    let store = Slow { redeem: Duration::from_secs(60), ..Slow::default() };
    let pkce = Pkce::builder(store).policy(Policy::new().store_timeout(Duration::from_millis(20))).build();
    let app = App::new().app_data(web::Data::new(pkce)).route("/token", web::post().to(token));
    let response = call_service(&init_service(app).await, TestRequest::post().uri("/token").to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (503, Some(Reason::StoreTimedOut)));
}

#[actix_web::test]
async fn every_failure_of_the_authorization_endpoint_is_one_question_mark() {
    async fn authorize(
        pkce: web::Data<Pkce>,
        challenge: Result<Challenge, Rejection>,
    ) -> Result<AuthorizationRedirect, AuthorizationRedirect> {
        let reply = AuthorizationResponse::to("https://client.example/cb?t=7").state("s t".to_owned()).issuer("i");
        let Challenge(challenge) = challenge.map_err(|rejected| reply.error(&rejected))?;
        let code = pkce_actix::AuthorizationCode::generate().map_err(|error| reply.error(&error))?;
        pkce.bind(&code, challenge).await.map_err(|error| reply.error(&error))?;
        Ok(reply.code(&code))
    }
    let full = Pkce::new(MemoryStore::builder().capacity(0).build());
    for (pkce, query, expected) in [
        (pkce(), parameters(), "https://client.example/cb?t=7&code="),
        (pkce(), String::new(), "https://client.example/cb?t=7&error=invalid_request&"),
        (full, parameters(), "https://client.example/cb?t=7&error=temporarily_unavailable&"),
    ] {
        let response = get(pkce, web::get().to(authorize), &query).await;
        assert_eq!(response.status(), 303);
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        let location = header(&response, "location");
        assert!(location.starts_with(expected) && location.ends_with("&state=s%20t&iss=i"), "{location}");
    }
}

#[actix_web::test]
async fn what_is_bound_after_an_extractor_is_bounded_without_a_token_endpoint() {
    async fn authorize(pkce: web::Data<Pkce>, Challenge(challenge): Challenge) -> String {
        pkce.bind("c", challenge).await.unwrap_err().to_string()
    }
    let store = Slow { insert: Duration::from_secs(60), ..Slow::default() };
    let pkce = Pkce::builder(store).policy(Policy::new().store_timeout(Duration::from_millis(20))).build();
    let sent = Instant::now();
    text(get(pkce, web::get().to(authorize), &parameters()).await).await;
    assert!(sent.elapsed() < Duration::from_secs(10));
}

#[actix_web::test]
async fn the_form_gives_the_challenge_and_the_form_of_the_host() {
    #[derive(serde::Deserialize)]
    struct Own {
        client_id: String,
    }
    async fn required(request: ChallengeForm<Own>) -> String {
        format!("{} {}", request.form.client_id, which(request.challenge.challenge()))
    }
    async fn optional(request: OptionalChallengeForm<Own>) -> String {
        format!(
            "{} {}",
            request.form.client_id,
            which(request.challenge.as_ref().and_then(PendingChallenge::challenge))
        )
    }
    let both = text(post(pkce(), web::post().to(required), parameters()).await).await;
    assert_eq!(both, "c the one");
    let form = || "response_type=code&client_id=c".to_owned();
    assert_eq!(text(post(lenient(), web::post().to(optional), form()).await).await, "c none");

    for (form, status, why) in [
        (form(), 400, Reason::ChallengeRequired),
        (parameters().replace("client_id", "other"), 400, Reason::MalformedBody),
        (format!("{}&x={}", parameters(), "x".repeat(16 * 1024)), 413, Reason::BodyTooLarge),
    ] {
        let refused = post(pkce(), web::post().to(required), form).await;
        assert_eq!((refused.status().as_u16(), reason(&refused)), (status, Some(why)));
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
}

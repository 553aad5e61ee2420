//! The axum extractors.

use std::error::Error as _;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post};
use bytes::Bytes;
use http::Request;
use http_body::Frame;
use pkce_tower::{
    AuthorizationResponse, Challenge, ChallengeForm, Clearance, CodeChallenge, MemoryStore, OptionalChallenge,
    OptionalChallengeForm, Pkce, Policy, Reason, Rejection, pkce_core,
};

use crate::common::{FORM, Slow, frames, header, octets, outcome, pkce, send, text};

/// RFC 7636 Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const MALFORMED: &str = "response_type=code&code_challenge=short&code_challenge_method=S256";

fn parameters() -> String {
    format!("response_type=code&client_id=c&code_challenge={CHALLENGE}&code_challenge_method=S256")
}

fn lenient() -> Pkce {
    Pkce::builder(MemoryStore::new()).policy(Policy::new().allow_missing_challenge()).build()
}

async fn by_get(pkce: Pkce, route: MethodRouter<Pkce>, query: &str) -> Response {
    let app = Router::new().route("/authorize", route).with_state(pkce);
    send(&app, Request::get(format!("/authorize?{query}")).body(Body::empty()).unwrap()).await
}

async fn by_post(pkce: Pkce, route: MethodRouter<Pkce>, form: impl Into<Body>) -> Response {
    let app = Router::new().route("/authorize", route).with_state(pkce);
    send(&app, Request::post("/authorize").header("content-type", FORM).body(form.into()).unwrap()).await
}

async fn required(Challenge(challenge): Challenge) -> String {
    which(challenge.challenge())
}

async fn optional(OptionalChallenge(challenge): OptionalChallenge) -> String {
    which(challenge.as_ref().and_then(pkce_tower::PendingChallenge::challenge))
}

fn which(challenge: Option<&CodeChallenge>) -> String {
    challenge
        .map_or("none", |challenge| if challenge.verify(VERIFIER).is_ok() { "the one" } else { "another" })
        .to_owned()
}

#[tokio::test]
async fn a_challenge_reaches_the_handler() {
    assert_eq!(text(by_get(pkce(), get(required), &parameters()).await).await, "the one");
    assert_eq!(text(by_get(pkce(), get(optional), &parameters()).await).await, "the one");
}

#[tokio::test]
async fn a_refusal_is_the_standard_answer() {
    let response = by_get(pkce(), get(required), "response_type=code").await;
    let rejection = pkce_core::Rejection::from(Reason::ChallengeRequired);
    assert_eq!(outcome(&response), (400, Some(Reason::ChallengeRequired)));
    assert_eq!(response.extensions().get::<pkce_core::Rejection>(), Some(&rejection));
    for (name, value) in rejection.headers() {
        assert_eq!(header(&response, name), value);
    }
    assert_eq!(text(response).await, rejection.body());
}

#[tokio::test]
async fn the_optional_challenge_is_none_only_if_none_was_sent() {
    assert_eq!(text(by_get(lenient(), get(optional), "response_type=code").await).await, "none");
    let refused = by_get(lenient(), get(optional), MALFORMED).await;
    assert_eq!(outcome(&refused), (400, Some(Reason::ChallengeMalformed)));
    let refused = by_get(pkce(), get(optional), "response_type=code").await;
    assert_eq!(outcome(&refused), (400, Some(Reason::ChallengeRequired)));
}

/// An `Option` would take what is malformed for none. As long as neither trait is implemented for it, the method that
/// is sought below is found once; with an implementation there would be two to choose from.
#[test]
fn an_option_around_an_extractor_does_not_compile() {
    trait Refused<Marker> {
        fn holds() {}
    }
    impl<T> Refused<()> for T {}
    impl<T: FromRequestParts<Pkce>> Refused<u8> for T {}
    impl<T: FromRequest<Pkce>> Refused<u16> for T {}

    <Option<Challenge> as Refused<_>>::holds();
    <Option<OptionalChallenge> as Refused<_>>::holds();
    <Option<ChallengeForm<()>> as Refused<_>>::holds();
    <Option<OptionalChallengeForm<()>> as Refused<_>>::holds();
    <Option<Clearance> as Refused<_>>::holds();
}

#[tokio::test]
async fn a_host_that_has_validated_the_redirect_uri_redirects_the_error() {
    async fn authorize(challenge: Result<Challenge, Rejection>) -> Response {
        let Err(rejection) = challenge else { return "served".into_response() };
        let response = AuthorizationResponse::to("https://client.example/cb").state("s".to_owned());
        response.error(&rejection).into_response()
    }
    assert_eq!(text(by_get(pkce(), get(authorize), &parameters()).await).await, "served");
    let response = by_get(pkce(), get(authorize), "").await;
    assert_eq!(response.status(), 303);
    assert_eq!(
        header(&response, "location"),
        "https://client.example/cb?error=invalid_request&error_description=code%20challenge%20required&state=s"
    );
}

#[tokio::test]
async fn a_host_that_decides_by_itself_gets_the_refusal_of_a_form_too() {
    async fn authorize(request: Result<ChallengeForm<()>, Rejection>) -> &'static str {
        request.unwrap_err().rejection().reason().as_str()
    }
    assert_eq!(text(by_post(pkce(), post(authorize), MALFORMED).await).await, "challenge_malformed");
}

#[tokio::test]
async fn the_query_of_another_method_is_not_read() {
    for route in [any(required), any(optional)] {
        let refused = by_post(lenient(), route, parameters()).await;
        assert_eq!((outcome(&refused), header(&refused, "allow")), ((405, Some(Reason::AuthorizationMethod)), "GET"));
    }
}

#[tokio::test]
async fn a_head_request_is_a_get_without_the_answers_body() {
    let app = Router::new().route("/authorize", get(required)).with_state(pkce());
    for (query, status) in [(parameters(), 200), (MALFORMED.to_owned(), 400)] {
        let response = send(&app, Request::head(format!("/authorize?{query}")).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), status);
        assert_eq!(octets(response).await, "");
    }
}

#[tokio::test]
async fn a_state_of_the_hostsown_lends_its_pkce() {
    #[derive(Clone)]
    struct Own {
        pkce: Pkce,
    }
    impl FromRef<Own> for Pkce {
        fn from_ref(state: &Own) -> Self {
            state.pkce.clone()
        }
    }
    let app = Router::new().route("/authorize", get(required)).with_state(Own { pkce: pkce() });
    let request = Request::get(format!("/authorize?{}", parameters())).body(Body::empty()).unwrap();
    assert_eq!(text(send(&app, request).await).await, "the one");
}

#[tokio::test]
async fn what_is_bound_after_an_extractor_is_bounded_without_a_token_endpoint() {
    async fn query(State(pkce): State<Pkce>, Challenge(challenge): Challenge) -> String {
        pkce.bind("c", challenge).await.unwrap_err().to_string()
    }
    async fn form(State(pkce): State<Pkce>, request: ChallengeForm<Vec<(String, String)>>) -> String {
        pkce.bind("c", request.challenge).await.unwrap_err().to_string()
    }
    let hanging = || {
        let store = Slow { insert: Duration::from_secs(60), ..Slow::default() };
        Pkce::builder(store).policy(Policy::new().store_timeout(Duration::from_millis(20))).build()
    };
    let sent = Instant::now();
    text(by_get(hanging(), get(query), &parameters()).await).await;
    text(by_post(hanging(), post(form), parameters()).await).await;
    assert!(sent.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
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
            which(request.challenge.as_ref().and_then(pkce_tower::PendingChallenge::challenge))
        )
    }
    let both = text(by_post(pkce(), post(required), parameters()).await).await;
    assert_eq!(both, "c the one");
    let pieces = parameters().into_bytes();
    let pieces = frames(pieces.chunks(5).map(|piece| Frame::data(Bytes::copy_from_slice(piece))));
    let both = text(by_post(pkce(), post(required), Body::new(pieces)).await).await;
    assert_eq!(both, "c the one");
    let form = || "response_type=code&client_id=c".to_owned();
    assert_eq!(text(by_post(lenient(), post(optional), form()).await).await, "c none");
    let refused = by_post(lenient(), post(optional), format!("{MALFORMED}&client_id=c")).await;
    assert_eq!(outcome(&refused), (400, Some(Reason::ChallengeMalformed)));

    for (form, status, why) in [
        (form(), 400, Reason::ChallengeRequired),
        (parameters().replace("client_id", "other"), 400, Reason::MalformedBody),
        (format!("{}&x={}", parameters(), "x".repeat(16 * 1024)), 413, Reason::BodyTooLarge),
    ] {
        assert_eq!(outcome(&by_post(pkce(), post(required), form).await), (status, Some(why)));
    }
    let broken_off = Body::new(frames([Frame::data(Bytes::from(parameters()))]).broken_off());
    assert_eq!(outcome(&by_post(pkce(), post(required), broken_off).await), (400, Some(Reason::MalformedBody)));
}

#[test]
fn a_rejection_gives_its_reason() {
    let rejection = pkce_core::Rejection::from(Reason::ChallengeRequired);
    let challenge_rejection = Rejection::from(rejection.clone());
    assert_eq!(challenge_rejection.rejection(), &rejection);
    assert_eq!(challenge_rejection.to_string(), "code challenge required");
    // It speaks with the refusal's own words, which as a source would be said twice.
    assert!(challenge_rejection.source().is_none());
}

#[test]
fn what_is_extracted_can_be_shared_and_shown() {
    fn shared<T: Clone + std::fmt::Debug + Send + Sync + Unpin + 'static>() {}
    shared::<Challenge>();
    shared::<OptionalChallenge>();
    shared::<ChallengeForm<String>>();
    shared::<OptionalChallengeForm<String>>();
    shared::<Clearance>();
    shared::<Rejection>();
}

/// Every kind of state that axum takes.
mod state {
    use std::sync::Arc;

    use super::*;

    async fn takes(app: Router) {
        let request = Request::get(format!("/authorize?{}", parameters())).body(Body::empty()).unwrap();
        assert_eq!(text(send(&app, request).await).await, "the one");
        let request = Request::get(format!("/optional?{}", parameters())).body(Body::empty()).unwrap();
        assert_eq!(text(send(&app, request).await).await, "the one");
        for path in ["/par", "/optional_par"] {
            let request = Request::post(path).header("content-type", FORM).body(parameters().into()).unwrap();
            assert_eq!(text(send(&app, request).await).await, "the one");
        }
    }

    fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
    where
        Pkce: FromRef<S>,
    {
        type Own = Vec<(String, String)>;
        let form = async |request: ChallengeForm<Own>| which(request.challenge.challenge());
        let optional_form = async |request: OptionalChallengeForm<Own>| {
            which(request.challenge.as_ref().and_then(pkce_tower::PendingChallenge::challenge))
        };
        Router::new()
            .route("/authorize", get(required))
            .route("/optional", get(optional))
            .route("/par", post(form))
            .route("/optional_par", post(optional_form))
    }

    struct AppState {
        pkce: Pkce,
        own: String,
    }

    impl AsRef<Pkce> for AppState {
        fn as_ref(&self) -> &Pkce {
            &self.pkce
        }
    }

    #[tokio::test]
    async fn an_arc_of_the_hostsown_type() {
        takes(routes().with_state(Arc::new(AppState { pkce: pkce(), own: String::new() }))).await;
    }

    #[tokio::test]
    async fn an_arc_of_a_pkce() {
        takes(routes().with_state(Arc::new(pkce()))).await;
    }

    #[tokio::test]
    async fn a_bare_pkce() {
        takes(routes().with_state(pkce())).await;
    }

    #[tokio::test]
    async fn a_state_that_derives_from_ref() {
        #[derive(Clone, FromRef)]
        struct Derived {
            pkce: Pkce,
            own: Arc<str>,
        }
        takes(routes().with_state(Derived { pkce: pkce(), own: "".into() })).await;
    }

    #[tokio::test]
    async fn nested_and_merged_routers() {
        let state = Arc::new(AppState { pkce: pkce(), own: String::new() });
        let handler = async |State(state): State<Arc<AppState>>| state.own.clone();
        let app = Router::new().route("/own", get(handler)).merge(routes());
        takes(app.clone().with_state(Arc::clone(&state))).await;
        let nested = Router::new().nest("/oauth", app).with_state(state);
        let request = Request::get(format!("/oauth/authorize?{}", parameters())).body(Body::empty()).unwrap();
        assert_eq!(text(send(&nested, request).await).await, "the one");
    }
}

#[tokio::test]
async fn a_handler_that_redeems_by_itself_times_out_without_any_layer() {
    async fn token(State(pkce): State<Pkce>) -> Result<&'static str, Rejection> {
        let (_clearance, reservation) = pkce.redeem("the-code", Some(VERIFIER)).await?;
        drop(reservation);
        Ok("tokens")
    }
    let store = Slow { redeem: Duration::from_secs(60), ..Slow::default() };
    let pkce = Pkce::builder(store).policy(Policy::new().store_timeout(Duration::from_millis(20))).build();
    let app = Router::new().route("/token", post(token)).with_state(pkce);
    let response = send(&app, Request::post("/token").body(Body::empty()).unwrap()).await;
    assert_eq!(outcome(&response), (503, Some(Reason::StoreTimedOut)));
}

#[tokio::test]
async fn every_failure_of_the_authorization_endpoint_is_one_question_mark() {
    async fn authorize(
        State(pkce): State<Pkce>,
        challenge: Result<Challenge, Rejection>,
    ) -> Result<pkce_tower::AuthorizationRedirect, pkce_tower::AuthorizationRedirect> {
        let reply = AuthorizationResponse::to("https://client.example/cb?t=7").state("s t".to_owned()).issuer("i");
        let Challenge(challenge) = challenge.map_err(|rejected| reply.error(&rejected))?;
        let code = pkce_tower::AuthorizationCode::generate().map_err(|error| reply.error(&error))?;
        pkce.bind(&code, challenge).await.map_err(|error| reply.error(&error))?;
        Ok(reply.code(&code))
    }
    let full = Pkce::new(MemoryStore::builder().capacity(0).build());
    for (pkce, query, expected) in [
        (pkce(), parameters(), "https://client.example/cb?t=7&code="),
        (pkce(), String::new(), "https://client.example/cb?t=7&error=invalid_request&"),
        (full, parameters(), "https://client.example/cb?t=7&error=temporarily_unavailable&"),
    ] {
        let response = by_get(pkce, get(authorize), &query).await;
        assert_eq!(response.status(), 303);
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        let location = header(&response, "location");
        assert!(location.starts_with(expected) && location.ends_with("&state=s%20t&iss=i"), "{location}");
    }
}

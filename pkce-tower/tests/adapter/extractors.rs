//! The axum extractors.

use std::error::Error as _;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, State};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get, post};
use http::Request;
use pkce_tower::{
    Challenge, ChallengeForm, Clearance, CodeChallenge, MemoryStore, OptionalChallenge, OptionalChallengeForm, Pkce,
    Policy, Reason, Rejection, pkce_core,
};

use crate::common::{FORM, header, octets, outcome, pkce, send, text};

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

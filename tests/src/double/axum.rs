//! The double on axum.

use std::convert::Infallible;
use std::future::pending;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{self, Form, FromRef, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pkce_core::{AuthorizationCode, Pkce, Settle};
use pkce_tower::{
    AuthorizationRedirect, Challenge, ChallengeForm, Clearance, OptionalChallenge, OptionalChallengeForm, Rejection,
    TokenEndpointLayer,
};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

use super::{Behaviour, Mount, ORIGIN, PROBLEM, Pushed, Redemption, State, TIME_OUT, found, reply};
use crate::server::Server;

impl FromRef<State> for Pkce {
    fn from_ref(state: &State) -> Self {
        state.pkce.clone()
    }
}

pub(super) fn start(mount: Mount, state: State) -> Server {
    let layer = TokenEndpointLayer::new(state.pkce.clone());
    let time_out = |status| TimeoutLayer::with_status_code(StatusCode::from_u16(status).unwrap(), TIME_OUT);
    let token = post(token).options(preflight).layer::<_, Infallible>(from_fn(inside));
    let token = match mount {
        Mount::Layer => token.layer(layer),
        Mount::Nothing => token,
        Mount::Twice => token.layer((layer.clone(), layer)),
        // The first of a pair is the outer one.
        // axum's own body between them: that of `CatchPanicLayer` cannot be made of bytes.
        Mount::CatchPanicInside => token.layer::<_, Infallible>(CatchPanicLayer::new()).layer(layer),
        Mount::CatchPanicOutside => token.layer((CatchPanicLayer::new(), layer)),
        Mount::TimeOutInside(status) => token.layer((layer, time_out(status))),
        Mount::TimeOutOutside => token.layer((time_out(504), layer)),
        Mount::Cors => {
            let cors = CorsLayer::new()
                .allow_origin(HeaderValue::from_static(ORIGIN))
                .allow_methods([Method::POST])
                .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION]);
            token.layer((cors, layer))
        }
        Mount::Rendered => token.layer(layer.render(|rejection| {
            let problem = serde_json::json!({ "title": rejection.error().as_str(), "status": rejection.status() });
            let mut response = http::Response::new(Bytes::from(problem.to_string()));
            *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap();
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
            response
        })),
    };
    let router = Router::new()
        .route("/token", token)
        .route("/authorize", get(authorize))
        .route("/authorize-optional", get(authorize_optional))
        .route("/form", post(form).layer(TokenEndpointLayer::new(state.pkce.clone())))
        .route("/redeem", post(redeem))
        .route("/redirect", get(redirect))
        .route("/par", post(par))
        .route("/par-optional", post(par_optional))
        .layer(from_fn(outside));
    Server::axum(router.with_state(state))
}

async fn inside(request: Request, next: Next) -> Response {
    let found = found(Clearance::of(request.extensions()));
    ([("x-inside", found)], next.run(request).await).into_response()
}

async fn outside(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match response.extensions().get::<pkce_core::Rejection>().map(|rejection| rejection.reason().as_str()) {
        Some(reason) => ([("x-reason", reason)], response).into_response(),
        None => response,
    }
}

async fn preflight(request: Request) -> impl IntoResponse {
    let clearance = [("x-clearance", found(Clearance::of(request.extensions())))];
    (clearance, axum::body::to_bytes(request.into_body(), 1024).await.unwrap())
}

async fn form(_: Clearance, Form(form): Form<Vec<(String, String)>>) -> String {
    format!("{form:?}")
}

async fn redeem(
    extract::State(pkce): extract::State<Pkce>,
    Form(form): Form<Redemption>,
) -> Result<&'static str, Rejection> {
    let (clearance, _stays_redeemed) = pkce.redeem(&form.code, form.code_verifier.as_deref()).await?;
    Ok(clearance.kind().as_str())
}

async fn redirect(
    extract::State(pkce): extract::State<Pkce>,
    challenge: Result<Challenge, Rejection>,
) -> Result<AuthorizationRedirect, AuthorizationRedirect> {
    let reply = reply::<AuthorizationRedirect>(&pkce);
    let Challenge(challenge) = challenge.map_err(|rejected| reply.error(&rejected))?;
    let code = AuthorizationCode::generate().map_err(|error| reply.error(&error))?;
    pkce.bind(&code, challenge).await.map_err(|error| reply.error(&error))?;
    Ok(reply.code(&code))
}

async fn par_optional(OptionalChallengeForm { challenge, form }: OptionalChallengeForm<Pushed>) -> String {
    format!("{} {}", form.client_id, if challenge.is_some() { "some" } else { "none" })
}

async fn token(
    extract::State(state): extract::State<State>,
    clearance: Clearance,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let behaviour = state.begin(&body);
    let kind = [("x-clearance", clearance.kind().as_str())];
    let status = |status| StatusCode::from_u16(status).unwrap();
    match behaviour {
        Behaviour::Answer(answer) | Behaviour::Fail(answer) => (status(answer), kind).into_response(),
        Behaviour::Overrule(settle, answer) => overruled((status(answer), kind).into_response(), settle),
        Behaviour::AskForNonce if headers.contains_key("dpop") => kind.into_response(),
        Behaviour::AskForNonce => {
            (StatusCode::BAD_REQUEST, [("dpop-nonce", "n")], r#"{"error":"use_dpop_nonce"}"#).into_response()
        }
        Behaviour::Echo => (kind, body).into_response(),
        Behaviour::Private => (kind, [(header::CACHE_CONTROL, "private")]).into_response(),
        Behaviour::Panic => {
            let _dropped = state.dropped();
            panic!("asked for");
        }
        Behaviour::Hang => {
            let _dropped = state.dropped();
            pending().await
        }
    }
}

fn overruled(mut response: Response, settle: Settle) -> Response {
    response.extensions_mut().insert(settle);
    response
}

async fn authorize(
    extract::State(pkce): extract::State<Pkce>,
    Challenge(challenge): Challenge,
) -> Result<String, Rejection> {
    let code = AuthorizationCode::generate()?;
    pkce.bind(&code, challenge).await?;
    Ok(code.as_str().to_owned())
}

async fn authorize_optional(OptionalChallenge(challenge): OptionalChallenge) -> &'static str {
    if challenge.is_some() { "some" } else { "none" }
}

async fn par(
    extract::State(pkce): extract::State<Pkce>,
    ChallengeForm { challenge, form }: ChallengeForm<Pushed>,
) -> Result<(StatusCode, String), Rejection> {
    let code = format!("{}-{}", form.client_id, AuthorizationCode::generate()?.as_str());
    pkce.bind(&code, challenge).await?;
    Ok((StatusCode::CREATED, code))
}

//! The double on axum.

use std::convert::Infallible;
use std::future::pending;

use axum::Router;
use axum::body::Bytes;
use axum::extract::FromRef;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pkce_core::{AuthorizationCode, Pkce, Settle};
use pkce_tower::{Challenge, ChallengeForm, Clearance, OptionalChallenge, Rejection, TokenEndpointLayer};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;

use super::{Behaviour, Mount, ORIGIN, PROBLEM, Pushed, State, TIME_OUT};
use crate::server::Server;

impl FromRef<State> for Pkce {
    fn from_ref(state: &State) -> Self {
        state.pkce.clone()
    }
}

pub(super) fn start(mount: Mount, state: State) -> Server {
    let layer = TokenEndpointLayer::new(state.pkce.clone());
    let time_out = |status| TimeoutLayer::with_status_code(StatusCode::from_u16(status).unwrap(), TIME_OUT);
    let token = post(token);
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
        .route("/par", post(par));
    Server::axum(router.with_state(state))
}

async fn token(
    axum::extract::State(state): axum::extract::State<State>,
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
    axum::extract::State(pkce): axum::extract::State<Pkce>,
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
    axum::extract::State(pkce): axum::extract::State<Pkce>,
    ChallengeForm { challenge, form }: ChallengeForm<Pushed>,
) -> Result<(StatusCode, String), Rejection> {
    let code = format!("{}-{}", form.client_id, AuthorizationCode::generate()?.as_str());
    pkce.bind(&code, challenge).await?;
    Ok((StatusCode::CREATED, code))
}

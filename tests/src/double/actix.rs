//! The double on Actix Web.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorGatewayTimeout, ErrorInternalServerError, InternalError};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Next, from_fn};
use actix_web::rt::time::timeout;
use actix_web::web::{self, Bytes, Data, Form, ServiceConfig};
use actix_web::{App, Error, HttpMessage as _, HttpRequest, HttpResponse, HttpServer};
use pkce_actix::{
    AuthorizationRedirect, Challenge, ChallengeForm, Clearance, OptionalChallenge, OptionalChallengeForm, Rejection,
    TokenEndpoint,
};
use pkce_core::{AuthorizationCode, Pkce};

use super::{Behaviour, Mount, ORIGIN, PROBLEM, Pushed, Redemption, State, TIME_OUT, found, reply};
use crate::server::Server;

pub(super) fn start(mount: Mount, state: State) -> Server {
    let app = move || {
        let state = state.clone();
        App::new()
            .app_data(Data::new(state.pkce.clone()))
            .configure(|config| mounted(config, mount, &state))
            .app_data(Data::new(state))
            .route("/authorize", web::get().to(authorize))
            .route("/authorize-optional", web::get().to(authorize_optional))
            .route("/redeem", web::post().to(redeem))
            .route("/redirect", web::get().to(redirect))
            .route("/par", web::post().to(par))
            .route("/par-optional", web::post().to(par_optional))
            .wrap(from_fn(outside))
    };
    Server::actix(|listener| Ok(HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run()))
}

fn mounted(config: &mut ServiceConfig, mount: Mount, state: &State) {
    let layer = TokenEndpoint::new(state.pkce.clone());
    config.service(web::resource("/form").wrap(layer.clone()).route(web::post().to(form)));
    let resource = web::resource("/token")
        .route(web::post().to(token))
        .route(web::method(Method::OPTIONS).to(preflight))
        .wrap(from_fn(inside));
    match mount {
        Mount::Layer => config.service(resource.wrap(layer)),
        Mount::Nothing => config.service(resource),
        Mount::Twice => config.service(resource.wrap(layer.clone()).wrap(layer)),
        Mount::CatchPanicInside => config.service(resource.wrap(from_fn(catch_panic)).wrap(layer)),
        Mount::CatchPanicOutside => config.service(resource.wrap(layer).wrap(from_fn(catch_panic))),
        Mount::TimeOutInside(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            let time_out = from_fn(move |request, next| time_out_with(status, request, next));
            config.service(resource.wrap(time_out).wrap(layer))
        }
        Mount::TimeOutOutside => config.service(resource.wrap(layer).wrap(from_fn(time_out))),
        Mount::Cors => config.service(
            resource.wrap(layer).wrap(
                Cors::default()
                    .allowed_origin(ORIGIN)
                    .allowed_methods(["POST"])
                    .allowed_headers([header::CONTENT_TYPE, header::AUTHORIZATION]),
            ),
        ),
        Mount::Rendered => config.service(resource.wrap(layer.render(|rejection| {
            let problem = serde_json::json!({ "title": rejection.error().as_str(), "status": rejection.status() });
            HttpResponse::build(StatusCode::from_u16(rejection.status()).unwrap())
                .insert_header((header::CONTENT_TYPE, PROBLEM))
                .body(problem.to_string())
        }))),
    };
}

async fn inside(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let found = found(request.extensions().get::<Clearance>().map(|clearance| &clearance.0));
    let mut response = next.call(request).await?;
    response.headers_mut().insert(HeaderName::from_static("x-inside"), HeaderValue::from_static(found));
    Ok(response)
}

async fn outside(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(request).await?;
    let rejection = response.response().extensions().get::<pkce_core::Rejection>().map(pkce_core::Rejection::reason);
    if let Some(reason) = rejection {
        let reason = HeaderValue::from_static(reason.as_str());
        response.headers_mut().insert(HeaderName::from_static("x-reason"), reason);
    }
    Ok(response)
}

async fn preflight(request: HttpRequest, body: Bytes) -> HttpResponse {
    let found = found(request.extensions().get::<Clearance>().map(|clearance| &clearance.0));
    HttpResponse::Ok().insert_header(("x-clearance", found)).body(body)
}

async fn form(_: Clearance, form: Form<Vec<(String, String)>>) -> String {
    format!("{:?}", *form)
}

async fn redeem(pkce: Data<Pkce>, form: Form<Redemption>) -> Result<&'static str, Rejection> {
    let (clearance, _stays_redeemed) = pkce.redeem(&form.code, form.code_verifier.as_deref()).await?;
    Ok(clearance.kind().as_str())
}

async fn redirect(
    pkce: Data<Pkce>,
    challenge: Result<Challenge, Rejection>,
) -> Result<AuthorizationRedirect, AuthorizationRedirect> {
    let reply = reply::<AuthorizationRedirect>(&pkce);
    let Challenge(challenge) = challenge.map_err(|rejected| reply.error(&rejected))?;
    let code = AuthorizationCode::generate().map_err(|error| reply.error(&error))?;
    pkce.bind(&code, challenge).await.map_err(|error| reply.error(&error))?;
    Ok(reply.code(&code))
}

async fn par_optional(request: OptionalChallengeForm<Pushed>) -> String {
    format!("{} {}", request.form.client_id, if request.challenge.is_some() { "some" } else { "none" })
}

/// Actix has no layer for this: a panic ends the connection.
async fn catch_panic(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut call = Box::pin(next.call(request));
    let caught = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    caught.await.unwrap_or_else(|_| Err(ErrorInternalServerError("a panic")))
}

async fn time_out(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    timeout(TIME_OUT, next.call(request)).await.unwrap_or_else(|_| Err(ErrorGatewayTimeout("too late")))
}

async fn time_out_with(
    status: StatusCode,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let late = || Err(InternalError::new("too late", status).into());
    timeout(TIME_OUT, next.call(request)).await.unwrap_or_else(|_| late())
}

async fn token(
    state: Data<State>,
    clearance: Clearance,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, Error> {
    let behaviour = state.begin(&body);
    let answer = |status| {
        let mut answer = HttpResponse::build(StatusCode::from_u16(status).unwrap());
        answer.insert_header(("x-clearance", clearance.kind().as_str()));
        answer
    };
    Ok(match behaviour {
        Behaviour::Answer(status) => answer(status).finish(),
        Behaviour::Fail(status) => {
            return Err(InternalError::new("asked for", StatusCode::from_u16(status).unwrap()).into());
        }
        Behaviour::Overrule(settle, status) => {
            let mut response = answer(status).finish();
            response.extensions_mut().insert(settle);
            response
        }
        Behaviour::AskForNonce if request.headers().contains_key("dpop") => answer(200).finish(),
        Behaviour::AskForNonce => {
            HttpResponse::BadRequest().insert_header(("dpop-nonce", "n")).body(r#"{"error":"use_dpop_nonce"}"#)
        }
        Behaviour::Echo => answer(200).body(body),
        Behaviour::Private => answer(200).insert_header((header::CACHE_CONTROL, "private")).finish(),
        Behaviour::Panic => {
            let _dropped = state.dropped();
            panic!("asked for");
        }
        Behaviour::Hang => {
            let _dropped = state.dropped();
            pending().await
        }
    })
}

async fn authorize(pkce: Data<Pkce>, Challenge(challenge): Challenge) -> Result<String, Rejection> {
    let code = AuthorizationCode::generate()?;
    pkce.bind(&code, challenge).await?;
    Ok(code.as_str().to_owned())
}

async fn authorize_optional(OptionalChallenge(challenge): OptionalChallenge) -> &'static str {
    if challenge.is_some() { "some" } else { "none" }
}

async fn par(pkce: Data<Pkce>, request: ChallengeForm<Pushed>) -> Result<HttpResponse, Rejection> {
    let ChallengeForm { challenge, form } = request;
    let code = format!("{}-{}", form.client_id, AuthorizationCode::generate()?.as_str());
    pkce.bind(&code, challenge).await?;
    Ok(HttpResponse::Created().body(code))
}

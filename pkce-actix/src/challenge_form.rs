//! The challenge of an authorization request by POST, beside the host's own form.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use pkce_core::{Pkce, Requested, RequestedChallenge, authorization};
use serde::de::DeserializeOwned;

use crate::challenge_rejection::ChallengeRejection;
use crate::configured;
use crate::facts::facts;
use crate::read;

/// [`Challenge`](crate::Challenge) for an authorization request by POST and a pushed one (RFC 9126), with the host's own
/// parameters `T` from the same form body.
///
/// ```
/// use actix_web::Responder;
/// use pkce_actix::ChallengeForm;
///
/// #[derive(serde::Deserialize)]
/// struct Pushed {
///     client_id: String,
///     redirect_uri: String,
/// }
///
/// async fn pushed_authorization_request(request: ChallengeForm<Pushed>) -> impl Responder {
///     let ChallengeForm { challenge, form } = request;
///     // … keep both under a request URI until the browser comes …
/// #   let _ = (challenge, form.client_id, form.redirect_uri);
///     "request_uri"
/// }
/// # actix_web::web::post().to(pushed_authorization_request);
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct ChallengeForm<T> {
    /// The challenge.
    pub challenge: RequestedChallenge,
    /// The host's own reading of the form.
    pub form: T,
}

/// [`OptionalChallenge`](crate::OptionalChallenge) for an authorization request by POST and a pushed one (RFC 9126),
/// with the host's own parameters `T` from the same form body.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct OptionalChallengeForm<T> {
    /// The challenge, if there is one.
    pub challenge: Option<RequestedChallenge>,
    /// The host's own reading of the form.
    pub form: T,
}

type LocalFuture<T> = Pin<Box<dyn Future<Output = Result<T, ChallengeRejection>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for ChallengeForm<T> {
    type Error = ChallengeRejection;
    type Future = LocalFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (pkce, requested, form) = from_form(&request, payload).await?;
            Ok(Self { challenge: requested.required(pkce.policy())?, form })
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OptionalChallengeForm<T> {
    type Error = ChallengeRejection;
    type Future = LocalFuture<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let (_, requested, form) = from_form(&request, payload).await?;
            Ok(Self { challenge: requested.optional(), form })
        })
    }
}

async fn from_form<T: DeserializeOwned>(
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<(&Pkce, Requested, T), ChallengeRejection> {
    let pkce = configured::pkce(request)?;
    let body = read::read(request, &mut payload, pkce.policy()).await;
    let (requested, form) = authorization::read_form_as(&facts(request, body.facts()), pkce.policy())?;
    Ok((pkce, requested, form))
}

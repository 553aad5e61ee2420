//! The axum extractors.

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequest, FromRequestParts};
use axum_core::response::Response;
use http::Request;
use http::request::Parts;
use pkce_core::{Pkce, Requested, RequestedChallenge, authorization};
use serde::de::DeserializeOwned;

use crate::challenge_rejection::ChallengeRejection;
use crate::clearance::Clearance;
use crate::facts::facts;
use crate::read;
use crate::render::misconfigured;
use crate::timer::TokioTimer;

/// The code challenge of an authorization request by GET, required.
///
/// A request without an acceptable one is refused before the handler runs. A host that has to look at client and
/// redirect URI first takes `Result<Challenge, ChallengeRejection>`. Never take `Option<Challenge>`: it does not
/// compile, because it would take a malformed challenge for none; see [`OptionalChallenge`].
///
/// The router's state is a [`Pkce`], or one is made from it by `FromRef`.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct Challenge(pub RequestedChallenge);

/// The code challenge of an authorization request by GET, or `None` if there is none and the policy leaves that to the
/// host ([`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge)).
///
/// A malformed or unacceptable challenge is refused, never `None`. For `None` the host decides by client: refuse, or
/// [`bind_without_challenge`](Pkce::bind_without_challenge).
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct OptionalChallenge(pub Option<RequestedChallenge>);

/// [`Challenge`] for an authorization request by POST and a pushed one (RFC 9126), with the host's own parameters `T`
/// from the same form body.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct ChallengeForm<T> {
    /// The challenge.
    pub challenge: RequestedChallenge,
    /// The host's own reading of the form.
    pub form: T,
}

/// [`OptionalChallenge`] for an authorization request by POST and a pushed one (RFC 9126), with the host's own
/// parameters `T` from the same form body.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct OptionalChallengeForm<T> {
    /// The challenge, if there is one.
    pub challenge: Option<RequestedChallenge>,
    /// The host's own reading of the form.
    pub form: T,
}

impl<S: Sync> FromRequestParts<S> for Challenge
where
    Pkce: FromRef<S>,
{
    type Rejection = ChallengeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ChallengeRejection> {
        let (pkce, requested) = from_query(parts, state)?;
        Ok(Self(requested.required(pkce.policy())?))
    }
}

impl<S: Sync> FromRequestParts<S> for OptionalChallenge
where
    Pkce: FromRef<S>,
{
    type Rejection = ChallengeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ChallengeRejection> {
        let (_, requested) = from_query(parts, state)?;
        Ok(Self(requested.optional()))
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for ChallengeForm<T>
where
    Pkce: FromRef<S>,
{
    type Rejection = ChallengeRejection;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ChallengeRejection> {
        let (pkce, requested, form) = from_form(request, state).await?;
        Ok(Self { challenge: requested.required(pkce.policy())?, form })
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for OptionalChallengeForm<T>
where
    Pkce: FromRef<S>,
{
    type Rejection = ChallengeRejection;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ChallengeRejection> {
        let (_, requested, form) = from_form(request, state).await?;
        Ok(Self { challenge: requested.optional(), form })
    }
}

impl<S: Sync> FromRequestParts<S> for Clearance {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| misconfigured(NOT_MOUNTED).map(Body::from))
    }
}

const NOT_MOUNTED: &str = "pkce-tower: TokenEndpointLayer is not mounted on this route, or this is a CORS preflight";

fn from_query<S>(parts: &Parts, state: &S) -> Result<(Pkce, Requested), ChallengeRejection>
where
    Pkce: FromRef<S>,
{
    let pkce = lent(Pkce::from_ref(state));
    // What a GET has in its body does not count.
    let requested = authorization::read_query(&facts(parts, pkce_core::Body::Complete(&[])), pkce.policy())?;
    Ok((pkce, requested))
}

async fn from_form<S, T>(request: Request<Body>, state: &S) -> Result<(Pkce, Requested, T), ChallengeRejection>
where
    Pkce: FromRef<S>,
    T: DeserializeOwned,
{
    let pkce = lent(Pkce::from_ref(state));
    let (parts, body) = request.into_parts();
    let body = read::read(body, pkce.policy()).await;
    let (requested, form) = authorization::read_form_as(&facts(&parts, body.facts()), pkce.policy())?;
    Ok((pkce, requested, form))
}

/// So that `bind` is bounded also where no token endpoint is mounted.
fn lent(pkce: Pkce) -> Pkce {
    pkce.lend_timer(TokioTimer);
    pkce
}

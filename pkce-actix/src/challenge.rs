//! The challenge of an authorization request by GET.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use pkce_core::{Body, Policy, Requested, RequestedChallenge, authorization};

use crate::challenge_rejection::ChallengeRejection;
use crate::configured;
use crate::facts::facts;

/// The code challenge of an authorization request by GET, required.
///
/// A request without an acceptable one is refused before the handler runs. A host that has to look at client and
/// redirect URI first takes `Result<Challenge, ChallengeRejection>`. Never take `Option<Challenge>`: Actix makes `None`
/// of every refusal, so a malformed challenge would be taken for none; see [`OptionalChallenge`].
///
/// The application's data has a [`Pkce`](crate::Pkce), as `app_data(web::Data::new(pkce))` or `app_data(pkce)`;
/// without it every request is a 500 that says so.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct Challenge(pub RequestedChallenge);

/// The code challenge of an authorization request by GET, or `None` if there is none and the policy leaves that to the
/// host ([`Policy::allow_missing_challenge`]).
///
/// A malformed or unacceptable challenge is refused, never `None`. For `None` the host decides by client: refuse, or
/// [`bind_without_challenge`](crate::Pkce::bind_without_challenge).
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct OptionalChallenge(pub Option<RequestedChallenge>);

impl FromRequest for Challenge {
    type Error = ChallengeRejection;
    type Future = Ready<Result<Self, ChallengeRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let challenge = from_query(request).and_then(|(requested, policy)| Ok(requested.required(policy)?));
        ready(challenge.map(Self))
    }
}

impl FromRequest for OptionalChallenge {
    type Error = ChallengeRejection;
    type Future = Ready<Result<Self, ChallengeRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(from_query(request).map(|(requested, _)| Self(requested.optional())))
    }
}

fn from_query(request: &HttpRequest) -> Result<(Requested, &Policy), ChallengeRejection> {
    let policy = configured::pkce(request)?.policy();
    // What a GET has in its body does not count.
    let requested = authorization::read_query(&facts(request, Body::Complete(&[])), policy)?;
    Ok((requested, policy))
}

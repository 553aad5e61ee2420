//! What handlers take: the challenge of an authorization request, and the clearance of a token request.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use pkce_core::adapter::Body;
use pkce_core::{AuthorizationRequest, PendingChallenge, Pkce};
use serde::de::DeserializeOwned;

use crate::io::{self, LocalFuture, facts};
use crate::rejection::Rejection;

/// The code challenge of an authorization request by GET, required.
///
/// A request without an acceptable challenge is rejected before the handler runs. A host that validates client and
/// redirect URI first takes `Result<Challenge, Rejection>`. Never take `Option<Challenge>`: Actix turns every rejection
/// into `None`, so a malformed challenge would be taken for none; see [`OptionalChallenge`].
///
/// The application has a [`Pkce`] as `app_data(web::Data::new(pkce))`. The nearest one counts: that of the resource before
/// that of a scope, and that before the application's. Without one, or with a bare `app_data(pkce)`, every request is a
/// 500, and an event names the mistake.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct Challenge(pub PendingChallenge);

/// The code challenge of an authorization request by GET, or `None` if there is none and the policy leaves that to the
/// host ([`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge)).
///
/// A malformed or unacceptable challenge is rejected, never `None`. For `None` the host decides by client: it rejects the
/// request, or calls [`bind_without_challenge`](crate::Pkce::bind_without_challenge).
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct OptionalChallenge(pub Option<PendingChallenge>);

/// [`Challenge`] for an authorization request by POST and a pushed one (RFC 9126), with the host's own parameters `T` from
/// the same form body.
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
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct ChallengeForm<T> {
    /// The challenge.
    pub challenge: PendingChallenge,
    /// The host's own parameters.
    pub form: T,
}

/// [`OptionalChallenge`] for an authorization request by POST and a pushed one (RFC 9126), with the host's own parameters
/// `T` from the same form body.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct OptionalChallengeForm<T> {
    /// The challenge, if there is one.
    pub challenge: Option<PendingChallenge>,
    /// The host's own parameters.
    pub form: T,
}

/// The proof that the middleware has judged this token request: [`pkce_core::Clearance`], for the token handler.
///
/// As an extractor it fails with a 500 if the middleware is not mounted: PKCE is never silently absent. Never take
/// `Option<Clearance>` or `Result<Clearance, _>` to issue tokens: they would let the handler run without the middleware.
///
/// A middleware inside finds it in the extensions of the request.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct Clearance(pub pkce_core::Clearance);

impl Deref for Clearance {
    type Target = pkce_core::Clearance;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for Challenge {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let challenge = nearest_pkce(request).and_then(|pkce| Ok(pkce.challenge(from_query(request, pkce))?));
        ready(challenge.map(|(challenge, ())| Self(challenge)))
    }
}

impl FromRequest for OptionalChallenge {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let challenge = nearest_pkce(request).and_then(|pkce| Ok(pkce.optional_challenge(from_query(request, pkce))?));
        ready(challenge.map(|(challenge, ())| Self(challenge)))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for ChallengeForm<T> {
    type Error = Rejection;
    type Future = LocalFuture<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let pkce = nearest_pkce(&request)?;
            let (challenge, form) = pkce.challenge(from_form(&request, payload, pkce).await)?;
            Ok(Self { challenge, form })
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for OptionalChallengeForm<T> {
    type Error = Rejection;
    type Future = LocalFuture<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let pkce = nearest_pkce(&request)?;
            let (challenge, form) = pkce.optional_challenge(from_form(&request, payload, pkce).await)?;
            Ok(Self { challenge, form })
        })
    }
}

impl FromRequest for Clearance {
    type Error = Rejection;
    type Future = Ready<Result<Self, Rejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let clearance = request.extensions().get::<Self>().cloned();
        ready(clearance.ok_or_else(|| pkce_core::Rejection::misconfigured(NOT_MOUNTED).into()))
    }
}

const NOT_MOUNTED: &str = "pkce-actix: TokenEndpoint is not mounted on this route, or this is a CORS preflight";

/// The nearest [`Pkce`] of the application.
///
/// Actix finds the nearest value of one type, and cannot tell which of two types is nearer. A [`Pkce`] in another wrapping
/// is not accepted, because one of an outer scope could take its place.
fn nearest_pkce(request: &HttpRequest) -> Result<&Pkce, Rejection> {
    let is_other = request.app_data::<Pkce>().is_some()
        || request.app_data::<Arc<Pkce>>().is_some()
        || request.app_data::<web::Data<Arc<Pkce>>>().is_some();
    let mistake = match request.app_data::<web::Data<Pkce>>() {
        _ if is_other => OTHER_PKCE,
        Some(pkce) => return Ok(pkce),
        None => NO_PKCE,
    };
    Err(pkce_core::Rejection::misconfigured(mistake).into())
}

const NO_PKCE: &str = "pkce-actix: the application has no Pkce: add it with app_data(web::Data::new(pkce))";
const OTHER_PKCE: &str =
    "pkce-actix: a Pkce is only accepted as app_data(web::Data::new(pkce)), neither bare nor in an Arc";

fn from_query(request: &HttpRequest, pkce: &Pkce) -> AuthorizationRequest {
    // The body of a GET does not count.
    AuthorizationRequest::from_query(&facts(request, Body::Complete(&[])), pkce.policy())
}

async fn from_form<T: DeserializeOwned>(
    request: &HttpRequest,
    mut payload: Payload,
    pkce: &Pkce,
) -> AuthorizationRequest<T> {
    let body = io::read(request, &mut payload, pkce).await;
    AuthorizationRequest::from_form(&facts(request, body.as_body()), pkce.policy())
}

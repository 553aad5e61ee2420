//! What handlers take: the challenge of an authorization request, and the clearance of a token request.

use std::ops::Deref;

use http::Extensions;
#[cfg(feature = "axum")]
use pkce_core::PendingChallenge;

/// The code challenge of an authorization request by GET, required.
///
/// A request without an acceptable challenge is rejected before the handler runs. A host that validates client and
/// redirect URI first takes `Result<Challenge, Rejection>`. `Option<Challenge>` does not compile, because it would take a
/// malformed challenge for none; see [`OptionalChallenge`].
///
/// The state of the router is a [`Pkce`](crate::Pkce), a type from which `FromRef` makes one (`#[derive(FromRef)]`), or an
/// `Arc<T>` where `T: AsRef<Pkce>`:
///
/// ```
/// use std::sync::Arc;
///
/// use axum::{Router, routing::get};
/// use pkce_tower::{Challenge, MemoryStore, Pkce};
///
/// struct AppState {
///     pkce: Pkce,
/// }
///
/// impl AsRef<Pkce> for AppState {
///     fn as_ref(&self) -> &Pkce {
///         &self.pkce
///     }
/// }
///
/// async fn authorize(Challenge(challenge): Challenge) {
///     // … keep the challenge with the pending request, bind it when the code is issued …
/// #   drop(challenge);
/// }
///
/// let state = Arc::new(AppState { pkce: Pkce::new(MemoryStore::new()) });
/// let app: Router = Router::new().route("/authorize", get(authorize)).with_state(state);
/// # let _ = app;
/// ```
#[cfg(feature = "axum")]
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct Challenge(pub PendingChallenge);

/// The code challenge of an authorization request by GET, or `None` if there is none and the policy leaves that to the
/// host ([`Policy::allow_missing_challenge`](crate::Policy::allow_missing_challenge)).
///
/// A malformed or unacceptable challenge is rejected, never `None`. For `None` the host decides by client: it rejects the
/// request, or calls [`bind_without_challenge`](crate::Pkce::bind_without_challenge).
#[cfg(feature = "axum")]
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct OptionalChallenge(pub Option<PendingChallenge>);

/// [`Challenge`] for an authorization request by POST and a pushed one (RFC 9126), with the host's own parameters `T` from
/// the same form body.
#[cfg(feature = "axum")]
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
#[cfg(feature = "axum")]
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct OptionalChallengeForm<T> {
    /// The challenge, if there is one.
    pub challenge: Option<PendingChallenge>,
    /// The host's own parameters.
    pub form: T,
}

/// The proof that the layer has judged this token request: [`pkce_core::Clearance`], for the token handler.
///
/// As an axum extractor it fails with a 500 if the layer is not mounted: PKCE is never silently absent. Take it as it is:
/// `Option<Clearance>` does not compile, and `Result<Clearance, _>` would let a handler run without the layer.
///
/// A test of a handler that takes a clearance goes through the layer, because only the core creates one:
///
/// ```
/// use axum::{Router, routing::post};
/// use pkce_tower::{Clearance, CodeVerifier, MemoryStore, Pkce, TokenEndpointLayer};
/// # use tower::ServiceExt as _;
///
/// async fn token(clearance: Clearance) -> String {
///     clearance.grant::<String>().unwrap_or_default()
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let (pkce, verifier) = (Pkce::new(MemoryStore::new()), CodeVerifier::generate()?);
/// pkce.bind("the-code", verifier.challenge()).grant("alice").await?;
///
/// let app: Router = Router::new().route("/token", post(token).layer(TokenEndpointLayer::new(pkce)));
/// let form = format!("grant_type=authorization_code&code=the-code&code_verifier={}", verifier.as_str());
/// let request = http::Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
/// let response = app.oneshot(request.body(axum::body::Body::from(form))?).await?;
/// assert_eq!(axum::body::to_bytes(response.into_body(), 100).await?, "alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is destructured by its pattern")]
pub struct Clearance(pub pkce_core::Clearance);

impl Clearance {
    /// Returns the clearance of a request that passed the layer, for services without axum.
    pub fn of(extensions: &Extensions) -> Option<&pkce_core::Clearance> {
        extensions.get::<Self>().map(|Self(clearance)| clearance)
    }
}

impl Deref for Clearance {
    type Target = pkce_core::Clearance;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[cfg(feature = "axum")]
mod axum {
    use axum_core::body::Body;
    use axum_core::extract::{FromRef, FromRequest, FromRequestParts};
    use http::Request;
    use http::request::Parts;
    use pkce_core::{AuthorizationRequest, Pkce, adapter};
    use serde::de::DeserializeOwned;

    use super::{Challenge, ChallengeForm, Clearance, OptionalChallenge, OptionalChallengeForm};
    use crate::io::{self, facts};
    use crate::rejection::Rejection;

    impl<S: Sync> FromRequestParts<S> for Challenge
    where
        Pkce: FromRef<S>,
    {
        type Rejection = Rejection;

        async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
            let pkce = Pkce::from_ref(state);
            let (challenge, ()) = pkce.challenge(from_query(parts, &pkce))?;
            Ok(Self(challenge))
        }
    }

    impl<S: Sync> FromRequestParts<S> for OptionalChallenge
    where
        Pkce: FromRef<S>,
    {
        type Rejection = Rejection;

        async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
            let pkce = Pkce::from_ref(state);
            let (challenge, ()) = pkce.optional_challenge(from_query(parts, &pkce))?;
            Ok(Self(challenge))
        }
    }

    impl<S: Sync, T: DeserializeOwned> FromRequest<S> for ChallengeForm<T>
    where
        Pkce: FromRef<S>,
    {
        type Rejection = Rejection;

        async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Rejection> {
            let pkce = Pkce::from_ref(state);
            let (challenge, form) = pkce.challenge(from_form(request, &pkce).await)?;
            Ok(Self { challenge, form })
        }
    }

    impl<S: Sync, T: DeserializeOwned> FromRequest<S> for OptionalChallengeForm<T>
    where
        Pkce: FromRef<S>,
    {
        type Rejection = Rejection;

        async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Rejection> {
            let pkce = Pkce::from_ref(state);
            let (challenge, form) = pkce.optional_challenge(from_form(request, &pkce).await)?;
            Ok(Self { challenge, form })
        }
    }

    impl<S: Sync> FromRequestParts<S> for Clearance {
        type Rejection = Rejection;

        async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
            let clearance = parts.extensions.get::<Self>().cloned();
            clearance.ok_or_else(|| pkce_core::Rejection::misconfigured(NOT_MOUNTED).into())
        }
    }

    const NOT_MOUNTED: &str =
        "pkce-tower: TokenEndpointLayer is not mounted on this route, or this is a CORS preflight";

    fn from_query(parts: &Parts, pkce: &Pkce) -> AuthorizationRequest {
        // The body of a GET does not count.
        AuthorizationRequest::from_query(&facts(parts, adapter::Body::Complete(&[])), pkce.policy())
    }

    async fn from_form<T: DeserializeOwned>(request: Request<Body>, pkce: &Pkce) -> AuthorizationRequest<T> {
        let (parts, body) = request.into_parts();
        let body = io::read(body, pkce).await;
        AuthorizationRequest::from_form(&facts(&parts, body.as_body()), pkce.policy())
    }
}

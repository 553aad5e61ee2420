//! PKCE (RFC 7636) for authorization servers on Actix Web.
//!
//! A few lines in an existing server, and the token handler runs only once the code verifier has matched:
//!
//! ```
//! use actix_web::{App, web};
//! use pkce_actix::{
//!     AuthorizationCode, AuthorizationRedirect, AuthorizationResponse, Challenge, Clearance, MemoryStore, Pkce, Rejection,
//!     TokenEndpoint,
//! };
//!
//! async fn authorize(
//!     pkce: web::Data<Pkce>,
//!     Challenge(challenge): Challenge,
//! ) -> Result<AuthorizationRedirect, Rejection> {
//!     // … your checks of client and redirect URI, login, consent …
//!     let code = AuthorizationCode::generate()?; // or a code of your own
//!     pkce.bind(&code, challenge).await?; // before the code leaves
//!     Ok(AuthorizationResponse::new(&pkce, "https://client.example/cb").code(&code))
//! }
//!
//! async fn token(clearance: Clearance, _form: web::Form<Vec<(String, String)>>) -> String {
//!     // … your check of the client; runs only once the code verifier has matched …
//!     format!("tokens for {:?}", clearance.code())
//! }
//!
//! let pkce = Pkce::new(MemoryStore::new()); // S256 only, challenge required, codes live for 60 seconds
//! let app = App::new()
//!     .app_data(web::Data::new(pkce.clone()))
//!     .route("/authorize", web::get().to(authorize))
//!     .service(web::resource("/token").wrap(TokenEndpoint::new(pkce)).route(web::post().to(token)));
//!
//! # actix_web::rt::System::new().block_on(async {
//! # use actix_web::test::{TestRequest, call_service, init_service};
//! # let app = init_service(app).await;
//! // A client goes through the flow.
//! let verifier = pkce_actix::CodeVerifier::generate()?;
//! let [(_, challenge), (_, method)] = verifier.challenge().authorization_parameters();
//! let uri = format!("/authorize?response_type=code&code_challenge={challenge}&code_challenge_method={method}");
//! let redirect = call_service(&app, TestRequest::get().uri(&uri).to_request()).await;
//! let location = redirect.headers().get("location").unwrap().to_str()?;
//! let code = &location[location.find("code=").unwrap() + 5..];
//!
//! // Whoever has stolen the code alone is rejected. The client is served, once.
//! let grant = format!("grant_type=authorization_code&code={code}");
//! let proven = format!("{grant}&code_verifier={}", verifier.as_str());
//! for (form, status) in [(&grant, 400), (&proven, 200), (&proven, 400)] {
//!     let form_encoded = ("content-type", "application/x-www-form-urlencoded");
//!     let request = TestRequest::post().uri("/token").insert_header(form_encoded).set_payload(form.clone());
//!     assert_eq!(call_service(&app, request.to_request()).await.status(), status);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Make the `Pkce` once, outside of the closure of `HttpServer::new`, and clone it inside: a `MemoryStore` that is made
//! inside belongs to one worker, and codes of the others are unknown to it.
//!
//! # What the middleware does
//!
//! 1. It reads the body up to [`Policy::body_limit`] (16 KiB by default).
//! 2. It passes the request to [`Pkce::judge`], which marks the code redeemed if the verifier matches. The rules are those
//!    of [`pkce_core::adapter::token`]; none is here.
//! 3. A rejected request gets the standard error (RFC 6749 §5.2), and the service inside does not run. The
//!    [`pkce_core::Rejection`] with the exact [`Reason`] is in the extensions of the response, and the reason is in a
//!    `tracing` event.
//! 4. Otherwise the service inside gets the identical bytes and a [`Clearance`].
//! 5. By the status of its response the code stays redeemed or is restored: [`Settle::by_status`]. A [`Settle`] in the
//!    extensions of the response overrides the status. An `Err` of a middleware inside counts by the status of its error,
//!    and is passed on unchanged. If the future is dropped, or the service panics, the code stays redeemed.
//!
//! # Limits
//!
//! | what | limit | why |
//! | --- | --- | --- |
//! | a body in memory | [`Policy::body_limit`], 16 KiB | also for [`ChallengeForm`]; Actix's `FormConfig` does not apply |
//! | what is read and dropped of a larger body | 1 MiB | a client that is still sending sees the response; one that announces more is answered at once |
//! | a call of the store | [`Policy::store_timeout`], 2 seconds | by tokio's timer |
//! | the time for a body | [`Policy::body_timeout`], 30 seconds | a client that sends slowly must not hold a connection; the response is a 408 |
//!
//! # Where to mount it
//!
//! On the token route alone: `web::resource("/token").wrap(…)`, or a scope or an `App` that has no other route. CORS
//! goes outside, so that rejections carry its headers, and so may client authentication. A time-out outside that
//! expires while the host runs leaves the code redeemed. In Actix the `wrap` that comes last is outermost:
//!
//! ```
//! # use actix_web::{App, middleware::DefaultHeaders as Cors, web};
//! # use pkce_actix::{MemoryStore, Pkce, TokenEndpoint};
//! # async fn token(_: pkce_actix::Clearance) -> &'static str { "tokens" }
//! # let pkce = Pkce::new(MemoryStore::new());
//! let token = web::resource("/token")
//!     .wrap(TokenEndpoint::new(pkce)) // inside
//!     .wrap(Cors::new()) // outside
//!     .route(web::post().to(token));
//! # let _ = App::new().service(token);
//! ```
//!
//! # The other middleware
//!
//! * [`Capture`] for the authorization endpoint of a server that issues the code at once: neither extractor nor `bind`.
//! * [`Metadata`] for the server's metadata: `code_challenge_methods_supported` lists what is enforced.
//!
//! # Features
//!
//! * `metrics`: counts the outcomes and times the store, for the recorder of the [`metrics`](https://docs.rs/metrics) crate
//!   that the host has installed: see [`pkce_core`]. Off by default.
//!
//! Stores and their authors find the rest in [`pkce_core::store`], authors of other adapters in [`pkce_core::adapter`].
#![cfg_attr(docsrs, feature(doc_cfg))]

mod capture;
mod extract;
mod io;
mod metadata;
mod rejection;
mod token_endpoint;

pub use pkce_core;
#[cfg(feature = "metrics")]
#[doc(inline)]
pub use pkce_core::describe_metrics;
#[doc(inline)]
pub use pkce_core::{
    AuthorizationCode, AuthorizationRequest, Bind, BindError, ClearanceKind, CodeChallenge, CodeChallengeMethod,
    CodeVerifier, ErrorCode, GrantError, MemoryStore, PendingChallenge, Pkce, PkceBuilder, Policy, RandomError, Reason,
    RedirectUriMatcher, Replay, Reservation, Settle,
};

pub use crate::capture::Capture;
pub use crate::extract::{Challenge, ChallengeForm, Clearance, OptionalChallenge, OptionalChallengeForm};
pub use crate::metadata::Metadata;
pub use crate::rejection::{AuthorizationRedirect, Rejection};
pub use crate::token_endpoint::TokenEndpoint;

/// The response of the authorization endpoint, success or error, to a redirect URI that the host has validated. What
/// [`code`](pkce_core::adapter::ResponseTo::code) and [`error`](pkce_core::adapter::ResponseTo::error) return is a response
/// of Actix Web.
///
/// ```
/// use actix_web::HttpResponse;
/// use pkce_actix::{AuthorizationResponse, ErrorCode, MemoryStore, Pkce};
///
/// let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example").build();
/// let response = AuthorizationResponse::new(&pkce, "https://app.example/cb").state("xyz".to_owned());
/// let denied = HttpResponse::from(response.error(ErrorCode::AccessDenied));
/// assert_eq!(denied.status(), 303);
/// assert_eq!(
///     denied.headers().get("location").unwrap(),
///     "https://app.example/cb?error=access_denied&state=xyz&iss=https%3A%2F%2Fas.example"
/// );
/// ```
pub type AuthorizationResponse = pkce_core::adapter::ResponseTo<AuthorizationRedirect>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

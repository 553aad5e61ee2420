//! PKCE (RFC 7636) for authorization servers on Actix Web.
//!
//! Three lines in an existing server, and the token handler runs only once the code verifier has matched:
//!
//! ```
//! use actix_web::error::ErrorServiceUnavailable;
//! use actix_web::web::{self, Redirect};
//! use actix_web::{App, Result};
//! use pkce_actix::{AuthorizationCode, Challenge, Clearance, MemoryStore, Pkce, TokenEndpoint};
//!
//! async fn authorize(pkce: web::Data<Pkce>, Challenge(challenge): Challenge) -> Result<Redirect> {
//!     // … your checks of client and redirect URI, login, consent …
//!     let code = AuthorizationCode::generate().map_err(ErrorServiceUnavailable)?; // or a code of your own
//!     pkce.bind(&code, challenge).await.map_err(ErrorServiceUnavailable)?; // before the code leaves
//!     Ok(Redirect::to(format!("https://client.example/cb?code={}", code.as_str())).see_other())
//! }
//!
//! async fn token(clearance: Clearance, _form: web::Form<Vec<(String, String)>>) -> &'static str {
//!     // … your check of the client; runs only once the code verifier has matched …
//!     assert!(clearance.is_verified());
//!     "tokens"
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
//! // Who has stolen the code alone is refused; the client is served, once.
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
//! # What the middleware does
//!
//! 1. It reads the body up to [`Policy::body_limit`] (16 KiB by default).
//! 2. It has the core judge the request: [`Pkce::judge`]. The rules are in [`token`]; none is here.
//! 3. Refused: it answers with the standard error (RFC 6749 §5.2), and the service inside does not run. The exact
//!    [`Reason`] stands in the response's extensions and in a `tracing` event.
//! 4. Cleared: the service inside gets the identical octets and a [`Clearance`].
//! 5. By the status of its answer the code stays redeemed or is restored: [`Settle`]. A `Settle` in the extensions of
//!    the answer overrules. An `Err` of a middleware inside counts by the status of its error, and is handed on as it
//!    is; it has no extensions to overrule by. If the future is dropped, or the service panics, the code stays redeemed.
//!
//! # Limits
//!
//! | what | limit | why |
//! | --- | --- | --- |
//! | a body in memory | [`Policy::body_limit`], 16 KiB | also for [`ChallengeForm`]; Actix's `FormConfig` has no say in it |
//! | what is dropped of a larger body | 1 MiB | a client that is still sending gets to see the answer; one that announces more is answered at once |
//! | a call of the store | [`Policy::store_timeout`], 2 seconds | by tokio's timer, lent by [`TokenEndpoint::new`] and by the extractors |
//! | the time for a body | none | it is the server's care, as for every other route |
//!
//! # Where to mount it
//!
//! On the token route alone: `web::resource("/token").wrap(…)`, or a scope or an `App` that has no other route. CORS
//! goes outside, so that refusals carry its headers, and so may client authentication; a time-out outside that
//! strikes while the host runs leaves the code redeemed. In Actix the `wrap` that comes last is outermost:
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
//! For a server in production [`Policy::report_only`] is the way in: it lets pass what clients that do not do PKCE yet
//! will send, and reports it.
//!
//! # The other middleware
//!
//! * [`Capture`] for the authorization endpoint of a server that issues the code at once: neither extractor nor `bind`.
//! * [`Metadata`] for the server's metadata: `code_challenge_methods_supported` says what is enforced.
//!
//! # Extractors
//!
//! * [`Challenge`] and [`OptionalChallenge`] for an authorization request by GET; [`ChallengeForm`] and
//!   [`OptionalChallengeForm`] for one by POST and a pushed one (RFC 9126).
//! * [`Clearance`] in the token handler.
//! * Never `Option<…>` around one of them: Actix makes `None` of every failure.
//! * `Result<Challenge, ChallengeRejection>` for a host that answers refusals itself: [`ChallengeRejection`] shows the
//!   standard error redirect.
//!
//! # Events
//!
//! Beside those of [`pkce_core`] there is one with the target `pkce`, at level error: `outcome` is `misconfigured`, and
//! the message is what the 500 says.
//!
//! # Features
//!
//! * `metrics`: what becomes of the requests is counted, and the store is timed, for the recorder of the
//!   [`metrics`](https://docs.rs/metrics) crate that the host has installed: see [`pkce_core`]. Off by default.
//!
//! Everything of `pkce-core` is re-exported, so one dependency line is enough.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod capture;
mod challenge;
mod challenge_form;
mod challenge_rejection;
mod clearance;
mod configured;
mod facts;
#[expect(hidden_glob_reexports, reason = "the module of pkce-core is for adapters, not for hosts")]
mod metadata;
mod misconfigured;
mod read;
mod render;
mod timer;
mod token_endpoint;
mod token_rejection;

pub use pkce_core;
#[doc(no_inline)]
pub use pkce_core::*;

pub use crate::capture::Capture;
pub use crate::challenge::{Challenge, OptionalChallenge};
pub use crate::challenge_form::{ChallengeForm, OptionalChallengeForm};
pub use crate::challenge_rejection::ChallengeRejection;
pub use crate::clearance::Clearance;
pub use crate::facts::facts;
pub use crate::metadata::Metadata;
pub use crate::timer::TokioTimer;
pub use crate::token_endpoint::TokenEndpoint;
pub use crate::token_rejection::TokenRejection;

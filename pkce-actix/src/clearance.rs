//! The clearance that the middleware leaves for the token handler.

use std::future::{Ready, ready};
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest};

use crate::misconfigured::Misconfigured;

/// The proof that the middleware has judged this token request: [`pkce_core::Clearance`], for the token handler.
///
/// As an extractor it fails with a loud 500 if the middleware is not mounted: PKCE is never silently absent. Never
/// take `Option<Clearance>` to issue tokens: Actix turns that failure into `None`.
///
/// A middleware inside finds it in the request's extensions.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an extractor is taken apart by its pattern")]
pub struct Clearance(pub pkce_core::Clearance);

impl Deref for Clearance {
    type Target = pkce_core::Clearance;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromRequest for Clearance {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let clearance = request.extensions().get::<Self>().cloned();
        ready(clearance.ok_or_else(|| Misconfigured::report(NOT_MOUNTED).into()))
    }
}

const NOT_MOUNTED: &str = "pkce-actix: TokenEndpoint is not mounted on this route, or this is a CORS preflight";

//! The `Pkce` that the extractors judge by.

use actix_web::{HttpRequest, web};
use pkce_core::Pkce;

use crate::misconfigured::Misconfigured;
use crate::timer::TokioTimer;

/// The [`Pkce`] of the application, whether wrapped in `web::Data` or plain.
pub(crate) fn pkce(request: &HttpRequest) -> Result<&Pkce, Misconfigured> {
    let pkce = request.app_data::<web::Data<Pkce>>().map(web::Data::get_ref).or_else(|| request.app_data());
    let pkce = pkce.ok_or_else(|| Misconfigured::report(NO_PKCE))?;
    // The host will bind what is read here, and perhaps no token endpoint of this process has lent one.
    pkce.lend_timer(TokioTimer);
    Ok(pkce)
}

const NO_PKCE: &str = "pkce-actix: the application has no Pkce: add it with app_data(web::Data::new(pkce))";

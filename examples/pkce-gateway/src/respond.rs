//! The gateway's own responses.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, PRAGMA, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::redirect::Redirect;

const NO_STORE: (HeaderName, &str) = (CACHE_CONTROL, "no-store");

/// Returns a page that says what is wrong, with nothing of the request in it.
pub(crate) fn page(status: StatusCode, message: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        NO_STORE,
        (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let head = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>PKCE gateway</title>";
    (status, headers, format!("{head}\n<h1>{message}</h1>\n</html>\n")).into_response()
}

/// Returns 303 See Other (RFC 9700 §4.12) with these cookies.
pub(crate) fn see_other(redirect: Redirect, cookies: &[String]) -> Response {
    let Ok(location) = HeaderValue::try_from(redirect.location()) else {
        return page(StatusCode::INTERNAL_SERVER_ERROR, "The redirect URI cannot be sent.");
    };
    let headers = [NO_STORE, (REFERRER_POLICY, "no-referrer")];
    let response = (StatusCode::SEE_OTHER, [(LOCATION, location)], headers).into_response();
    with_cookies(response, cookies)
}

pub(crate) fn with_cookies(mut response: Response, cookies: &[String]) -> Response {
    for cookie in cookies.iter().filter_map(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Returns JSON that no cache keeps (RFC 6749 §5.1).
pub(crate) fn json(status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), NO_STORE, (PRAGMA, "no-cache")];
    (status, headers, body.into()).into_response()
}

/// Returns an error of RFC 6749 §5.2.
pub(crate) fn error(status: StatusCode, error: &str, description: &str) -> Response {
    json(status, json!({ "error": error, "error_description": description }).to_string())
}

//! Pages, which nobody may frame, keep or be told of.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

pub(crate) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; title { (title) } }
            body { h1 { (title) } (content) }
        }
    };
    (status, headers, page).into_response()
}

/// A request that leads nowhere: what it says is wrong, or nobody knows whether it is right.
pub(crate) fn refused(status: StatusCode, why: &str) -> Response {
    page(status, "Refused", &html! { p { (why) } })
}

//! The immediate host on axum.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{any, get, post};
use http_body::Frame;
use pkce_core::Pkce;
use pkce_tower::{CaptureLayer, Clearance, MetadataLayer, TokenEndpointLayer};

use super::document::{self, Pieces};
use super::{Answered, Issued, authorize};
use crate::server::Server;

pub(super) fn start(pkce: Pkce, issued: Issued) -> Server {
    let host = move |RawQuery(query): RawQuery, body: String| {
        ready(response(authorize(&query.unwrap_or_default(), &body, &issued)))
    };
    let token = post(async |_: Clearance| "tokens").layer(TokenEndpointLayer::new(pkce.clone()));
    let router = Router::new()
        .route("/authorize", any(host.clone()).layer(CaptureLayer::new(pkce.clone())))
        .route("/bare", any(host))
        .route("/token", token)
        .route("/bare-metadata", get(metadata).post(metadata))
        .merge(documents(pkce));
    Server::axum(router)
}

/// The metadata, with the layer around it.
pub fn documents(pkce: Pkce) -> Router {
    Router::new().route("/metadata", get(metadata).post(metadata).layer(MetadataLayer::new(pkce)))
}

fn response(answered: Answered) -> Response {
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() = StatusCode::from_u16(answered.status).unwrap();
    for (name, value) in answered.headers {
        response.headers_mut().append(name, HeaderValue::from_str(&value).unwrap());
    }
    response
}

async fn metadata(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let response = response(document::metadata(query.as_deref(), header));
    match Pieces::asked_for(query.as_deref()) {
        Some(pieces) => response.map(|_| Body::new(pieces)),
        None => response,
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.0.pop_front().map(|piece| piece.map(Frame::data)))
    }
}

//! The immediate host on Actix Web.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::HttpServiceFactory;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Resource};
use pkce_actix::{Capture, Clearance, Metadata, TokenEndpoint};
use pkce_core::Pkce;

use super::document::{self, Pieces};
use super::{Answered, Issued, authorize};
use crate::server::Server;

pub(super) fn start(pkce: Pkce, issued: Issued) -> Server {
    let app = move || {
        let issued = Arc::clone(&issued);
        let host = move |request: HttpRequest, body: String| {
            ready(response(authorize(request.query_string(), &body, &issued)))
        };
        let token = web::resource("/token").wrap(TokenEndpoint::new(pkce.clone()));
        App::new()
            .service(web::resource("/authorize").wrap(Capture::new(pkce.clone())).to(host.clone()))
            .service(web::resource("/bare").to(host))
            .service(token.route(web::post().to(async |_: Clearance| "tokens")))
            .service(documents(pkce.clone()))
            .service(bare("/bare-metadata"))
    };
    Server::actix(|listener| Ok(HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run()))
}

/// The metadata, with the middleware around it.
pub fn documents(pkce: Pkce) -> impl HttpServiceFactory {
    bare("/metadata").wrap(Metadata::new(pkce))
}

fn bare(path: &str) -> Resource {
    web::resource(path).route(web::get().to(metadata)).route(web::post().to(metadata))
}

fn response(answered: Answered) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(answered.status).unwrap());
    for header in answered.headers {
        response.append_header(header);
    }
    response.body(answered.body)
}

async fn metadata(request: HttpRequest) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let query = Some(request.query_string());
    let response = response(document::metadata(query, header));
    match Pieces::asked_for(query) {
        Some(pieces) => response.set_body(pieces).map_into_boxed_body(),
        None => response,
    }
}

impl MessageBody for Pieces {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Poll::Ready(self.0.pop_front())
    }
}

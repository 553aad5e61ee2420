//! The server on Actix Web.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::ErrorBadRequest;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, Form};
use actix_web::{App, Error, HttpResponse, HttpServer};
use pkce_actix::{Clearance, TokenEndpoint};

use super::{ByHand, SameJob, Server, Variant};
use crate::requests::{TOKENS, TokenForm};

/// Connections wait for their first request, and between two, while other servers start and are measured.
const PATIENCE: Duration = Duration::from_mins(10);

pub(super) fn serve(listener: TcpListener, server: Server) {
    _ = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let Server { variant, pkce, by_hand, same_job } = server.clone();
            let token = web::resource("/token");
            App::new().configure(|services| {
                _ = match variant {
                    Variant::Bare => services.service(token.route(web::post().to(bare))),
                    Variant::Buffering => services.service(token.route(web::post().to(bare)).wrap(from_fn(buffer))),
                    Variant::ByHand => {
                        services.service(token.app_data(Data::new(by_hand)).route(web::post().to(self::by_hand)))
                    }
                    Variant::SameJob | Variant::SameJobBound => {
                        services.service(token.app_data(Data::new(same_job)).route(web::post().to(self::same_job)))
                    }
                    Variant::SameJobLayer => services.service(
                        token.app_data(Data::new(same_job)).route(web::post().to(bare)).wrap(from_fn(same_job_layer)),
                    ),
                    Variant::Ours | Variant::OursBound => {
                        services.service(token.route(web::post().to(ours)).wrap(TokenEndpoint::new(pkce)))
                    }
                };
            })
        });
        let server = server.workers(1).keep_alive(PATIENCE).client_request_timeout(PATIENCE);
        server.disable_signals().listen(listener)?.run().await
    });
}

async fn bare(form: Form<TokenForm>) -> HttpResponse {
    tokens(&form)
}

async fn by_hand(codes: Data<ByHand>, form: Form<TokenForm>) -> HttpResponse {
    if codes.check(&form) { tokens(&form) } else { HttpResponse::BadRequest().finish() }
}

async fn same_job(codes: Data<SameJob>, form: Form<TokenForm>) -> HttpResponse {
    if codes.check(&form) { tokens(&form) } else { HttpResponse::BadRequest().finish() }
}

async fn ours(clearance: Clearance, form: Form<TokenForm>) -> HttpResponse {
    if clearance.is_verified() { tokens(&form) } else { HttpResponse::BadRequest().finish() }
}

async fn same_job_layer(
    codes: Data<SameJob>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let octets = request.extract::<Bytes>().await?;
    match serde_urlencoded::from_bytes(&octets) {
        Ok(form) if codes.check(&form) => {
            request.set_payload(Payload::from(octets));
            next.call(request).await
        }
        _ => Err(ErrorBadRequest("")),
    }
}

async fn buffer(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let octets = request.extract::<Bytes>().await?;
    request.set_payload(Payload::from(octets));
    next.call(request).await
}

fn tokens<F>(form: &F) -> HttpResponse {
    std::hint::black_box(form);
    HttpResponse::Ok().content_type("application/json").insert_header((CACHE_CONTROL, "no-store")).body(TOKENS)
}

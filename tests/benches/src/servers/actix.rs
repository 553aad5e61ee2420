//! The server on Actix Web.

use std::net::TcpListener;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Bytes, Data, Form};
use actix_web::{App, Error, HttpResponse, HttpServer};
use pkce_actix::{Clearance, TokenEndpoint};

use super::{ByHand, Codes, Variant};
use crate::requests::{TOKENS, TokenForm};

pub(super) fn serve(listener: TcpListener, codes: Codes) {
    _ = actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let token = web::resource("/token");
            let app = App::new().app_data(Data::new(codes.by_hand.clone())).app_data(Data::new(codes.clone()));
            let app = app.route("/issue", web::post().to(issue));
            app.configure(|services| {
                _ = match codes.variant {
                    Variant::Bare => services.service(token.route(web::post().to(bare))),
                    Variant::Buffering => services.service(token.route(web::post().to(bare)).wrap(from_fn(buffer))),
                    Variant::ByHand => services.service(token.route(web::post().to(by_hand))),
                    Variant::Ours => {
                        let endpoint = TokenEndpoint::new(codes.pkce.clone());
                        services.service(token.route(web::post().to(ours)).wrap(endpoint))
                    }
                };
            })
        });
        server.workers(1).disable_signals().listen(listener)?.run().await
    });
}

async fn issue(codes: Data<Codes>, body: String) -> HttpResponse {
    match codes.issue(&body) {
        Ok(()) => tokens(&()),
        Err(error) => HttpResponse::BadRequest().body(error.to_string()),
    }
}

async fn bare(form: Form<TokenForm>) -> HttpResponse {
    tokens(&form)
}

async fn by_hand(codes: Data<ByHand>, form: Form<TokenForm>) -> HttpResponse {
    if codes.check(&form) { tokens(&form) } else { HttpResponse::BadRequest().finish() }
}

async fn ours(clearance: Clearance, form: Form<TokenForm>) -> HttpResponse {
    if clearance.is_verified() { tokens(&form) } else { HttpResponse::BadRequest().finish() }
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

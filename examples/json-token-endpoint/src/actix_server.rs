//! The server on Actix Web.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Data, Json, Query, Redirect, ServiceConfig};
use actix_web::{Either, HttpRequest, HttpResponse};
use pkce_actix::{Capture, MemoryStore, Pkce, Policy, TokenEndpoint};

use super::records::{AuthorizationRequest, Records, TokenRequest};

/// The server, which all workers share.
#[derive(Debug, Clone)]
pub struct Server {
    records: Data<Records>,
    pkce: Pkce,
}

impl Server {
    /// A server without any codes or tokens.
    pub fn empty() -> Self {
        let policy = Policy::new().accept_json();
        let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
        Self { records: Data::new(Records::default()), pkce }
    }

    /// The routes, for each worker's application.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) {
        let Self { records, pkce } = self.clone();
        move |config| {
            config
                .app_data(records)
                .service(web::resource("/authorize").wrap(Capture::new(pkce.clone())).route(web::get().to(authorize)))
                .service(web::resource("/token").wrap(TokenEndpoint::new(pkce)).route(web::post().to(token)))
                .service(web::resource("/").route(web::get().to(resource)));
        }
    }
}

/// The authorization request of a user who is signed in.
async fn authorize(records: Data<Records>, request: Query<AuthorizationRequest>) -> Either<Redirect, HttpResponse> {
    match records.authorize(&request, "alice") {
        Ok(location) => Either::Left(Redirect::to(location).see_other()),
        Err(refusal) => Either::Right(HttpResponse::BadRequest().json(refusal)),
    }
}

/// The token request, as a JSON object.
async fn token(records: Data<Records>, request: Json<TokenRequest>) -> HttpResponse {
    match records.token(&request) {
        Ok(tokens) => HttpResponse::Ok().json(tokens),
        Err(refusal) => HttpResponse::BadRequest().json(refusal),
    }
}

/// What the tokens are for.
async fn resource(records: Data<Records>, request: HttpRequest) -> HttpResponse {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorization.and_then(|value| records.greet(value)) {
        Some(greeting) => HttpResponse::Ok().body(greeting),
        None => HttpResponse::Unauthorized().finish(),
    }
}

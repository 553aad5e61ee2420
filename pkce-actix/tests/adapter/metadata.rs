//! The metadata middleware, where the suite over both adapters does not look.

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpRequest, HttpResponse, web};
use pkce_actix::Metadata;

use crate::common::{header, pkce, text};

async fn document(request: HttpRequest) -> HttpResponse {
    match header_of(&request, "if-none-match") {
        "*" => HttpResponse::NotModified().finish(),
        _ => HttpResponse::Ok().insert_header(("etag", "\"a\"")).insert_header(("x-host", "1")).body("{}"),
    }
}

fn header_of<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[actix_web::test]
async fn the_metadata_is_in_the_response_to_a_get_alone() {
    const WRITTEN: &str = r#"{"code_challenge_methods_supported":["S256"]}"#;
    let resource = web::resource("/").wrap(Metadata::new(pkce())).to(document);
    let app = init_service(App::new().service(resource)).await;
    for (method, tags, status, body, etag) in [
        ("GET", "", 200, WRITTEN, ""),
        ("GET", "\"a\"", 200, WRITTEN, ""),
        ("GET", "*", 304, "", ""),
        ("HEAD", "", 200, WRITTEN, ""), // the server leaves it out
        ("POST", "", 200, "{}", "\"a\""),
        ("POST", "*", 304, "", ""),
    ] {
        let request = TestRequest::with_uri("/").method(Method::from_bytes(method.as_bytes()).unwrap());
        let response = call_service(&app, request.insert_header(("if-none-match", tags)).to_request()).await;
        assert_eq!((response.status().as_u16(), header(&response, "etag")), (status, etag), "{method} {tags}");
        assert_eq!(header(&response, "x-host"), if status == 200 { "1" } else { "" });
        assert_eq!(header(&response, "content-type"), if body == WRITTEN { "application/json" } else { "" });
        assert_eq!(text(response).await, body, "{method} {tags}");
    }
}

#[actix_web::test]
async fn a_content_type_of_the_hosts_own_stays() {
    let own = web::to(async || HttpResponse::Ok().content_type("application/jrd+json").body("{}"));
    let app = init_service(App::new().service(web::resource("/").wrap(Metadata::new(pkce())).route(own))).await;
    let response = call_service(&app, TestRequest::default().to_request()).await;
    assert_eq!(header(&response, "content-type"), "application/jrd+json");
}

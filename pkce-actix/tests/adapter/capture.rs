//! The capture middleware, where the suite over both adapters does not look: errors, extensions, rendering, time-outs.

use std::future::ready;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Service as _, ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorImATeapot, InternalError};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, Error, HttpResponse, Responder as _, ResponseError as _, web};
use pkce_actix::{AuthorizationResponse, Capture, Pkce, Policy, Reason, pkce_core};

use crate::common::{FORM, Slow, header, pkce, reason, text};

const QUERY: &str = "redirect_uri=https%3A%2F%2Fa.example%2Fcb&state=s\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

async fn issue() -> HttpResponse {
    HttpResponse::SeeOther()
        .append_header(("set-cookie", "a=1"))
        .append_header(("set-cookie", "b=2"))
        .append_header(("x-host", "1"))
        .append_header(("location", "https://a.example/cb?code=c"))
        .body("see there")
}

fn authorize(query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/authorize?{query}"))
}

macro_rules! host {
    ($capture:expr) => {
        init_service(App::new().service(web::resource("/authorize").wrap($capture).to(issue))).await
    };
}

#[actix_web::test]
async fn a_bound_code_leaves_with_the_answer_as_it_was() {
    let pkce = pkce();
    let response = call_service(&host!(Capture::new(pkce.clone())), authorize(QUERY).to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (303, None));
    assert_eq!((header(&response, "location"), header(&response, "x-host")), ("https://a.example/cb?code=c", "1"));
    assert_eq!(text(response).await, "see there");
    assert!(pkce.redeem("c", Some(VERIFIER)).await.is_ok());
}

#[actix_web::test]
async fn a_refused_code_leaves_its_cookies_and_its_reason_behind() {
    let request = authorize(&QUERY.replace("S256", "s256")).to_request();
    let response = call_service(&host!(Capture::new(pkce())), request).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (303, Some(Reason::ChallengeMethod)));
    assert!(response.response().extensions().get::<pkce_core::Rejection>().is_some());
    assert_eq!(response.headers().get_all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
    assert_eq!((header(&response, "x-host"), header(&response, "referrer-policy")), ("", "no-referrer"));
    assert!(text(response).await.is_empty());
}

#[actix_web::test]
async fn a_plain_refusal_is_rendered_by_the_closure_of_the_host() {
    let capture =
        Capture::new(pkce()).render(|rejection| HttpResponse::BadGateway().body(rejection.error().to_string()));
    let request = authorize(&QUERY.replace("a.example", "b.example")).to_request();
    let response = call_service(&host!(capture), request).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (502, Some(Reason::CodeForOtherTarget)));
    assert_eq!(header(&response, "location"), "");
    assert_eq!(text(response).await, "server_error");
}

#[actix_web::test]
async fn a_store_that_hangs_lets_no_code_out_and_is_given_up_in_time() {
    let store = Slow { insert: Duration::from_secs(60), ..Slow::default() };
    let policy = Policy::new().store_timeout(Duration::from_millis(20));
    let pkce = Pkce::builder(store).policy(policy).build();
    let response = call_service(&host!(Capture::new(pkce)), authorize(QUERY).to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (303, Some(Reason::StoreTimedOut)));
    assert!(header(&response, "location").starts_with("https://a.example/cb?error=temporarily_unavailable&"));
}

#[actix_web::test]
async fn the_identical_octets_of_a_post_reach_the_handler() {
    let resource = web::resource("/authorize").wrap(Capture::new(pkce())).to(async |body: web::Bytes| body);
    let app = init_service(App::new().service(resource)).await;
    for body in [&b"a=b&\x00\xff%zz"[..], b""] {
        let request = TestRequest::post().uri("/authorize").insert_header(FORM).set_payload(body).to_request();
        assert_eq!(actix_web::test::call_and_read_body(&app, request).await, body);
    }
    // That of another method is not read, nor a form that says that it is too large.
    let long = vec![b'x'; 100_000];
    for request in [TestRequest::put(), TestRequest::post()] {
        let request = request.uri("/authorize").insert_header(FORM).insert_header(("content-length", "100000"));
        let request = request.set_payload(long.clone()).to_request();
        assert_eq!(actix_web::test::call_and_read_body(&app, request).await, long);
    }
}

#[actix_web::test]
async fn a_redirect_of_the_authorization_endpoint_is_a_response_and_an_error() {
    let redirect = || {
        let reply = AuthorizationResponse::new(&pkce(), "https://a.example/cb").state("s".to_owned());
        reply.code("c")
    };
    let request = TestRequest::default().to_http_request();
    for response in [redirect().into(), redirect().respond_to(&request), redirect().error_response()] {
        let response: HttpResponse = response;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(
            (response.status().as_u16(), header("location")),
            (303, Some("https://a.example/cb?code=c&state=s"))
        );
        assert_eq!((header("cache-control"), header("referrer-policy")), (Some("no-store"), Some("no-referrer")));
    }
    assert_eq!((redirect().status_code().as_u16(), redirect().to_string().as_str()), (303, "a redirect to the client"));
}

/// An error may be made of any response, and one that is has it only once.
#[actix_web::test]
async fn an_error_that_is_a_redirect_is_captured_and_any_other_is_handed_on_whole() {
    let fails = |error: fn() -> Error| {
        let inside = from_fn(move |_: ServiceRequest, _: Next<BoxBody>| ready(Err::<ServiceResponse, Error>(error())));
        web::resource("/authorize").wrap(inside).to(HttpResponse::Ok)
    };
    let redirect = || {
        let response =
            HttpResponse::Found().insert_header(("location", "https://a.example/cb?code=c")).body("see there");
        InternalError::from_response("asked for", response).into()
    };
    let pkce = pkce();
    let app = init_service(App::new().service(fails(redirect).wrap(Capture::new(pkce.clone())))).await;
    let error = app.call(authorize(&QUERY.replace("S256", "s256")).to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::FOUND);
    let location = response.headers().get("location").unwrap().to_str().unwrap();
    assert!(location.starts_with("https://a.example/cb?error=invalid_request&"), "{location}");

    let error = app.call(authorize(QUERY).to_request()).await.unwrap_err();
    assert_eq!(error.error_response().headers().get("location").unwrap(), "https://a.example/cb?code=c");
    assert!(pkce.redeem("c", Some(VERIFIER)).await.is_ok());

    let teapot = fails(|| ErrorImATeapot("short and stout")).wrap(Capture::new(pkce));
    let app = init_service(App::new().service(teapot)).await;
    let error = app.call(authorize(QUERY).to_request()).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.error_response().status().as_u16()), ("short and stout", 418));
}

#[actix_web::test]
async fn mounted_twice_no_code_leaves() {
    let pkce: Pkce = pkce();
    let twice = web::resource("/authorize").wrap(Capture::new(pkce.clone())).wrap(Capture::new(pkce)).to(issue);
    let app = init_service(App::new().service(twice)).await;
    let response = call_service(&app, authorize(QUERY).to_request()).await;
    assert_eq!((response.status().as_u16(), reason(&response)), (303, Some(Reason::CodeAlreadyBound)));
}

//! The layer on Tower without axum: a `ServiceBuilder`, a `service_fn`, `Full<Bytes>`.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use pkce_core::{CodeVerifier, MemoryStore, Pkce, Reason, Rejection, Settle};
use pkce_tests::Result;
use pkce_tower::{Clearance, TokenEndpointLayer};
use tower::{Service, ServiceBuilder, ServiceExt as _, service_fn};

/// Answers with what it was sent, and with the status that its header `status` asks for.
async fn host(request: Request<Full<Bytes>>) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let verified = Clearance::of(&parts.extensions).is_some_and(pkce_core::Clearance::is_verified);
    let asked = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let mut response = Response::new(body);
    *response.status_mut() = match asked("status").and_then(|status| status.parse().ok()) {
        _ if !verified => StatusCode::IM_A_TEAPOT,
        Some(status) => StatusCode::from_u16(status).unwrap(),
        None => StatusCode::OK,
    };
    if asked("settle") == Some("restore") {
        response.extensions_mut().insert(Settle::Restore);
    }
    Ok(response)
}

#[tokio::test]
async fn a_service_without_axum_is_protected_and_gets_the_identical_octets() -> Result<()> {
    let pkce = Pkce::new(MemoryStore::new());
    let mut service = ServiceBuilder::new()
        .concurrency_limit(8)
        .timeout(Duration::from_secs(5))
        .layer(TokenEndpointLayer::new(pkce.clone()))
        .service(service_fn(host));
    let (form, verifier) = bind(&pkce, "a-code").await?;

    let refused = service.ready().await?.call(request(&form, &[])).await?;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(reason(&refused), Some(Reason::VerifierMissing));

    let right = format!("{form}&code_verifier={verifier}&x=%00%ff");
    for headers in [&[("status", "401")][..], &[("status", "500"), ("settle", "restore")]] {
        let answer = service.ready().await?.call(request(&right, headers)).await?;
        assert!(matches!(answer.status().as_u16(), 401 | 500));
    }
    let served = service.ready().await?.call(request(&right, &[])).await?;
    assert_eq!(served.status(), StatusCode::OK);
    assert_eq!(served.into_body().collect().await?.to_bytes(), right);
    let replayed = service.ready().await?.call(request(&right, &[])).await?;
    assert_eq!(reason(&replayed), Some(Reason::CodeReplayed));
    Ok(())
}

#[tokio::test]
async fn of_many_clones_of_a_service_one_serves_the_code() -> Result<()> {
    let pkce = Pkce::new(MemoryStore::new());
    let service = ServiceBuilder::new().layer(TokenEndpointLayer::new(pkce.clone())).service(service_fn(host));
    let (form, verifier) = bind(&pkce, "a-code").await?;
    let right = format!("{form}&code_verifier={verifier}");
    let mut served = 0;
    for call in [(); 20].map(|()| tokio::spawn(service.clone().oneshot(request(&right, &[])))) {
        served += usize::from(call.await??.status() == StatusCode::OK);
    }
    assert_eq!(served, 1);
    Ok(())
}

/// The reason that the layer leaves for the layers outside.
fn reason<B>(response: &Response<B>) -> Option<Reason> {
    response.extensions().get::<Rejection>().map(Rejection::reason)
}

async fn bind(pkce: &Pkce, code: &str) -> Result<(String, String)> {
    let verifier = CodeVerifier::generate()?;
    pkce.bind(code, verifier.challenge()).await?;
    Ok((format!("grant_type=authorization_code&code={code}"), verifier.as_str().to_owned()))
}

fn request(form: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Full::new(Bytes::copy_from_slice(form.as_bytes()))).unwrap()
}

//! The layer around plain Tower services, without axum: what a `Service` owes those outside and those inside.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pkce_tower::{
    AuthorizationCode, AuthorizationRedirect, Clearance, CodeVerifier, MemoryStore, MetadataLayer, Pkce, Reason,
    Rejection, Settle, TokenEndpoint, TokenEndpointLayer, pkce_core,
};
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::map_request_body::MapRequestBodyLayer;

const REFRESH: &[u8] = b"grant_type=refresh_token&refresh_token=r";
const WITHOUT_CODE: &[u8] = b"grant_type=authorization_code";

fn pkce() -> Pkce {
    Pkce::new(MemoryStore::new())
}

fn layer() -> TokenEndpointLayer {
    TokenEndpointLayer::new(pkce())
}

/// Binds a code and returns the form of the token request that redeems it.
async fn authorize(pkce: &Pkce) -> String {
    let (code, verifier) = (AuthorizationCode::generate().unwrap(), CodeVerifier::generate().unwrap());
    pkce.bind(&code, verifier.challenge()).await.unwrap();
    format!("grant_type=authorization_code&code={}&code_verifier={}", code.as_str(), verifier.as_str())
}

fn token_request(form: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    request.body(Full::new(form.into())).unwrap()
}

fn outcome<B>(response: &Response<B>) -> (u16, Option<Reason>) {
    let reason = response.extensions().get::<pkce_core::Rejection>().map(pkce_core::Rejection::reason);
    (response.status().as_u16(), reason)
}

async fn octets<B: Body<Error: Debug>>(response: Response<B>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// A host that answers with what it was sent.
async fn echo<B: Body<Error: Debug>>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    assert!(Clearance::of(request.extensions()).is_some());
    Ok(Response::new(Full::new(request.into_body().collect().await.unwrap().to_bytes())))
}

#[tokio::test]
async fn the_host_runs_only_once_the_verifier_has_matched() {
    let pkce = pkce();
    let service = TokenEndpointLayer::new(pkce.clone()).layer(service_fn(echo::<Full<Bytes>>));
    let form = authorize(&pkce).await;
    let (stolen, _) = form.split_once("&code_verifier").unwrap();
    let send = async |form: &str| service.clone().oneshot(token_request(form.to_owned())).await.unwrap();
    assert_eq!(outcome(&send(stolen).await), (400, Some(Reason::VerifierMissing)));
    assert_eq!(octets(send(&form).await).await, form);
    assert_eq!(outcome(&send(&form).await), (400, Some(Reason::CodeReplayed)));
}

/// Ready for one call, and only the instance that was found ready.
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<Full<Bytes>>> for Strict {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being ready");
        ready(Ok(Response::default()))
    }
}

#[tokio::test]
async fn the_instance_that_was_found_ready_is_called() {
    let mut service = layer().layer(Strict { ready: false });
    for _ in 0..3 {
        let first = service.ready().await.unwrap().call(token_request(REFRESH));
        let second = service.ready().await.unwrap().call(token_request(REFRESH));
        assert_eq!(second.await.unwrap().status(), 200);
        assert_eq!(first.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_refusal_gives_back_the_place_that_the_host_had_reserved() {
    let mut limited =
        ServiceBuilder::new().layer(layer()).layer(ConcurrencyLimitLayer::new(1)).service_fn(echo::<Full<Bytes>>);
    for (form, status) in [(WITHOUT_CODE, 400), (REFRESH, 200), (WITHOUT_CODE, 400), (REFRESH, 200)] {
        let response = limited.ready().await.unwrap().call(token_request(form)).await.unwrap();
        assert_eq!(response.status(), status);
    }
    let mut buffered = ServiceBuilder::new().layer(layer()).layer(BufferLayer::new(1)).service_fn(echo::<Full<Bytes>>);
    for (form, status) in [(WITHOUT_CODE, 400), (REFRESH, 200), (WITHOUT_CODE, 400), (REFRESH, 200)] {
        let response = buffered.ready().await.unwrap().call(token_request(form)).await.unwrap();
        assert_eq!(response.status(), status);
    }
}

#[tokio::test]
async fn a_host_that_is_not_ready_holds_back_those_outside() {
    let mut service =
        ServiceBuilder::new().layer(layer()).layer(ConcurrencyLimitLayer::new(1)).service_fn(echo::<Full<Bytes>>);
    let pending = service.ready().await.unwrap().call(token_request(REFRESH));
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut context).is_pending());
    drop(pending);
    assert!(service.poll_ready(&mut context).is_ready());
}

/// An error that is neither `Send` nor an `Error`, from whichever method.
#[derive(Debug, PartialEq)]
struct Failed(Rc<str>);

#[derive(Clone)]
struct Fails {
    when_ready: bool,
}

impl Service<Request<Full<Bytes>>> for Fails {
    type Response = Response<Full<Bytes>>;
    type Error = Failed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        Poll::Ready(if self.when_ready { Err(Failed("ready".into())) } else { Ok(()) })
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(async { Err(Failed("called".into())) })
    }
}

#[tokio::test]
async fn an_error_of_the_host_is_handed_on_as_it_is() {
    let called = layer().layer(Fails { when_ready: false }).oneshot(token_request(REFRESH)).await;
    assert_eq!(called.unwrap_err(), Failed("called".into()));
    let ready = layer().layer(Fails { when_ready: true }).oneshot(token_request(REFRESH)).await;
    assert_eq!(ready.unwrap_err(), Failed("ready".into()));
}

/// Only moved, never shared: neither the service nor its bodies need be `Sync`.
#[tokio::test]
async fn what_is_inside_need_not_be_sync() {
    let not_sync = std::cell::Cell::new(());
    let host = service_fn(move |request: Request<Full<Bytes>>| {
        not_sync.set(());
        async { Ok::<_, Infallible>(Response::new(axum::body::Body::new(request.into_body()))) }
    });
    let response = tokio::spawn(layer().layer(host).oneshot(token_request(REFRESH))).await.unwrap().unwrap();
    assert_eq!(octets(response).await, REFRESH);
}

#[tokio::test]
async fn the_answer_of_the_host_is_handed_on_with_its_trailers_and_extensions() {
    #[derive(Clone, Debug, PartialEq)]
    struct Own;
    let trailers = HeaderMap::from_iter([("x-checksum".parse().unwrap(), "1".parse().unwrap())]);
    let sent = trailers.clone();
    let host = service_fn(move |_: Request<Full<Bytes>>| {
        let trailers = sent.clone();
        let body = Full::new(Bytes::from_static(b"tokens")).with_trailers(async { Some(Ok(trailers)) });
        let body = axum::body::Body::new(body);
        let response = Response::builder().status(203).header("dpop-nonce", "n").extension(Own).extension(Settle::Keep);
        ready(Ok::<_, Infallible>(response.body(body).unwrap()))
    });
    let response = layer().layer(host).oneshot(token_request(REFRESH)).await.unwrap();
    assert_eq!(outcome(&response), (203, None));
    assert_eq!(response.headers()["dpop-nonce"], "n");
    assert_eq!(response.extensions().get(), Some(&Own));
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers(), Some(&trailers));
    assert_eq!(body.to_bytes(), "tokens");
}

#[tokio::test]
async fn a_body_says_how_long_it_is_and_when_it_has_ended() {
    let host = layer().layer(service_fn(echo::<Full<Bytes>>));
    let refusal = pkce_core::Rejection::from(Reason::CodeMissing).body();
    for (form, length) in [(REFRESH, REFRESH.len() as u64), (WITHOUT_CODE, refusal.len() as u64)] {
        let mut body = host.clone().oneshot(token_request(form)).await.unwrap().into_body();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(length), false));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len() as u64, length);
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
        assert!(body.frame().await.is_none());
    }
}

/// A request body for a host on hyper: hyper's own, or what the layer has read of it.
struct HostBody(Either<Incoming, Full<Bytes>>);

impl From<Incoming> for HostBody {
    fn from(body: Incoming) -> Self {
        Self(Either::Left(body))
    }
}

impl From<Bytes> for HostBody {
    fn from(body: Bytes) -> Self {
        Self(Either::Right(Full::new(body)))
    }
}

impl Body for HostBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[tokio::test]
async fn a_server_on_hyper_maps_the_body_outside() {
    let pkce = pkce();
    let service = ServiceBuilder::new()
        .layer(MapRequestBodyLayer::new(HostBody::from))
        .layer(TokenEndpointLayer::new(pkce.clone()))
        .service_fn(echo::<HostBody>);
    let (near, far) = tokio::io::duplex(1024);
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(far), TowerToHyperService::new(service));
    tokio::spawn(serving);
    let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);

    let form = authorize(&pkce).await;
    for status in [200, 400] {
        let response = client.send_request(token_request(form.clone())).await.unwrap();
        assert_eq!(response.status(), status);
        octets(response).await;
    }
    let long = [REFRESH, &[b'x'; 16 * 1024]].concat();
    assert_eq!(client.send_request(token_request(long)).await.unwrap().status(), 413);
}

#[test]
fn the_types_can_be_shared_moved_and_shown() {
    #[derive(Clone, Debug)]
    struct Host;
    fn shared<T: Clone + Debug + Send + Sync + Unpin + 'static>() {}
    shared::<TokenEndpointLayer>();
    shared::<TokenEndpoint<Host>>();
    shared::<Clearance>();
    shared::<Pkce>();
    shared::<Rejection>();
    shared::<AuthorizationRedirect>();

    let service = layer().layer(service_fn(echo::<Full<Bytes>>));
    _ = BoxCloneSyncService::new(service);
}

#[test]
fn it_can_be_put_together_outside_a_runtime() {
    let shown = format!("{:?}", layer().layer(()));
    assert!(shown.starts_with("TokenEndpoint { inner: (), layer: TokenEndpointLayer { pkce: Pkce {"), "{shown}");
    assert!(shown.contains("Renderer(standard)"), "{shown}");
}

/// Nothing in it gets in the way of a name that everybody has: not even of `core`.
#[test]
fn all_of_it_can_be_imported_at_once() {
    use core::mem::size_of_val;

    use pkce_tower::*;

    assert!(size_of_val(&Policy::new()) > 0);
}

#[tokio::test]
async fn the_metadata_is_in_the_response_to_a_get_alone_and_the_service_that_is_called_was_ready() {
    const WRITTEN: &str = r#"{"code_challenge_methods_supported":["S256"]}"#;
    for (method, body) in [("GET", WRITTEN), ("HEAD", ""), ("POST", "{}"), ("get", "{}")] {
        let host = ServiceBuilder::new()
            .layer(MetadataLayer::new(pkce()))
            .layer(BufferLayer::<Request<Full<Bytes>>>::new(1))
            .service_fn(async |_: Request<Full<Bytes>>| Ok::<_, Infallible>(Response::new(Full::from("{}"))));
        let request = Request::builder().method(method).body(Full::default()).unwrap();
        assert_eq!(octets(host.oneshot(request).await.unwrap()).await, body, "{method}");
    }
}

#[tokio::test]
async fn a_head_for_the_metadata_has_the_length_of_the_document_and_a_304_has_none() {
    let host = service_fn(async |request: Request<Full<Bytes>>| {
        let status = if request.headers().contains_key("if-none-match") { 304 } else { 200 };
        Ok::<_, Infallible>(Response::builder().status(status).body(Full::from("{}")).unwrap())
    });
    for (tags, status, length) in [("\"a\"", 200, Some("45")), ("*", 304, None)] {
        let request = Request::head("/").header("if-none-match", tags).body(Full::default()).unwrap();
        let response = MetadataLayer::new(pkce()).layer(host).oneshot(request).await.unwrap();
        let said = response.headers().get("content-length").map(|length| length.to_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), said.as_deref()), (status, length), "{tags}");
    }
}

//! What only a connection shows: hyper's own body, bodies in pieces or broken off, clients that go away.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use pkce_tower::{Clearance, Reason, TokenEndpointLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::{Service, ServiceBuilder};
use tower_http::map_request_body::MapRequestBodyLayer;

use crate::common::{REFRESH, authorize, frames, pkce, token_request};

const HEAD: &str = "POST /token HTTP/1.1\r\nhost: as.example\r\ncontent-type: application/x-www-form-urlencoded\r\n";
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers with whether there is a clearance, and with the body.
async fn echo(request: Request<Body>) -> Result<Response<Full<Bytes>>, Infallible> {
    let cleared: &[u8] = if Clearance::of(request.extensions()).is_some() { b"cleared:" } else { b"passed:" };
    let body = request.into_body().collect().await.unwrap().to_bytes();
    Ok(Response::new(Full::from([cleared, &body].concat())))
}

macro_rules! endpoint {
    ($pkce:expr, $token:expr) => {
        ServiceBuilder::new()
            .layer(MapRequestBodyLayer::new(|body: Incoming| Body::new(body)))
            .layer(TokenEndpointLayer::new($pkce))
            .service_fn($token)
    };
}

/// Serves this service by hyper alone, until the test ends.
async fn serve<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            let serving =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            tokio::spawn(serving);
        }
    });
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(address).await.unwrap();
    connection.set_nodelay(true).unwrap();
    connection
}

async fn write(connection: &mut TcpStream, octets: impl AsRef<[u8]>) {
    connection.write_all(octets.as_ref()).await.unwrap();
}

/// Reads until the answer ends with this.
async fn read_until(connection: &mut TcpStream, end: impl AsRef<[u8]>) -> Vec<u8> {
    let mut answer = Vec::new();
    let ends = async {
        while !answer.ends_with(end.as_ref()) {
            match connection.read_u8().await {
                Ok(octet) => answer.push(octet),
                Err(_) => break,
            }
        }
    };
    _ = timeout(PATIENCE, ends).await;
    assert!(answer.ends_with(end.as_ref()), "{}", String::from_utf8_lossy(&answer));
    answer
}

fn starts_with(answer: &[u8], status: &str) -> bool {
    answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes())
}

#[tokio::test]
async fn a_body_in_many_pieces_reaches_the_handler_as_it_was() {
    let mut connection = connect(serve(endpoint!(pkce(), echo)).await).await;
    let body = [REFRESH, b"&x=\xff%0D%0A", &[b'x'; 4000]].concat();
    write(&mut connection, format!("{HEAD}transfer-encoding: chunked\r\n\r\n")).await;
    for chunk in body.chunks(977) {
        write(&mut connection, format!("{:x}\r\n", chunk.len())).await;
        write(&mut connection, chunk).await;
        write(&mut connection, "\r\n").await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    write(&mut connection, "0\r\n\r\n").await;
    let answer = read_until(&mut connection, [b"cleared:", &body[..]].concat()).await;
    assert!(starts_with(&answer, "200"));
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_is_given_it() {
    let pkce = pkce();
    let form = authorize(&pkce).await;
    let mut connection = connect(serve(endpoint!(pkce, echo)).await).await;
    let head = format!("{HEAD}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", form.len());
    write(&mut connection, head).await;
    assert!(starts_with(&read_until(&mut connection, "\r\n\r\n").await, "100"));
    write(&mut connection, &form).await;
    read_until(&mut connection, format!("cleared:{form}")).await;
}

#[tokio::test]
async fn the_clearance_of_one_request_is_not_that_of_the_next() {
    let pkce = pkce();
    let form = authorize(&pkce).await;
    let mut connection = connect(serve(endpoint!(pkce, echo)).await).await;
    write(&mut connection, format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len())).await;
    read_until(&mut connection, format!("cleared:{form}")).await;
    write(&mut connection, "OPTIONS /token HTTP/1.1\r\nhost: as.example\r\n\r\n").await;
    read_until(&mut connection, "passed:").await;
}

#[tokio::test]
async fn a_body_that_breaks_off_never_reaches_the_handler() {
    let pkce = pkce();
    let form = authorize(&pkce).await;
    let address = serve(endpoint!(pkce, echo)).await;
    let mut connection = connect(address).await;
    write(&mut connection, format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len() + 1)).await;
    connection.shutdown().await.unwrap();
    let mut answer = Vec::new();
    _ = timeout(PATIENCE, connection.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty() || starts_with(&answer, "400"), "{}", String::from_utf8_lossy(&answer));

    // The code is live.
    let mut connection = connect(address).await;
    write(&mut connection, format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len())).await;
    read_until(&mut connection, format!("cleared:{form}")).await;
}

#[tokio::test]
async fn a_client_that_goes_away_while_the_handler_runs_leaves_the_code_redeemed() {
    struct Dropped(Arc<Notify>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let pkce = pkce();
    let form = authorize(&pkce).await;
    let (runs, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (running, dropping) = (Arc::clone(&runs), Arc::clone(&dropped));
    let token = move |_: Request<Body>| {
        let (running, dropping) = (Arc::clone(&running), Dropped(Arc::clone(&dropping)));
        async move {
            let _dropping = dropping;
            running.notify_one();
            std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
        }
    };
    let mut connection = connect(serve(endpoint!(pkce.clone(), token)).await).await;
    write(&mut connection, format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len())).await;
    timeout(PATIENCE, runs.notified()).await.unwrap();
    drop(connection);
    timeout(PATIENCE, dropped.notified()).await.unwrap();

    let (_, code) = form.split_once("&code=").unwrap();
    let (code, verifier) = code.split_once("&code_verifier=").unwrap();
    assert_eq!(pkce.redeem(code, Some(verifier)).await.unwrap_err().reason(), Reason::CodeReplayed);
}

#[tokio::test]
async fn a_client_that_is_still_sending_gets_its_413() {
    let mut connection = connect(serve(endpoint!(pkce(), echo)).await).await;
    let length = 512 * 1024;
    write(&mut connection, format!("{HEAD}content-length: {length}\r\n\r\n")).await;
    for _ in 0..length / 1024 {
        write(&mut connection, [b'x'; 1024]).await;
    }
    assert!(starts_with(&read_until(&mut connection, "the body is too large\"}").await, "413"));
    // It was read to its end, so the connection goes on.
    write(&mut connection, "OPTIONS /token HTTP/1.1\r\nhost: as.example\r\n\r\n").await;
    read_until(&mut connection, "passed:").await;
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_waited_for() {
    let mut connection = connect(serve(endpoint!(pkce(), echo)).await).await;
    write(&mut connection, format!("{HEAD}content-length: {}\r\n\r\n", 64 * 1024 * 1024)).await;
    assert!(starts_with(&read_until(&mut connection, "the body is too large\"}").await, "413"));
}

#[tokio::test]
async fn the_answer_to_a_head_request_has_no_body() {
    let mut connection = connect(serve(endpoint!(pkce(), echo)).await).await;
    write(&mut connection, "HEAD /token HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n\r\n").await;
    let answer = read_until(&mut connection, "\r\n\r\n").await;
    assert!(starts_with(&answer, "405"));
    let mut rest = Vec::new();
    timeout(PATIENCE, connection.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn it_speaks_http_2() {
    let pkce = pkce();
    let form = authorize(&pkce).await;
    let (near, far) = tokio::io::duplex(64 * 1024);
    let service = TowerToHyperService::new(endpoint!(pkce, echo));
    let serving =
        hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(far), service);
    tokio::spawn(serving);
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);

    let pieces = form.as_bytes().chunks(20).map(|piece| Frame::data(Bytes::copy_from_slice(piece)));
    let trailers = HeaderMap::from_iter([("x-checksum".parse().unwrap(), "1".parse().unwrap())]);
    let mut request = token_request(Body::new(frames(pieces.chain([Frame::trailers(trailers)]))));
    *request.uri_mut() = "https://as.example/token".parse().unwrap();
    let answer = timeout(PATIENCE, client.send_request(request)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), format!("cleared:{form}"));

    // A refusal that comes before the body has ended resets the stream, not the connection.
    let mut request = token_request(Body::new(frames([]).never_ending()));
    *request.uri_mut() = "https://as.example/token".parse().unwrap();
    let answer = timeout(PATIENCE, client.send_request(request)).await.unwrap().unwrap();
    assert_eq!(answer.status(), 413);
    let mut request = token_request(REFRESH);
    *request.uri_mut() = "https://as.example/token".parse().unwrap();
    assert_eq!(timeout(PATIENCE, client.send_request(request)).await.unwrap().unwrap().status(), 200);
}

//! What only a connection shows: hyper's own body, bodies in pieces or broken off, clients that go away.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use pkce_tower::{Clearance, TokenEndpointLayer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
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

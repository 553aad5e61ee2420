//! What only a connection shows: bodies in pieces, bodies that break off, clients that are still sending.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use actix_web::rt::System;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer};
use pkce_actix::{Clearance, Pkce, TokenEndpoint};

use crate::common::{REFRESH, authorize, pkce};

const HEAD: &str = "POST /token HTTP/1.1\r\nhost: as.example\r\ncontent-type: application/x-www-form-urlencoded\r\n";

/// Serves a token endpoint that answers with whether there is a clearance, and with the body. Until the tests end.
fn serve(pkce: Pkce) -> SocketAddr {
    async fn token(request: HttpRequest, body: Bytes) -> HttpResponse {
        let cleared = if request.extensions().contains::<Clearance>() { "cleared:" } else { "passed:" };
        HttpResponse::Ok().body([cleared.as_bytes(), &body].concat())
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let endpoint = TokenEndpoint::new(pkce);
        let app = move || App::new().service(web::resource("/token").wrap(endpoint.clone()).to(token));
        System::new().block_on(HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run())
    });
    address
}

fn connect(address: SocketAddr) -> TcpStream {
    let connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    connection.set_nodelay(true).unwrap();
    connection
}

/// Reads until the answer ends with this.
fn read_until(connection: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut octet = [0];
    while !answer.ends_with(end) && connection.read(&mut octet).unwrap() == 1 {
        answer.push(octet[0]);
    }
    assert!(answer.ends_with(end), "{}", String::from_utf8_lossy(&answer));
    answer
}

fn starts_with(answer: &[u8], status: &str) -> bool {
    answer.starts_with(format!("HTTP/1.1 {status} ").as_bytes())
}

#[test]
fn a_body_in_many_pieces_reaches_the_handler_as_it_was() {
    let mut connection = connect(serve(pkce()));
    let body = [REFRESH, b"&x=\xff%0D%0A", &[b'x'; 4000]].concat();
    connection.write_all(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes()).unwrap();
    for chunk in body.chunks(977) {
        connection.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).unwrap();
        connection.write_all(chunk).unwrap();
        connection.write_all(b"\r\n").unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    connection.write_all(b"0\r\n\r\n").unwrap();
    let answer = read_until(&mut connection, &[b"cleared:", &body[..]].concat());
    assert!(starts_with(&answer, "200"));
}

#[test]
fn the_clearance_of_one_request_is_not_that_of_the_next() {
    let pkce = pkce();
    let form = System::new().block_on(authorize(&pkce));
    let mut connection = connect(serve(pkce));
    connection.write_all(format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len()).as_bytes()).unwrap();
    read_until(&mut connection, format!("cleared:{form}").as_bytes());
    connection.write_all(b"OPTIONS /token HTTP/1.1\r\nhost: as.example\r\n\r\n").unwrap();
    read_until(&mut connection, b"passed:");
}

#[test]
fn a_body_that_breaks_off_never_reaches_the_handler() {
    let pkce = pkce();
    let form = System::new().block_on(authorize(&pkce));
    let address = serve(pkce);
    let mut connection = connect(address);
    connection.write_all(format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len() + 1).as_bytes()).unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    _ = connection.read_to_end(&mut answer);
    assert!(answer.is_empty() || starts_with(&answer, "400"), "{}", String::from_utf8_lossy(&answer));

    // The code is live.
    let mut connection = connect(address);
    connection.write_all(format!("{HEAD}content-length: {}\r\n\r\n{form}", form.len()).as_bytes()).unwrap();
    read_until(&mut connection, format!("cleared:{form}").as_bytes());
}

#[test]
fn a_client_that_is_still_sending_gets_its_413() {
    let mut connection = connect(serve(pkce()));
    let length = 512 * 1024;
    connection.write_all(format!("{HEAD}content-length: {length}\r\n\r\n").as_bytes()).unwrap();
    for _ in 0..length / 1024 {
        connection.write_all(&[b'x'; 1024]).unwrap();
    }
    assert!(starts_with(&read_until(&mut connection, b"the body is too large\"}"), "413"));
    // It was read to its end, so the connection goes on.
    connection.write_all(b"OPTIONS /token HTTP/1.1\r\nhost: as.example\r\n\r\n").unwrap();
    read_until(&mut connection, b"passed:");
}

#[test]
fn a_body_that_announces_too_much_is_not_waited_for() {
    let mut connection = connect(serve(pkce()));
    connection.write_all(format!("{HEAD}content-length: {}\r\n\r\n", 64 * 1024 * 1024).as_bytes()).unwrap();
    assert!(starts_with(&read_until(&mut connection, b"the body is too large\"}"), "413"));
}

#[test]
fn a_slow_body_is_given_up() {
    let policy = pkce_actix::Policy::new().body_timeout(Some(Duration::from_millis(200)));
    let mut connection = connect(serve(Pkce::builder(pkce_actix::MemoryStore::new()).policy(policy).build()));
    connection.write_all(format!("{HEAD}content-length: 100\r\n\r\ng").as_bytes()).unwrap();
    let answer = read_until(&mut connection, b"in time\"}");
    assert!(starts_with(&answer, "408"));
}

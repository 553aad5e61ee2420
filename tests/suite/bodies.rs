//! The handler gets the identical octets (rule C18), however they came over the wire.

use std::time::Duration;

use pkce_core::{MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Answer, Behaviour, Bound, Connection, Double, Mount, Result, on_both_servers};

on_both_servers! {
    the_handler_gets_the_identical_octets(own),
    chunks_are_put_together(own),
    a_body_of_exactly_16_kib_passes_and_one_octet_more_does_not(own),
    a_body_that_breaks_off_is_no_redemption(own),
    a_body_of_many_mebibytes_is_not_read_to_its_end(own),
    a_client_that_is_still_sending_gets_its_413(own),
    a_slow_body_is_given_up(own),
    a_preflight_has_no_clearance_and_no_body(own),
    the_form_extractor_of_the_host_reads_what_was_judged(own),
}

async fn the_handler_gets_the_identical_octets(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    for odd in [&b"&x=%00%ff%zz+%2B&&=&"[..], b"&\xff\xfe\x80= ", "&é=€𝄞".as_bytes(), b"&co%64=x&y;z", b"&&&&", b""]
    {
        let bound = double.bind().await?;
        let mut body =
            bound.token_request(Behaviour::Echo).replace('_', "%5F").replace("%5Fcode", "_code").into_bytes();
        body.extend(odd);
        let answer = post(&double, &body).await?;
        assert_eq!((answer.status, answer.header("x-clearance")), (200, Some("verified")));
        assert_eq!(answer.body, body);
    }
    // Every byte but the control characters, which no form has (C4b).
    let bound = double.bind().await?;
    let body = [
        bound.token_request(Behaviour::Echo).as_bytes(),
        b"&x=",
        &(0x20..=255).filter(|byte| *byte != 0x7f).collect::<Vec<u8>>(),
    ]
    .concat();
    assert_eq!(post(&double, &body).await?.body, body);
    Ok(())
}

async fn chunks_are_put_together(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    for size in [1, 2, 7, 64, 100_000] {
        let bound = double.bind().await?;
        let body = [bound.token_request(Behaviour::Echo).as_bytes(), b"&x=\xff%00"].concat();
        let mut connection = Connection::open(double.server.wire).await?;
        connection.send(&[HEAD, b"transfer-encoding: chunked\r\n\r\n"].concat()).await?;
        for chunk in body.chunks(size) {
            connection.send(&[format!("{:X};x=y\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await?;
        }
        connection.send(b"0\r\n\r\n").await?;
        let answer = connection.answer("POST").await?;
        assert_eq!((answer.status, &answer.body), (200, &body), "chunks of {size}");
    }
    Ok(())
}

/// C5.
async fn a_body_of_exactly_16_kib_passes_and_one_octet_more_does_not(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let bound = double.bind().await?;
    let padded = |bound: &Bound, octets: usize| {
        let mut body = [bound.token_request(Behaviour::Echo).as_bytes(), b"&x="].concat();
        body.resize(octets, 0xff);
        body
    };
    let answer = post(&double, &padded(&bound, 16 * 1024 + 1)).await?;
    assert_eq!((answer.status, double.runs()), (413, 0));
    let body = padded(&bound, 16 * 1024);
    let answer = post(&double, &body).await?;
    assert_eq!((answer.status, &answer.body), (200, &body));
    Ok(())
}

/// C4: it has everything in it that a redemption needs, and announces more.
async fn a_body_that_breaks_off_is_no_redemption(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let bound = double.bind().await?;
    let body = bound.token_request(Behaviour::Echo);
    for framing in [
        format!("content-length: {}\r\n\r\n{body}", body.len() + 1),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\nnonsense\r\n\r\n", body.len()),
    ] {
        let mut connection = Connection::open(double.server.wire).await?;
        connection.send(&[HEAD, framing.as_bytes()].concat()).await?;
        connection.finish().await?;
        // It is refused, if it is answered at all.
        let answer = connection.answer("POST").await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 400), "{framing}");
        assert_eq!(double.runs(), 0, "{framing}");
    }
    assert!(double.is_live(&bound).await?);
    Ok(())
}

async fn a_body_of_many_mebibytes_is_not_read_to_its_end(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let bound = double.bind().await?;
    let start = bound.token_request(Behaviour::Echo);
    let mut connection = Connection::open(double.server.wire).await?;
    let head = format!("content-length: {}\r\n\r\n{start}&x=", 1_u64 << 40);
    connection.send(&[HEAD, head.as_bytes()].concat()).await?;
    assert_eq!((connection.answer("POST").await?.status, double.runs()), (413, 0));
    assert!(double.is_live(&bound).await?);
    Ok(())
}

/// C5. The body was read to its end, so the connection can be used again.
async fn a_client_that_is_still_sending_gets_its_413(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let mut connection = Connection::open(double.server.wire).await?;
    let length = 512 * 1024;
    connection.send(&[HEAD, format!("content-length: {length}\r\n\r\n").as_bytes()].concat()).await?;
    for _ in 0..length / 1024 {
        connection.send(&[b'x'; 1024]).await?;
    }
    assert_eq!((connection.answer("POST").await?.status, double.runs()), (413, 0));
    connection.send(b"OPTIONS /token HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    assert_eq!(connection.answer("OPTIONS").await?.status, 200);
    Ok(())
}

async fn a_slow_body_is_given_up(adapter: Adapter) -> Result<()> {
    let policy = Policy::new().body_timeout(Some(Duration::from_millis(200)));
    let double = Double::start(adapter, Mount::Layer, Pkce::builder(MemoryStore::new()).policy(policy).build());
    let mut connection = Connection::open(double.server.wire).await?;
    connection.send(&[HEAD, b"content-length: 100\r\n\r\ng"].concat()).await?;
    let answer = connection.answer("POST").await?;
    assert_eq!((answer.status, answer.header("x-reason"), double.runs()), (408, Some("body_timed_out"), 0));
    Ok(())
}

/// C1, also after a request on the same connection that has a clearance.
async fn a_preflight_has_no_clearance_and_no_body(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let body = double.bind().await?.token_request(Behaviour::Echo);
    let mut connection = Connection::open(double.server.wire).await?;
    let head = format!("content-length: {}\r\n\r\n{body}", body.len());
    connection.send(&[HEAD, head.as_bytes()].concat()).await?;
    let answer = connection.answer("POST").await?;
    assert_eq!((answer.header("x-clearance"), answer.header("x-inside")), (Some("verified"), Some("verified")));
    connection.send(b"OPTIONS /token HTTP/1.1\r\nhost: x\r\n\r\n").await?;
    let answer = connection.answer("OPTIONS").await?;
    assert_eq!((answer.header("x-clearance"), answer.header("x-inside")), (Some("none"), Some("none")));
    assert_eq!((answer.status, answer.text().as_str(), double.runs()), (200, "", 1));
    Ok(())
}

async fn the_form_extractor_of_the_host_reads_what_was_judged(adapter: Adapter) -> Result<()> {
    let double = double(adapter);
    let said = double.server.wire.post_form("/form", "grant_type=refresh_token&refresh_token=%C3%A9+r").await?;
    assert_eq!(said.body, r#"[("grant_type", "refresh_token"), ("refresh_token", "é r")]"#);
    let stolen = double.server.wire.post_form("/form", "grant_type=authorization_code&code=c").await?;
    assert_eq!((stolen.status, stolen.header("x-reason")), (400, Some("verifier_missing")));
    Ok(())
}

const HEAD: &[u8] = b"POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";

fn double(adapter: Adapter) -> Double {
    Double::start(adapter, Mount::Layer, Pkce::new(MemoryStore::new()))
}

async fn post(double: &Double, body: &[u8]) -> Result<Answer> {
    let mut connection = Connection::open(double.server.wire).await?;
    let length = format!("content-length: {}\r\n\r\n", body.len());
    connection.send(&[HEAD, length.as_bytes(), body].concat()).await?;
    Ok(connection.answer("POST").await?)
}

//! Clients whose id is the URL of their metadata.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use mcp_server_example::http_client;
use reqwest::Certificate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};

use crate::client::{Tokens, changed, redeem, request};
use crate::site::Site;
use crate::user::User;
use crate::{CALLBACK, Result, tls};

const ID: &str = "https://client.example/client.json";

/// The web server of the client.
#[derive(Clone)]
struct Publisher {
    document: Arc<Mutex<Document>>,
    fetched: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
    certificate: Certificate,
}

struct Document {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

/// Every name is at one address.
struct At(SocketAddr);

impl Resolve for At {
    fn resolve(&self, _: Name) -> Resolving {
        let address = self.0;
        Box::pin(async move { Ok(Box::new([address].into_iter()) as Addrs) })
    }
}

impl Publisher {
    async fn start() -> Result<Self> {
        let fetched = Arc::<Mutex<Vec<String>>>::default();
        let document = Arc::new(Mutex::new(right()));
        let app = Router::new().fallback(serve).with_state((Arc::clone(&document), Arc::clone(&fetched)));
        let (address, certificate) = tls::serve("client.example", app).await?;
        Ok(Self { document, fetched, address, certificate })
    }

    /// The example, for which the publisher is on the internet.
    async fn site(&self) -> Result<Site> {
        let http = http_client(At(self.address)).add_root_certificate(self.certificate.clone()).build()?;
        Site::with(None, http).await
    }

    fn publish(&self, document: Document) {
        *self.document.lock().unwrap() = document;
    }

    fn fetched(&self) -> usize {
        self.fetched.lock().unwrap().len()
    }
}

type Served = (Arc<Mutex<Document>>, Arc<Mutex<Vec<String>>>);

async fn serve(State((document, fetched)): State<Served>, uri: Uri) -> Response {
    fetched.lock().unwrap().push(uri.to_string());
    let document = document.lock().unwrap();
    let mut response =
        (StatusCode::from_u16(document.status).unwrap(), Body::from(document.body.clone())).into_response();
    for (name, value) in &document.headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn metadata() -> Value {
    json!({ "client_id": ID, "client_name": "The client", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" })
}

fn right() -> Document {
    of(&metadata())
}

fn of(metadata: &Value) -> Document {
    Document { status: 200, headers: vec![("content-type", "application/json")], body: metadata.to_string().into() }
}

fn with(name: &str, value: Value) -> Document {
    let mut metadata = metadata();
    metadata.as_object_mut().unwrap().insert(name.to_owned(), value);
    of(&metadata)
}

#[tokio::test]
async fn a_client_is_what_its_document_says_and_gets_tokens() -> Result {
    let publisher = Publisher::start().await?;
    let site = publisher.site().await?;
    let page = User::default().open(&site, &request(ID)).await?;
    page.assert_is_page(200);
    assert!(page.body.contains("<b>The client</b>") && page.body.contains(ID), "{}", page.body);
    let code = User::default().approve(&site, &request(ID)).await?.parameter("code").ok_or("no code")?;
    let tokens = Tokens::of(&redeem(&site, ID, &code).await?);
    assert!(site.opens(&tokens.access).await?);
    Tokens::of(&tokens.refresh(&site, ID).await?);
    // It was fetched once, at its path.
    assert_eq!(*publisher.fetched.lock().unwrap(), ["/client.json"]);
    Ok(())
}

#[tokio::test]
async fn a_redirect_uri_is_one_of_the_document() -> Result {
    let publisher = Publisher::start().await?;
    let site = publisher.site().await?;
    for (uri, status) in [
        ("https://attacker.example/", 400),
        ("http://127.0.0.1:8080/other", 400),
        ("http://127.0.0.1:9/callback", 200), // any port
    ] {
        User::default().open(&site, &changed(request(ID), "redirect_uri", uri)).await?.assert_is_page(status);
    }
    Ok(())
}

#[tokio::test]
async fn a_document_that_is_wrong_is_refused_and_not_kept() -> Result {
    let publisher = Publisher::start().await?;
    let site = publisher.site().await?;
    let as_type = |content_type| Document { headers: vec![("content-type", content_type)], ..right() };
    let mut nameless = metadata();
    nameless.as_object_mut().unwrap().remove("client_name");
    for (number, document) in [
        Document { status: 201, ..right() },
        Document { status: 404, ..right() },
        Document { status: 304, ..right() },
        Document { status: 302, headers: vec![("location", "/other.json")], ..right() },
        Document { status: 301, headers: vec![("location", "https://other.example/client.json")], ..right() },
        as_type("text/html"),
        as_type("text/plain"),
        as_type("image/png"),
        Document { headers: Vec::new(), ..right() },
        Document { body: b"{".to_vec(), ..right() },
        Document { body: Vec::new(), ..right() },
        of(&json!([metadata()])),
        of(&nameless),
        with("client_id", json!("https://client.example/other.json")),
        with("client_id", json!("https://client.example:443/client.json")),
        with("client_id", json!("https://CLIENT.example/client.json")),
        with("client_id", Value::Null),
        with("redirect_uris", json!([])),
        with("redirect_uris", json!([CALLBACK, "javascript:alert(1)"])),
        with("redirect_uris", json!([CALLBACK, "http://app.example/"])),
        with("token_endpoint_auth_method", json!("client_secret_basic")),
        with("token_endpoint_auth_method", json!("private_key_jwt")),
        with("client_secret", json!("x")),
        with("grant_types", json!(["implicit"])),
        with("response_types", json!(["token"])),
        with("x", json!("x".repeat(5 * 1024))),
    ]
    .into_iter()
    .enumerate()
    {
        publisher.publish(document);
        let said = User::default().open(&site, &request(ID)).await?;
        said.assert_is_page(400);
        assert!(said.body.contains("This client is not known here."), "{}", said.body); // one sentence for all
        assert_eq!(publisher.fetched(), number + 1);
    }
    publisher.publish(as_type("application/client+json; charset=utf-8"));
    User::default().open(&site, &request(ID)).await?.assert_is_page(200);
    Ok(())
}

#[tokio::test]
async fn a_url_that_can_be_written_in_two_ways_or_is_no_public_name_is_not_fetched() -> Result {
    let publisher = Publisher::start().await?;
    let site = publisher.site().await?;
    for id in [
        "https://client.example",
        "https://client.example/",
        "https://CLIENT.example/client.json",
        "HTTPS://client.example/client.json",
        "https://client.example:443/client.json",
        "https://client.example/x/../client.json",
        "https://client.example/./client.json",
        "https://client.example/x/%2e%2e/client.json",
        "https://client.example/client.json#",
        "https://client.example/client.json#x",
        "https://user@client.example/client.json",
        "https://user:password@client.example/client.json",
        "https://client.example\\client.json",
        "https:client.example/client.json",
        "https://client.example/client.json ",
        "https://127.0.0.1/client.json",
        "https://127.1/client.json",
        "https://[::1]/client.json",
        "https://[::ffff:127.0.0.1]/client.json",
        "https://2130706433/client.json",
        "http://client.example/client.json",
        &format!("https://client.example/{}", "x".repeat(512)),
        "file:///client.json",
    ] {
        User::default().open(&site, &request(id)).await?.assert_is_page(400);
        assert_eq!(publisher.fetched(), 0, "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn requests_at_once_fetch_a_document_once() -> Result {
    let publisher = Publisher::start().await?;
    let site = publisher.site().await?;
    let (mut one, mut other, form) = (User::default(), User::default(), request(ID));
    let (one, other) = tokio::join!(one.open(&site, &form), other.open(&site, &form));
    assert_eq!((one?.status, other?.status, publisher.fetched()), (200, 200, 1));
    Ok(())
}

#[tokio::test]
async fn a_document_that_does_not_come_is_given_up() -> Result {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let site = Site::with(None, http_client(At(silent.local_addr()?)).build()?).await?;
    User::default().open(&site, &request(ID)).await?.assert_is_page(400);
    Ok(())
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_has_signed_is_not_believed() -> Result {
    let publisher = Publisher::start().await?;
    let site = Site::with(None, http_client(At(publisher.address)).build()?).await?;
    User::default().open(&site, &request(ID)).await?.assert_is_page(400);
    assert_eq!(publisher.fetched(), 0);
    Ok(())
}

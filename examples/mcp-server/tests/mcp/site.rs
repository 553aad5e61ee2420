//! The server on a socket, and what it responds.

use std::net::SocketAddr;

use mcp_server_example::{PublicAddresses, app, http_client};
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, LOCATION};
use reqwest::{Method, RequestBuilder, redirect};
use serde_json::Value;
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};

use crate::{ISSUER, Result};

/// The server, until the runtime of its test ends.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Site {
    pub(crate) async fn start() -> Result<Self> {
        Self::with(None, http_client(PublicAddresses::default()).build()?).await
    }

    pub(crate) async fn with(password: Option<&str>, documents: reqwest::Client) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let app = app(ISSUER.parse()?, password.map(str::to_owned), documents);
        tokio::spawn(async { axum::serve(listener, app).await });
        let http = reqwest::Client::builder().redirect(redirect::Policy::none()).build()?;
        Ok(Self { address, http })
    }

    /// A request as a proxy forwards it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to("mcp.example", method, path)
    }

    pub(crate) fn request_to(&self, host: &str, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.address)).header(HOST, host)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Said> {
        Said::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &str) -> Result<Said> {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/json");
        Said::of(request.body(body.to_owned())).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Said> {
        Said::of(self.form(path, form)).await
    }

    pub(crate) fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(body)
    }

    /// Whether a token opens the tools.
    pub(crate) async fn opens(&self, token: &str) -> Result<bool> {
        let said = self.initialize(&format!("Bearer {token}")).await?;
        assert!([200, 401].contains(&said.status), "{said:?}");
        Ok(said.status == 200)
    }

    /// What an MCP client sends first.
    pub(crate) async fn initialize(&self, authorization: &str) -> Result<Said> {
        let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",
            "capabilities":{},"clientInfo":{"name":"tests","version":"1"}}}"#;
        let request = self.request(Method::POST, "/mcp").header("authorization", authorization);
        let request = request.header("accept", "application/json, text/event-stream");
        Said::of(request.header(CONTENT_TYPE, "application/json").body(hello)).await
    }
}

impl Said {
    pub(crate) async fn of(request: RequestBuilder) -> Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // Of a stream its head is enough.
        let is_stream = headers.get(CONTENT_TYPE).is_some_and(|value| value == "text/event-stream");
        Ok(Self { status, headers, body: if is_stream { String::new() } else { response.text().await? } })
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A member of the JSON body.
    pub(crate) fn member(&self, name: &str) -> Value {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| unreachable!("{self:?}"));
        body.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.member(name).as_str().unwrap_or_default().to_owned()
    }

    /// A parameter of the redirect.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        assert_eq!(self.status, 303, "{self:?}");
        let location = Url::parse(self.header(LOCATION.as_str())).unwrap();
        let mut values = location.query_pairs().filter(|(found, _)| found == name).map(|(_, value)| value.into_owned());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} comes twice");
        value
    }

    /// It is a page for the user, and leads nowhere.
    pub(crate) fn assert_is_page(&self, status: u16) {
        assert_eq!((self.status, self.header("location")), (status, ""), "{self:?}");
        assert!(self.header("content-type").starts_with("text/html"), "{self:?}");
        assert!(self.header("content-security-policy").contains("frame-ancestors 'none'"), "{self:?}");
        for (name, value) in
            [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"), ("cache-control", "no-store")]
        {
            assert_eq!(self.header(name), value, "{self:?}");
        }
    }

    /// It is an error of the token or of the registration endpoint.
    pub(crate) fn assert_is_error(&self, error: &str) {
        assert_eq!((self.status, self.text("error").as_str()), (400, error), "{self:?}");
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
    }
}

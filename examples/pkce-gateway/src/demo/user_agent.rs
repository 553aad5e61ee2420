//! A browser as small as can be: it keeps cookies, and goes where it is sent only if it is told to.

use std::fmt;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::Result;

/// A browser, or the HTTP library of a client.
pub struct UserAgent {
    http: Client<HttpConnector, Body>,
    /// Names and values.
    pub cookies: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl UserAgent {
    /// One without cookies.
    pub fn new() -> Self {
        Self { http: Client::builder(TokioExecutor::new()).build_http(), cookies: Vec::new() }
    }

    /// A GET.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn get(&mut self, url: &str) -> Result<Seen> {
        self.send(Request::get(url).body(Body::empty())?).await
    }

    /// A GET with a bearer token.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn get_with_token(&mut self, url: &str, token: &str) -> Result<Seen> {
        self.send(Request::get(url).header(AUTHORIZATION, format!("Bearer {token}")).body(Body::empty())?).await
    }

    /// A POST of a form.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Result<Seen> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(form.into())?).await
    }

    /// Any request.
    ///
    /// # Errors
    ///
    /// When the connection fails.
    pub async fn send(&mut self, mut request: Request<Body>) -> Result<Seen> {
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse()?);
        }
        let (head, body) = self.http.request(request).await?.into_parts();
        let body = String::from_utf8_lossy(&body.collect().await?.to_bytes()).into_owned();
        for line in head.headers.get_all(SET_COOKIE) {
            let line = line.to_str()?;
            let (name, rest) = line.split_once('=').ok_or("no cookie")?;
            self.cookies.retain(|(kept, _)| kept != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned()));
            }
        }
        Ok(Seen { status: head.status.as_u16(), headers: head.headers, body })
    }
}

impl Default for UserAgent {
    fn default() -> Self {
        Self::new()
    }
}

impl Seen {
    /// Where a 303 leads.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn location(&self) -> Result<Url> {
        let location = self.headers.get(LOCATION).filter(|_| self.status == 303);
        Ok(location.ok_or_else(|| format!("no redirect: {} {}", self.status, self.body))?.to_str()?.parse()?)
    }

    /// A parameter that stands once in the query of a redirect.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let location = self.location().ok()?;
        let mut values = location.query_pairs().filter(|(named, _)| named == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        if values.next().is_some() { None } else { value }
    }

    /// A text member of a JSON body.
    pub fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }

    /// The error, in a redirect or in a JSON body.
    pub fn error(&self) -> Option<String> {
        self.parameter("error").or_else(|| self.member("error"))
    }
}

/// Shows no cookie.
impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserAgent").finish_non_exhaustive()
    }
}

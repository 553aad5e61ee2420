//! A small browser: it keeps cookies, and follows no redirect.

use std::sync::LazyLock;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

use crate::Result;

/// A browser, or the HTTP library of a client.
#[derive(Default)]
pub(crate) struct UserAgent {
    /// Names and values.
    pub(crate) cookies: Vec<(String, String)>,
}

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A client without idle connections: each test has a runtime of its own.
pub(crate) fn http() -> Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().ok();
        Client::builder().redirect(Policy::none()).no_proxy().pool_max_idle_per_host(0).build().unwrap()
    });
    CLIENT.clone()
}

pub(crate) async fn get(url: &str) -> Result<Seen> {
    UserAgent::default().get(url).await
}

/// Posts a form as it is.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], form: &str) -> Result<Seen> {
    let mut request = http().post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    UserAgent::default().send(request.body(form.to_owned())).await
}

impl UserAgent {
    pub(crate) async fn get(&mut self, url: &str) -> Result<Seen> {
        self.send(http().get(url)).await
    }

    pub(crate) async fn send(&mut self, mut request: RequestBuilder) -> Result<Seen> {
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for line in headers.get_all(SET_COOKIE) {
            let line = line.to_str()?;
            let (name, rest) = line.split_once('=').ok_or("no cookie")?;
            self.cookies.retain(|(kept, _)| kept != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned()));
            }
        }
        Ok(Seen { status, headers, body: response.text().await? })
    }
}

impl Seen {
    /// Returns where a 303 leads.
    pub(crate) fn location(&self) -> Result<Url> {
        let location = self.headers.get(LOCATION).filter(|_| self.status == 303);
        Ok(location.ok_or_else(|| format!("no redirect: {} {}", self.status, self.body))?.to_str()?.parse()?)
    }

    /// Returns a parameter that occurs once in the query of a redirect.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let location = self.location().ok()?;
        let mut values = location.query_pairs().filter(|(named, _)| named == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        if values.next().is_some() { None } else { value }
    }

    /// Returns a text member of a JSON body.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }

    /// Returns the error, in a redirect or in a JSON body.
    pub(crate) fn error(&self) -> Option<String> {
        self.parameter("error").or_else(|| self.member("error"))
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.error().as_deref()), (status, Some(error)), "{self:?}");
    }

    /// Asserts that this is a page that leads nowhere.
    #[track_caller]
    pub(crate) fn is_page(&self) {
        assert_eq!(self.status, 400, "{self:?}");
        assert!(!self.headers.contains_key(LOCATION) && self.body.starts_with("<!doctype html>"), "{self:?}");
    }
}

/// The parameters of a form or a query.
pub(crate) fn pairs(encoded: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The value of a parameter of a query.
pub(crate) fn value(encoded: &str, name: &str) -> Option<String> {
    pairs(encoded).into_iter().find(|(named, _)| named == name).map(|(_, value)| value)
}

/// A query with another value for one parameter.
pub(crate) fn changed(query: &str, name: &str, value: &str) -> String {
    let kept = pairs(query).into_iter().filter(|(named, _)| named != name);
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, value).finish()
}

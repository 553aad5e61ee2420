//! The user's browser, which keeps a cookie.

use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use crate::program::Program;
use crate::{CHALLENGE, Result};

pub(crate) struct Browser {
    http: Client,
    pub(crate) cookie: Option<String>,
}

/// A response.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            http: Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(60)).build()?,
            cookie: None,
        })
    }

    /// Sends the authorization request of a client that does PKCE.
    pub(crate) async fn authorize(&mut self, program: &Program, client: &str, redirect_uri: &str) -> Result<Page> {
        let parameters = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("state", "xyz"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        self.visit(&Url::parse_with_params(&program.url("/authorize"), parameters)?).await
    }

    pub(crate) async fn visit(&mut self, url: &Url) -> Result<Page> {
        self.send(self.http.get(url.clone())).await
    }

    /// Submits a consent page.
    pub(crate) async fn answer(&mut self, program: &Program, csrf: &str, answer: &str) -> Result<Page> {
        self.post(program, &[("csrf", csrf), ("answer", answer), ("user", "alice"), ("password", "wonderland")]).await
    }

    pub(crate) async fn post(&mut self, program: &Program, form: &[(&str, &str)]) -> Result<Page> {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(program.url("/consent")).body(body);
        self.send(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Goes through sign-in and consent, and returns the code.
    pub(crate) async fn code(&mut self, program: &Program, client: &str, redirect_uri: &str) -> Result<String> {
        let page = self.authorize(program, client, redirect_uri).await?;
        let redirect = self.answer(program, page.csrf(), "allow").await?;
        Ok(redirect.parameter("code").ok_or("there is no code")?)
    }

    async fn send(&mut self, request: RequestBuilder) -> Result<Page> {
        let request = self.cookie.iter().fold(request, |request, cookie| request.header(COOKIE, cookie));
        let page = Page::of(request.send().await?).await?;
        if let Some(cookie) = page.headers.get(SET_COOKIE) {
            self.cookie = cookie.to_str()?.split(';').next().map(str::to_owned);
        }
        Ok(page)
    }
}

impl Page {
    pub(crate) async fn of(response: Response) -> Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.text().await? })
    }

    pub(crate) fn csrf(&self) -> &str {
        let (_, rest) = self.body.split_once("name=csrf value=\"").unwrap();
        rest.split('"').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header(LOCATION.as_str())
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let location = Url::parse(self.location()).unwrap();
        let mut values = location.query_pairs().filter(|(found, _)| found == name).map(|(_, value)| value.into_owned());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} comes twice");
        value
    }
}

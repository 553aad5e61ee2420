//! The user with a browser that keeps the session cookie.

use reqwest::Method;
use reqwest::header::{COOKIE, SET_COOKIE};
use url::form_urlencoded;

use crate::Result;
use crate::site::{Said, Site};

#[derive(Default)]
pub(crate) struct User {
    pub(crate) cookie: Option<String>,
}

impl User {
    /// Opens the consent page.
    pub(crate) async fn open(&mut self, site: &Site, request: &[(&str, &str)]) -> Result<Said> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(request).finish();
        let mut request = site.request(Method::GET, &format!("/oauth/authorize?{query}"));
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let said = Said::of(request).await?;
        if let Some(cookie) = said.headers.get(SET_COOKIE) {
            self.cookie = cookie.to_str()?.split(';').next().map(str::to_owned);
        }
        Ok(said)
    }

    /// Sends a form in place of the page's.
    pub(crate) async fn send(&self, site: &Site, form: &[(&str, &str)]) -> Result<Said> {
        let request =
            self.cookie.iter().fold(site.form("/oauth/approve", form), |form, cookie| form.header(COOKIE, cookie));
        Said::of(request).await
    }

    /// Opens the consent page and approves, or follows the redirect that comes in its place.
    pub(crate) async fn approve(&mut self, site: &Site, request: &[(&str, &str)]) -> Result<Said> {
        let page = self.open(site, request).await?;
        if page.status == 303 {
            return Ok(page);
        }
        page.assert_is_page(200);
        self.send(site, &[("csrf", csrf(&page)), ("approved", "true")]).await
    }
}

pub(crate) fn csrf(page: &Said) -> &str {
    let (_, rest) = page.body.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split('"').next().unwrap()
}

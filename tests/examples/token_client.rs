//! The client's token requests, honest and forged.

use reqwest::Client;

use crate::browser::Page;
use crate::program::Program;
use crate::{NATIVE_URI, Result, VERIFIER};

/// The token request of the public client for a code.
pub(crate) fn of_native(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "native"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", NATIVE_URI),
    ]
}

/// The same, with one parameter changed, or left out if the value is empty.
pub(crate) fn changed<'a>(form: &[(&'a str, &'a str)], name: &str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let form = form.iter().map(|&(known, old)| (known, if known == name { value } else { old }));
    form.filter(|(_, value)| !value.is_empty()).collect()
}

pub(crate) fn refresh(refresh_token: &str) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("client_id", "native"), ("refresh_token", refresh_token)]
}

pub(crate) async fn token(program: &Program, form: &[(&str, &str)]) -> Result<Page> {
    send(program, form, None).await
}

pub(crate) async fn send(program: &Program, form: &[(&str, &str)], basic: Option<(&str, &str)>) -> Result<Page> {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = Client::new().post(program.url("/token")).header("origin", "https://app.example");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let request = basic.iter().fold(request, |request, (user, password)| request.basic_auth(user, Some(password)));
    Page::of(request.send().await?).await
}

/// The value of a string member of a JSON response.
pub(crate) fn member(page: &Page, name: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(&page.body).unwrap();
    json.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

/// Whom an access token opens the account of.
pub(crate) async fn whose(program: &Program, access_token: &str) -> Result<Option<String>> {
    let response = Client::new().get(program.url("/me")).bearer_auth(access_token).send().await?;
    if response.status().is_success() { Ok(Some(response.text().await?)) } else { Ok(None) }
}

//! The demonstration: a small upstream without PKCE, the gateway before it, honest clients and some attacks.

mod app;
mod user_agent;

use std::error::Error;
use std::fmt;

use pkce_tower::MemoryStore;
use tokio::net::TcpListener;

pub use app::{App, Flow};
pub use user_agent::{Seen, UserAgent};

use crate::{Config, provider};

/// What can go wrong in a demonstration that is none of its points.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What was tried, what was said, and whether that is right.
#[derive(Debug)]
pub struct Row {
    tried: &'static str,
    said: String,
    right: bool,
}

/// The configuration that the demonstration and the tests use.
pub const CONFIG: &str = include_str!("../../gateway.json");

/// Starts both servers on free loopback ports, plays against them, and hands each line to `show`.
///
/// # Errors
///
/// When one thing went as it should not: an honest client that was refused, or an attack that was not.
pub async fn play(mut show: impl FnMut(&Row)) -> Result<()> {
    let (at_upstream, at_gateway) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
    let upstream = format!("http://{}", at_upstream.local_addr()?);
    let gateway = format!("http://{}", at_gateway.local_addr()?);
    let provider = provider::app(&upstream, &format!("{gateway}/callback"));
    let upstream_serving = tokio::spawn(axum::serve(at_upstream, provider).into_future());
    let app = crate::app(Config::parse(CONFIG)?, &upstream.parse()?, MemoryStore::new(), &gateway)?;
    let gateway_serving = tokio::spawn(axum::serve(at_gateway, app).into_future());

    let mut rows = metadata(&upstream, &gateway).await?;
    rows.extend([honest(App::NATIVE, &gateway).await?, honest(App::WEB, &gateway).await?]);
    rows.extend(attacks(&gateway).await?);
    upstream_serving.abort();
    gateway_serving.abort();
    rows.iter().for_each(&mut show);
    match rows.iter().filter(|row| !row.right).count() {
        0 => Ok(()),
        wrong => Err(format!("{wrong} of {} went wrong", rows.len()).into()),
    }
}

async fn metadata(upstream: &str, gateway: &str) -> Result<Vec<Row>> {
    let methods = async |server: &str| {
        let seen = UserAgent::new().get(&format!("{server}/.well-known/oauth-authorization-server")).await?;
        let document: serde_json::Value = serde_json::from_str(&seen.body)?;
        Result::Ok(document.get("code_challenge_methods_supported").map_or("none".to_owned(), ToString::to_string))
    };
    let (before, after) = (methods(upstream).await?, methods(gateway).await?);
    let (none, s256) = (before == "none", after == r#"["S256"]"#);
    Ok(vec![
        Row { tried: "the upstream's metadata: challenge methods", said: before, right: none },
        Row { tried: "the gateway's metadata: challenge methods", said: after, right: s256 },
    ])
}

/// Sign in, exchange the code, use the token through the gateway, refresh it, use the new one.
async fn honest(app: App, gateway: &str) -> Result<Row> {
    let flow = app.flow()?;
    let code = flow.code(&mut UserAgent::new(), gateway).await?;
    let mut tokens = flow.redeem(gateway, &code).await?;
    let mut said = vec![tokens.status];
    for _ in 0..2 {
        let access_token = tokens.member("access_token").unwrap_or_default();
        let user = UserAgent::new().get_with_token(&format!("{gateway}/userinfo"), &access_token).await?;
        let refresh_token = tokens.member("refresh_token").unwrap_or_default();
        tokens = app.token(gateway, &[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)]).await?;
        said.extend([user.status, tokens.status]);
    }
    let tried =
        if app.secret.is_some() { "a confidential client: the whole flow" } else { "a public client: the whole flow" };
    Ok(Row { tried, right: said.iter().all(|status| *status == 200), said: format!("{said:?}") })
}

async fn attacks(gateway: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut refused = |tried, seen: &Seen, status, error: Option<&str>| {
        let right = seen.status == status && seen.error().as_deref() == error;
        rows.push(Row { tried, said: format!("{} {}", seen.status, seen.error().unwrap_or_default()), right });
    };
    let flow = App::NATIVE.flow()?;
    let base = [("response_type", "code"), ("client_id", "native"), ("redirect_uri", App::NATIVE.redirect_uri)];
    let target = |parameters: &[(&str, &str)]| {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{gateway}/authorize?{query}")
    };
    let mut browser = UserAgent::new();
    refused("no challenge", &browser.get(&target(&base)).await?, 303, Some("invalid_request"));
    let elsewhere = [base[0], base[1], ("redirect_uri", "https://evil.example/")];
    refused("a redirect URI that is not registered", &browser.get(&target(&elsewhere)).await?, 400, None);

    let code = flow.code(&mut browser, gateway).await?;
    let stolen = [("grant_type", "authorization_code"), ("code", code.as_str())];
    refused("a stolen code, no verifier", &App::NATIVE.token(gateway, &stolen).await?, 400, Some("invalid_grant"));
    let strangers = App::NATIVE.flow()?;
    refused("a stolen code, another verifier", &strangers.redeem(gateway, &code).await?, 400, Some("invalid_grant"));
    let other_client = Flow { app: App::WEB, verifier: flow.verifier };
    refused("another client", &other_client.redeem(gateway, &code).await?, 400, Some("invalid_grant"));
    let flow = Flow { app: App::NATIVE, verifier: other_client.verifier };
    refused("and still the client itself", &flow.redeem(gateway, &code).await?, 200, None);
    refused("the code again", &flow.redeem(gateway, &code).await?, 400, Some("invalid_grant"));

    let flow = App::NATIVE.flow()?;
    let query = flow.sign_in(&mut browser, gateway, &[]).await?;
    let callback = format!("{gateway}/callback?{query}");
    refused("the callback in another browser", &UserAgent::new().get(&callback).await?, 400, None);
    let changed = callback.replacen("state=", "state=A", 1);
    refused("the callback with a state that was changed", &browser.get(&changed).await?, 400, None);
    let mixed = callback.replacen("iss=", "iss=https%3A%2F%2Fevil.example%2F", 1);
    let (mut other_tab, cookies) = (UserAgent::new(), browser.cookies.clone());
    other_tab.cookies = cookies;
    refused("the answer of another upstream", &other_tab.get(&mixed).await?, 303, Some("server_error"));
    refused("and still the callback itself", &browser.get(&callback).await?, 303, None);
    refused("the callback again", &browser.get(&callback).await?, 400, None);

    let itself = App::WEB.token(gateway, &[("grant_type", "client_credentials")]).await?;
    refused("tokens of the gateway itself", &itself, 400, Some("unsupported_grant_type"));
    let past = UserAgent::new().post(&format!("{gateway}//Token/"), &stolen).await?;
    refused("past the gateway", &past, 404, None);
    Ok(rows)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.right { "ok" } else { "WRONG" };
        write!(f, "  {verdict:<5}  {:<45}  {}", self.tried, self.said)
    }
}

//! A host that knows nothing of PKCE and issues its code in the very answer to the authorization request, on each
//! framework; and its metadata. It does what the request asks for in a parameter `do`.

mod actix;
mod axum;
mod document;

use std::sync::{Arc, Mutex};

use pkce_core::{AuthorizationCode, Pkce};
use playground::form;

pub use self::actix::documents as actix_documents;
pub use self::axum::documents as axum_documents;
pub use self::document::{DOCUMENT, TAG};

use crate::server::{Adapter, Server};

/// Where the host redirects to, and nowhere else unless it is asked to misbehave.
pub const REGISTERED: [&str; 3] = ["https://app.example/cb", "https://app.example/cb?tenant=7", "com.example.app:/cb"];

/// What the host calls itself.
pub const ISSUER: &str = "https://as.example";

/// The host: `/authorize` with the capture around it and `/bare` without, `/token`, and its metadata twice.
#[derive(Debug)]
pub struct Immediate {
    /// The server.
    pub server: Server,
    issued: Issued,
}

/// Every code that the host has made, whether it left or not.
type Issued = Arc<Mutex<Vec<String>>>;

impl Immediate {
    /// Starts one.
    pub fn start(adapter: Adapter, pkce: Pkce) -> Self {
        let issued = Issued::default();
        let server = match adapter {
            Adapter::Axum => axum::start(pkce, Arc::clone(&issued)),
            Adapter::Actix => actix::start(pkce, Arc::clone(&issued)),
        };
        Self { server, issued }
    }

    /// Every code that the host has made, whether it left or not.
    pub fn issued(&self) -> Vec<String> {
        self.issued.lock().unwrap().clone()
    }
}

/// An answer for either framework.
struct Answered {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answered {
    fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Answers an authorization request whose parameters stand in the query, or in the form.
fn authorize(query: &str, body: &str, issued: &Issued) -> Answered {
    let parameters = |encoded: &str, name: &str| {
        form_urlencoded::parse(encoded.as_bytes()).find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    };
    let parameter = |name| parameters(query, name).or_else(|| parameters(body, name));
    let (asked, state) = (parameter("do").unwrap_or_default(), parameter("state").unwrap_or_default());
    let redirect_uri = parameter("redirect_uri").unwrap_or(REGISTERED[0].to_owned());
    if !REGISTERED.contains(&redirect_uri.as_str()) {
        return Answered::new(400, "this redirect URI is not registered").with("content-type", "text/plain");
    }
    let separator = if redirect_uri.contains('?') { "&" } else { "?" };
    let to = |parameters: &[(&str, &str)]| format!("{redirect_uri}{separator}{}", form(parameters));
    match asked.as_str() {
        "login page" => {
            return Answered::new(200, "<form method=post>")
                .with("content-type", "text/html")
                .with("x-frame-options", "DENY");
        }
        "login" => return Answered::new(302, "").with("location", format!("/login?next=/authorize?{query}")),
        "deny" => return Answered::new(303, "").with("location", to(&[("error", "access_denied"), ("state", &state)])),
        "fail" => return Answered::new(500, "out of order").with("content-type", "text/plain"),
        "panic" => panic!("asked for"),
        _ => {}
    }
    let code = AuthorizationCode::generate().unwrap().as_str().to_owned();
    issued.lock().unwrap().push(code.clone());
    let answer = [("code", code.as_str()), ("state", &state), ("iss", ISSUER)];
    let elsewhere = |target: &str| format!("{target}?{}", form(&answer));
    let redirect = |status, location: String| {
        Answered::new(status, format!("see {location}")).with("location", location).with("set-cookie", "session=alice")
    };
    match asked.as_str() {
        "evil" => redirect(303, elsewhere("https://evil.example/cb")),
        "lookalike" => redirect(303, elsewhere("https://app.example.evil.example/cb")),
        "userinfo" => redirect(303, elsewhere("https://app.example@evil.example/cb")),
        "no iss" => redirect(303, to(&answer[..2])),
        "relative" => redirect(303, elsewhere("/cb")),
        "twice" => redirect(303, format!("{}&code=x", to(&answer))),
        "both" => redirect(303, format!("{}#code={code}", to(&answer))),
        "fragment" => redirect(303, format!("{redirect_uri}#{}", form(&answer))),
        "jarm" => redirect(303, to(&[("response", "eyJhbGciOiJub25lIn0.e30.")])),
        "two locations" => redirect(303, to(&answer)).with("location", "https://evil.example/"),
        "refresh" => Answered::new(200, "").with("refresh", format!("0; url={}", to(&answer))),
        "json" => {
            Answered::new(200, format!(r#"{{"redirect":"{}"}}"#, to(&answer))).with("content-type", "application/json")
        }
        "form_post" => {
            let page = format!("<form method=post action=\"{redirect_uri}\"><input name=code value={code}></form>");
            Answered::new(200, page).with("content-type", "text/html")
        }
        "huge code" => redirect(303, format!("{redirect_uri}{separator}code={}", "x".repeat(5000))),
        "huge" => redirect(303, format!("{}&x={}", to(&answer), "x".repeat(40_000))),
        status => redirect(status.parse().unwrap_or(303), to(&answer)),
    }
}

//! A tiny host on each framework, for what the example servers do not do. Its token handler does what the request asks
//! for in a parameter `do`, and counts how often it ran.

mod actix;
mod axum;
mod behaviour;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pkce_core::adapter::ResponseTo;
use pkce_core::{AuthorizationCode, AuthorizationRedirect, Clearance, CodeVerifier, Pkce};
use playground::{Result, Said, form};

pub use behaviour::Behaviour;

use crate::server::{Adapter, Server};

/// What stands around the token handler of a [`Double`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mount {
    /// The adapter's layer alone.
    Layer,
    /// Nothing: the layer was forgotten.
    Nothing,
    /// The layer, twice.
    Twice,
    /// A layer that catches panics, between the adapter's and the handler.
    CatchPanicInside,
    /// A layer that catches panics, around the adapter's.
    CatchPanicOutside,
    /// A time-out of [`TIME_OUT`] that answers with this status, between the adapter's layer and the handler.
    TimeOutInside(u16),
    /// A time-out of [`TIME_OUT`] around the adapter's layer.
    TimeOutOutside,
    /// The ecosystem's CORS middleware for `https://app.example` around the adapter's layer.
    Cors,
    /// Refusals as `application/problem+json`.
    Rendered,
}

/// Where `/redirect` of a double sends its codes and errors.
pub const REDIRECT_URI: &str = "https://app.example/cb?t=7";

/// How long the time-outs wait.
pub const TIME_OUT: Duration = Duration::from_millis(200);

/// A tiny host. Every response names in `x-reason` the reason of a rejection, which a middleware outside finds in the
/// extensions, and one of `/token` in `x-inside` what a middleware inside finds of the clearance.
///
/// | path | what it does |
/// | --- | --- |
/// | `/token` | what the request asks for in `do`. OPTIONS: whether it has a clearance and a body |
/// | `/form` | reads the form by the extractor of the framework, inside a layer of its own |
/// | `/redeem` | redeems by `Pkce::redeem`, without a layer |
/// | `/authorize`, `/par` | bind a code at once and respond with it |
/// | `/redirect` | the same, as a redirect to [`REDIRECT_URI`] |
/// | `/authorize-optional`, `/par-optional` | whether there is a challenge |
#[derive(Debug)]
pub struct Double {
    /// The server.
    pub server: Server,
    /// What it binds and judges by.
    pub pkce: Pkce,
    seen: Arc<Seen>,
}

/// What the token handlers of a double have seen.
#[derive(Debug, Default)]
struct Seen {
    runs: AtomicUsize,
    dropped: AtomicUsize,
}

/// Notes that a handler was dropped before it ended.
struct Dropped(Arc<Seen>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Double {
    /// Starts one.
    pub fn start(adapter: Adapter, mount: Mount, pkce: Pkce) -> Self {
        let seen = Arc::new(Seen::default());
        let state = State { pkce: pkce.clone(), seen: Arc::clone(&seen) };
        let server = match adapter {
            Adapter::Axum => axum::start(mount, state),
            Adapter::Actix => actix::start(mount, state),
        };
        Self { server, pkce, seen }
    }

    /// How often the token handler ran.
    pub fn runs(&self) -> usize {
        self.seen.runs.load(Ordering::SeqCst)
    }

    /// How many token handlers were dropped before they ended, or panicked.
    pub fn dropped(&self) -> usize {
        self.seen.dropped.load(Ordering::SeqCst)
    }

    /// A code that is bound to a new challenge.
    pub async fn bind(&self) -> Result<Bound> {
        let (code, verifier) = (AuthorizationCode::generate()?.as_str().to_owned(), CodeVerifier::generate()?);
        self.pkce.bind(&code, verifier.challenge()).await?;
        Ok(Bound { code, verifier })
    }

    /// The client redeems the code, and the handler is told what to do.
    pub async fn redeem(&self, bound: &Bound, behaviour: Behaviour) -> Result<Said> {
        Ok(self.server.wire.post_form("/token", &bound.token_request(behaviour)).await?)
    }

    /// Whether the code can still be redeemed. Asking redeems it.
    pub async fn is_live(&self, bound: &Bound) -> Result<bool> {
        let said = self.redeem(bound, Behaviour::Answer(200)).await?;
        match (said.status, said.error().as_deref()) {
            (200, _) => Ok(true),
            (400, Some("invalid_grant")) => Ok(false),
            (status, _) => Err(format!("neither served nor refused: {status} {}", said.body).into()),
        }
    }
}

/// A code on its way to its client.
#[derive(Debug)]
pub struct Bound {
    /// The code.
    pub code: String,
    /// The client's secret.
    pub verifier: CodeVerifier,
}

impl Bound {
    /// The body of the token request.
    pub fn token_request(&self, behaviour: Behaviour) -> String {
        form(&[
            ("grant_type", "authorization_code"),
            ("code", self.code.as_str()),
            ("code_verifier", self.verifier.as_str()),
            ("do", &behaviour.to_string()),
        ])
    }
}

/// What the handlers share.
#[derive(Clone)]
struct State {
    pkce: Pkce,
    seen: Arc<Seen>,
}

impl State {
    /// Notes that the handler runs; what it is to do.
    fn begin(&self, body: &[u8]) -> Behaviour {
        self.seen.runs.fetch_add(1, Ordering::SeqCst);
        Behaviour::asked_for(body)
    }

    fn dropped(&self) -> Dropped {
        Dropped(Arc::clone(&self.seen))
    }
}

/// The response of `/redirect`.
fn reply<R: From<AuthorizationRedirect>>(pkce: &Pkce) -> ResponseTo<R> {
    ResponseTo::new(pkce, REDIRECT_URI).state("s t".to_owned())
}

/// The parameters of a token request that `/redeem` reads.
#[derive(Debug, serde::Deserialize)]
struct Redemption {
    code: String,
    code_verifier: Option<String>,
}

fn found(clearance: Option<&Clearance>) -> &'static str {
    clearance.map_or("none", |clearance| clearance.kind().as_str())
}

/// The host's own parameters of a pushed authorization request.
#[derive(Debug, serde::Deserialize)]
struct Pushed {
    client_id: String,
}

const ORIGIN: &str = "https://app.example";
const PROBLEM: &str = "application/problem+json";

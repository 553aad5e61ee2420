//! A gateway and what stands behind it, in this process, on sockets of their own.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::middleware::{self, Next};
use axum::response::Response;
use pkce_gateway::demo::{CONFIG, Result};
use pkce_gateway::{Config, provider};
use pkce_tower::MemoryStore;
use pkce_tower::pkce_core::store::ChallengeStore;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A gateway that runs.
pub(crate) struct Stage {
    pub(crate) gateway: String,
    pub(crate) upstream: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    serving: Vec<AbortHandle>,
}

/// A request that reached the upstream.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Stage {
    /// Before the small upstream without PKCE.
    pub(crate) async fn new() -> Result<Self> {
        Self::with(CONFIG, MemoryStore::new()).await
    }

    pub(crate) async fn with(config: &str, store: impl ChallengeStore) -> Result<Self> {
        Self::before(config, store, provider::app).await
    }

    /// Before an upstream that is made of its own URL and the gateway's callback.
    pub(crate) async fn before(
        config: &str,
        store: impl ChallengeStore,
        upstream: impl FnOnce(&str, &str) -> Router,
    ) -> Result<Self> {
        let (at_upstream, at_gateway) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let own = format!("http://{}", at_upstream.local_addr()?);
        let gateway = format!("http://{}", at_gateway.local_addr()?);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listening = Arc::clone(&heard);
        let listen = middleware::from_fn(move |request, next| listen(Arc::clone(&listening), request, next));
        let upstream = upstream(&own, &format!("{gateway}/callback")).layer(listen);
        let app = pkce_gateway::app(Config::parse(config)?, &own.parse()?, store, &gateway)?;
        let serving = vec![
            tokio::spawn(axum::serve(at_upstream, upstream).into_future()).abort_handle(),
            tokio::spawn(axum::serve(at_gateway, app).into_future()).abort_handle(),
        ];
        Ok(Self { gateway, upstream: own, heard, serving })
    }

    /// What reached the upstream at this path.
    pub(crate) fn heard(&self, path: &str) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|heard| heard.target.split('?').next() == Some(path)).cloned().collect()
    }

    pub(crate) fn wire(&self) -> playground::Wire {
        playground::Wire(self.gateway.strip_prefix("http://").unwrap().parse().unwrap())
    }

    pub(crate) fn stop_upstream(&self) {
        self.serving[0].abort();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.serving.iter().for_each(AbortHandle::abort);
    }
}

async fn listen(heard: Arc<Mutex<Vec<Heard>>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Streams are not for listening to.
    let (body, text) = if parts.uri.path() == "/stream" {
        (body, String::new())
    } else {
        let octets = to_bytes(body, usize::MAX).await.unwrap();
        (Body::from(octets.clone()), String::from_utf8_lossy(&octets).into_owned())
    };
    heard.lock().unwrap().push(Heard { target: parts.uri.to_string(), headers: parts.headers.clone(), body: text });
    next.run(Request::from_parts(parts, body)).await
}

/// The parameters of a form or a query.
pub(crate) fn pairs(encoded: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
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

/// The configuration with more members for the upstream, or before the clients.
pub(crate) fn config(of_upstream: &str, own: &str) -> String {
    let config =
        CONFIG.replace("\"client_id\": \"the-gateway\"", &format!("{of_upstream} \"client_id\": \"the-gateway\""));
    config.replace("\"clients\"", &format!("{own} \"clients\""))
}

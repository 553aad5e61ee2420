//! An authorization server whose requests and answers are recorded.

use std::net::{Ipv4Addr, SocketAddr};

use axum::middleware;
use fixture_host::Options;
use pkce_core::MemoryStore;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::page::recorder::{self, Recorder};
use crate::same_address;
use crate::user::Result;
use crate::wire::Wire;

/// The axum example on a free loopback port, until it is dropped.
pub(crate) struct AuthorizationServer {
    pub(crate) wire: Wire,
    pub(crate) recorder: Recorder,
    serving: JoinHandle<std::io::Result<()>>,
}

impl AuthorizationServer {
    pub(crate) async fn start() -> Result<Self> {
        // A reader takes longer than the default minute; ten are the most that RFC 6749 §4.1.2 recommends.
        let options = Options::parse(["--code-lifetime".into(), "600".into()], 0)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let wire = Wire(listener.local_addr()?);
        let recorder = Recorder::default();
        let app = axum_fixture::app(&options, MemoryStore::new(), &issuer(wire))
            .merge(same_address::app())
            .layer(middleware::from_fn_with_state(recorder.clone(), recorder::record))
            .into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(axum::serve(listener, app).into_future());
        Ok(Self { wire, recorder, serving })
    }

    pub(crate) fn issuer(&self) -> String {
        issuer(self.wire)
    }
}

fn issuer(wire: Wire) -> String {
    format!("http://{}", wire.0)
}

impl Drop for AuthorizationServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

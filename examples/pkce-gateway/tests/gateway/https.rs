//! An upstream by https.

use std::fs;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client, redirect};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Result;
use crate::app::App;
use crate::program::{Program, config, path};
use crate::provider::{Parts, Upstream, app};
use crate::user_agent::UserAgent;

/// Accepts what gets through the handshake.
struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.0.accept().await else { continue };
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_upstream_is_asked_by_https_and_only_with_a_certificate_of_a_known_authority() -> Result {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()])?;
    rustls::crypto::ring::default_provider().install_default().ok();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}", listener.local_addr()?.port());
    let parts = Parts::new(&url, json!({}));
    let served = axum::serve(Tls(listener, TlsAcceptor::from(Arc::new(tls))), app(Arc::clone(&parts), Router::new()));
    let upstream = Upstream::served(url, parts, tokio::spawn(served.into_future()).abort_handle());

    let (authority, mut config) = (path("ca.pem"), config(&upstream));
    fs::write(&authority, cert.pem())?;
    config["upstream"]["ca_file"] = json!(authority);
    let known = Program::start(&config, &[])?;
    let error = {
        config["upstream"]["ca_file"] = json!(null);
        Program::start(&config, &[]).err().unwrap().to_string()
    };
    assert!(error.contains("certificate"), "{error}");
    config["upstream"]["authorization_endpoint"] = json!("/authorize");
    config["upstream"]["token_endpoint"] = json!("/token");
    let unknown = Program::start(&config, &[])?;

    let trusting = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    let trusting = trusting.tls_certs_only([Certificate::from_pem(cert.pem().as_bytes())?]).build()?;
    for (gateway, status) in [(&known, 200), (&unknown, 503)] {
        let (flow, mut browser) = (App::NATIVE.flow(), UserAgent::default());
        let to_upstream = browser.get(&flow.request(&gateway.url, &[])).await?.location()?;
        let back = UserAgent::default().send(trusting.get(to_upstream)).await?.location()?;
        let code = browser.get(back.as_str()).await?.parameter("code").unwrap();
        assert_eq!(flow.redeem(&gateway.url, &code).await?.status, status);
    }
    fs::remove_file(authority)?;
    Ok(())
}

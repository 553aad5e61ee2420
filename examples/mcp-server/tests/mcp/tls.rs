//! A server by https, with a certificate of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::serve::Listener;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Certificate;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::Result;

/// Accepts what gets through the handshake.
struct Tls(TcpListener, TlsAcceptor);

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

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

/// Serves under a name, until the runtime of the test ends. Returns its address, and its certificate.
pub(crate) async fn serve(name: &str, app: Router) -> Result<(SocketAddr, Certificate)> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()])?;
    rustls::crypto::ring::default_provider().install_default().ok();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der())?;
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(Tls(listener, TlsAcceptor::from(Arc::new(tls))), app).into_future());
    Ok((address, Certificate::from_pem(cert.pem().as_bytes())?))
}

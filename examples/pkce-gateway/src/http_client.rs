//! The connections to the upstream: pooled, and of one redirect or another nothing is followed.

use std::time::Duration;

use axum::body::Body;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// A connection pool. It follows no redirect, and asks nobody but whom it is told to.
#[cfg(feature = "tls")]
pub(crate) type HttpClient = Client<hyper_rustls::HttpsConnector<HttpConnector>, Body>;
/// A connection pool. It follows no redirect, and asks nobody but whom it is told to.
#[cfg(not(feature = "tls"))]
pub(crate) type HttpClient = Client<HttpConnector, Body>;

/// How long an idle connection is kept: less than most servers do, so that a request seldom meets one that is closing.
const IDLE: Duration = Duration::from_secs(15);

/// A pool; with `https` it needs the machine's root certificates.
pub(crate) fn new(https: bool, connect: Duration) -> Result<HttpClient, String> {
    let mut tcp = HttpConnector::new();
    tcp.set_connect_timeout(Some(connect));
    tcp.set_nodelay(true);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_idle_timeout(IDLE).pool_timer(TokioTimer::new());
    Ok(builder.build(connector(tcp, https)?))
}

#[cfg(feature = "tls")]
fn connector(mut tcp: HttpConnector, https: bool) -> Result<hyper_rustls::HttpsConnector<HttpConnector>, String> {
    use std::sync::Arc;

    use hyper_rustls::{ConfigBuilderExt as _, HttpsConnectorBuilder};
    use rustls::{ClientConfig, RootCertStore};

    tcp.enforce_http(false);
    // By its name: with two in one build there is no default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = if https {
        config.with_native_roots().map_err(|error| error.to_string())?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    let builder = HttpsConnectorBuilder::new().with_tls_config(config.with_no_client_auth());
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

#[cfg(not(feature = "tls"))]
fn connector(tcp: HttpConnector, https: bool) -> Result<HttpConnector, String> {
    if https { Err("this gateway was built without the feature tls".to_owned()) } else { Ok(tcp) }
}

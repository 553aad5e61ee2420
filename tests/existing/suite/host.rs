//! The servers under test, each on a free loopback port until the test ends.

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer, rt};
use axum::Router;
use json_token_endpoint_example::{actix_server, axum_server, records};
use playground::{Result, Wire};

use crate::before;

/// A server whose authorization endpoint is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    OxideAuthAxum,
    OxideAuthActix,
    JsonAxum,
    JsonActix,
}

/// A running server, and its public client.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: Host,
    pub(crate) wire: Wire,
    pub(crate) client: String,
}

impl Host {
    /// The server with PKCE.
    pub(crate) fn start(self) -> Result<Server> {
        let (listener, wire) = listen()?;
        match self {
            Self::OxideAuthAxum => on_axum(listener, oxide_auth_axum_example::app()?)?,
            Self::OxideAuthActix => {
                on_actix(listener, || Ok(oxide_auth_actix_example::Server::start()?.to_routes()))?;
            }
            Self::JsonAxum => on_axum(listener, axum_server::app())?,
            Self::JsonActix => on_actix(listener, || Ok(actix_server::Server::empty().to_routes()))?,
        }
        Ok(self.with_client(wire))
    }

    /// The server without.
    pub(crate) fn start_before(self) -> Result<Server> {
        let (listener, wire) = listen()?;
        match self {
            Self::OxideAuthAxum => on_axum(listener, before::oxide_auth_axum::app()?)?,
            Self::OxideAuthActix => {
                on_actix(listener, || Ok(before::oxide_auth_actix::Server::start()?.to_routes()))?;
            }
            Self::JsonAxum => on_axum(listener, before::json::axum_server::app())?,
            Self::JsonActix => on_actix(listener, || Ok(before::json::actix_server::Server::empty().to_routes()))?,
        }
        Ok(self.with_client(wire))
    }

    fn with_client(self, wire: Wire) -> Server {
        let client = match self {
            Self::OxideAuthAxum | Self::OxideAuthActix => "PublicClient".to_owned(),
            Self::JsonAxum | Self::JsonActix => records::CLIENT.to_owned(),
        };
        Server { host: self, wire, client }
    }

    /// Where the client gets its codes.
    pub(crate) fn redirect_uri(self) -> &'static str {
        match self {
            Self::OxideAuthAxum | Self::OxideAuthActix => oxide_auth_axum_example::CALLBACK,
            Self::JsonAxum | Self::JsonActix => records::CALLBACK,
        }
    }

    /// Whether its token requests are JSON.
    pub(crate) fn takes_json(self) -> bool {
        matches!(self, Self::JsonAxum | Self::JsonActix)
    }
}

impl Server {
    /// Whether an access token is good.
    pub(crate) async fn accepts(&self, access_token: &str) -> Result<bool> {
        let bearer = format!("Bearer {access_token}");
        let said = self.wire.send("GET", "/", &[("authorization", &bearer)], "").await?;
        Ok(said.status == 200)
    }
}

/// The address of a server.
pub(crate) fn base(wire: Wire) -> String {
    format!("http://{}", wire.0)
}

/// It accepts connections from here on, even if they wait until the server is up.
fn listen() -> Result<(TcpListener, Wire)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let wire = Wire(listener.local_addr()?);
    Ok((listener, wire))
}

fn on_axum(listener: TcpListener, app: Router) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(())
}

/// On a thread of its own, whose system the server's actors live in.
fn on_actix<R>(listener: TcpListener, routes: fn() -> Result<R>) -> Result<()>
where
    R: Fn(&mut ServiceConfig) + Send + Clone + 'static,
{
    let (started, starting) = mpsc::channel();
    thread::spawn(move || {
        rt::System::new().block_on(async {
            let routes = routes()?;
            let server = HttpServer::new(move || App::new().configure(routes.clone()));
            let running = server.workers(2).disable_signals().listen(listener)?.run();
            started.send(())?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(running.await?)
        })
    });
    Ok(starting.recv()?)
}

/// Both servers on Actix give their routes to each worker.
trait Routes {
    fn to_routes(self) -> impl Fn(&mut ServiceConfig) + Send + Clone + 'static;
}

macro_rules! routes {
    ($($server:ty),+) => {
        $(impl Routes for $server {
            fn to_routes(self) -> impl Fn(&mut ServiceConfig) + Send + Clone + 'static {
                move |config| self.routes()(config)
            }
        })+
    };
}
routes!(
    oxide_auth_actix_example::Server,
    before::oxide_auth_actix::Server,
    actix_server::Server,
    before::json::actix_server::Server
);

/// Runs each sentence against each server: an `async fn(Host) -> Result<()>`.
macro_rules! on_each_server {
    ($($sentence:ident),+ $(,)?) => {
        mod oxide_auth_axum { $(crate::host::on_each_server! { @ OxideAuthAxum $sentence })+ }
        mod oxide_auth_actix { $(crate::host::on_each_server! { @ OxideAuthActix $sentence })+ }
        mod json_axum { $(crate::host::on_each_server! { @ JsonAxum $sentence })+ }
        mod json_actix { $(crate::host::on_each_server! { @ JsonActix $sentence })+ }
    };
    (@ $host:ident $sentence:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sentence() -> playground::Result<()> {
            super::$sentence(crate::host::Host::$host).await
        }
    };
}
pub(crate) use on_each_server;

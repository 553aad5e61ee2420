//! A server in this process, on a free loopback port, for as long as it is held.

use std::ffi::OsString;
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::{fmt, io, thread};

use actix_web::dev::ServerHandle;
use actix_web::{HttpServer, rt};
use axum::Router;
use fixture_host::{Host, Options};
use pkce_core::store::ChallengeStore;
use pkce_core::{MemoryStore, Pkce, Policy};
use playground::Wire;
use tokio::runtime::{Builder, Runtime};

/// Which of the two adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// `pkce-tower`.
    Axum,
    /// `pkce-actix`.
    Actix,
}

/// A server that runs until it is dropped.
pub struct Server {
    /// Where it listens.
    pub wire: Wire,
    /// What it is built on.
    pub adapter: Adapter,
    running: Running,
}

enum Running {
    Axum(Option<Runtime>),
    Actix(ServerHandle),
}

impl Server {
    /// The example server with the options of a command line.
    pub fn start(adapter: Adapter, options: &[&str]) -> Self {
        let options = Options::parse(options.iter().map(OsString::from), 0).unwrap();
        let (listener, wire) = listen();
        let issuer = options.issuer.clone().unwrap_or_else(|| format!("http://{}", wire.0));
        match adapter {
            Adapter::Axum => Self::axum_on(listener, wire, axum_fixture::app(&options, MemoryStore::new(), &issuer)),
            Adapter::Actix => Self::example_on_actix(
                listener,
                wire,
                actix_fixture::Server::new(&options, MemoryStore::new(), &issuer),
            ),
        }
    }

    /// The example server with a store and a policy of one's own. It calls itself `https://as.example`.
    pub fn with(adapter: Adapter, store: impl ChallengeStore, policy: Policy) -> (Self, Pkce) {
        let host = Arc::new(Host::new("https://as.example"));
        let revoking = Arc::clone(&host);
        let pkce = Pkce::builder(store)
            .issuer("https://as.example")
            .policy(policy)
            .on_replay(move |replay| {
                revoking.revoke(&replay);
                std::future::ready(())
            })
            .build();
        let (listener, wire) = listen();
        let server = match adapter {
            Adapter::Axum => Self::axum_on(listener, wire, axum_fixture::app_with(host, pkce.clone())),
            Adapter::Actix => Self::example_on_actix(listener, wire, actix_fixture::Server::with(host, pkce.clone())),
        };
        (server, pkce)
    }

    /// Any axum application.
    pub fn axum(router: Router) -> Self {
        let (listener, wire) = listen();
        Self::axum_on(listener, wire, router)
    }

    /// Any Actix application, by a function that makes it listen.
    pub fn actix(run: impl FnOnce(TcpListener) -> io::Result<actix_web::dev::Server> + Send + 'static) -> Self {
        let (listener, wire) = listen();
        Self::actix_on(wire, || run(listener))
    }

    fn axum_on(listener: TcpListener, wire: Wire, router: Router) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self { wire, adapter: Adapter::Axum, running: Running::Axum(Some(runtime)) }
    }

    fn example_on_actix(listener: TcpListener, wire: Wire, server: actix_fixture::Server) -> Self {
        Self::actix_on(wire, || {
            let example = HttpServer::new(move || actix_fixture::app(server.clone()));
            Ok(example.workers(2).disable_signals().listen(listener)?.run())
        })
    }

    fn actix_on(wire: Wire, run: impl FnOnce() -> io::Result<actix_web::dev::Server> + Send + 'static) -> Self {
        let (started, starting) = mpsc::channel();
        thread::spawn(move || {
            rt::System::new().block_on(async {
                let server = run().unwrap();
                started.send(server.handle()).unwrap();
                server.await
            })
        });
        Self { wire, adapter: Adapter::Actix, running: Running::Actix(starting.recv().unwrap()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        match &mut self.running {
            Running::Axum(runtime) => {
                if let Some(runtime) = runtime.take() {
                    runtime.shutdown_background();
                }
            }
            // The command is sent at once; nobody waits until it is carried out.
            Running::Actix(handle) => drop(handle.stop(false)),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({:?}, {})", self.adapter, self.wire.0)
    }
}

/// It accepts connections from here on, even if they wait until the server is up.
fn listen() -> (TcpListener, Wire) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let wire = Wire(listener.local_addr().unwrap());
    (listener, wire)
}

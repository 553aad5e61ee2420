//! Servers with a token endpoint, in several variants, on a socket of the loopback interface.

mod actix;
mod axum;
mod by_hand;

use std::error::Error;
use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use pkce_core::{MemoryStore, Pkce, Policy};

use self::by_hand::{ByHand, SameJob};
use crate::ready;
use crate::requests::{CLIENT_ID, REDIRECT_URI, challenge, code};

const LIFETIME: Duration = Duration::from_mins(10);

/// Which adapter the server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each is measured")]
pub enum Adapter {
    /// axum, with `pkce-tower`.
    Axum,
    /// Actix Web, with `pkce-actix`.
    Actix,
}

/// What the token endpoint does before it answers. In each variant the handler reads the form into a struct of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each is measured")]
pub enum Variant {
    /// Nothing.
    Bare,
    /// A layer reads the body and hands it on.
    Buffering,
    /// The handler removes the code from a map, hashes the verifier and compares.
    ByHand,
    /// The handler does by hand what the adapter does.
    SameJob,
    /// The same, and it compares the client and the redirect URI.
    SameJobBound,
    /// The same job by hand in a layer: it reads the body and the form, checks, and hands the body on.
    SameJobLayer,
    /// The adapter.
    Ours,
    /// The adapter, with codes that are bound to the client and the redirect URI.
    OursBound,
}

impl Adapter {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Axum, Self::Actix];
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 8] = [
        Self::Bare,
        Self::Buffering,
        Self::ByHand,
        Self::SameJob,
        Self::SameJobBound,
        Self::SameJobLayer,
        Self::Ours,
        Self::OursBound,
    ];
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Axum => "axum",
            Self::Actix => "actix",
        })
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bare => "bare",
            Self::Buffering => "buffering",
            Self::ByHand => "by-hand",
            Self::SameJob => "same-job",
            Self::SameJobBound => "same-job-bound",
            Self::SameJobLayer => "same-job-layer",
            Self::Ours => "ours",
            Self::OursBound => "ours-bound",
        })
    }
}

/// By the names that they display.
impl FromStr for Adapter {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|adapter| adapter.to_string() == name).ok_or_else(|| format!("no adapter {name}"))
    }
}

/// By the names that they display.
impl FromStr for Variant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|variant| variant.to_string() == name).ok_or_else(|| format!("no variant {name}"))
    }
}

/// Starts a server that runs until the process ends, and serves on one thread. It says where it listens.
///
/// It has issued the codes with these numbers. They live for ten minutes.
///
/// # Errors
///
/// When there is no socket for it, or a code cannot be bound.
pub fn start(adapter: Adapter, variant: Variant, codes: Range<u64>) -> Result<SocketAddr, Box<dyn Error>> {
    let server = Server::new(variant, codes)?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || match adapter {
        Adapter::Axum => axum::serve(listener, server),
        Adapter::Actix => actix::serve(listener, server),
    });
    Ok(address)
}

/// What the handlers of a server use. A variant that keeps its codes elsewhere leaves the others empty.
#[derive(Debug, Clone)]
struct Server {
    variant: Variant,
    pkce: Pkce,
    by_hand: ByHand,
    same_job: SameJob,
}

impl Server {
    fn new(variant: Variant, codes: Range<u64>) -> Result<Self, Box<dyn Error>> {
        let capacity = usize::try_from(codes.end - codes.start)?;
        // A grant has what is bound to a code.
        let store = MemoryStore::builder().capacity(capacity).grant_capacity(capacity * 128).build();
        let pkce = Pkce::builder(store).policy(Policy::new().code_lifetime(LIFETIME)).build();
        let server = Self { variant, pkce, by_hand: ByHand::default(), same_job: SameJob::default() };
        for nth in codes {
            server.issue(&code(nth))?;
        }
        Ok(server)
    }

    fn issue(&self, code: &str) -> Result<(), Box<dyn Error>> {
        let challenge = challenge()?;
        let proof = *challenge.proof().as_bytes();
        let bound = (CLIENT_ID, REDIRECT_URI);
        match self.variant {
            Variant::Bare | Variant::Buffering => {}
            Variant::ByHand => self.by_hand.insert(code, proof),
            Variant::SameJob | Variant::SameJobLayer => self.same_job.insert(code, proof, None, LIFETIME),
            Variant::SameJobBound => self.same_job.insert(code, proof, Some(bound), LIFETIME),
            Variant::Ours => ready(self.pkce.bind(code, challenge).into_future())?,
            Variant::OursBound => {
                ready(self.pkce.bind(code, challenge).client_id(bound.0).redirect_uri(bound.1).into_future())?;
            }
        }
        Ok(())
    }
}

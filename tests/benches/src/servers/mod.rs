//! Servers with a token endpoint, in four variants each, on a socket of the loopback interface.

mod actix;
mod axum;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use pkce_core::{MemoryStore, Pkce};
use sha2::{Digest as _, Sha256};

use crate::ready;
use crate::requests::{TokenForm, challenge};

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
    /// The adapter.
    Ours,
}

impl Adapter {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Axum, Self::Actix];
}

impl Variant {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Bare, Self::Buffering, Self::ByHand, Self::Ours];
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
            Self::Ours => "ours",
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

/// A server that runs until the process ends. It serves on one thread.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    codes: Codes,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When there is no socket for it.
    pub fn start(adapter: Adapter, variant: Variant) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let server = Self { address: listener.local_addr()?, codes: Codes::default() };
        let codes = server.codes.clone();
        std::thread::spawn(move || match adapter {
            Adapter::Axum => axum::serve(listener, variant, codes),
            Adapter::Actix => actix::serve(listener, variant, codes),
        });
        Ok(server)
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes codes redeemable.
    ///
    /// # Errors
    ///
    /// When one cannot be bound.
    pub fn bind(&self, codes: &[String]) -> io::Result<()> {
        let challenge = challenge().map_err(io::Error::other)?;
        for code in codes {
            ready(self.codes.pkce.bind(code, challenge.clone()).into_future()).map_err(io::Error::other)?;
            self.codes.by_hand.insert(code, *challenge.proof().as_bytes());
        }
        Ok(())
    }
}

/// The codes of a server: ours, and those of the variant by hand.
#[derive(Debug, Clone)]
struct Codes {
    pkce: Pkce,
    by_hand: ByHand,
}

impl Default for Codes {
    fn default() -> Self {
        Self { pkce: Pkce::new(MemoryStore::new()), by_hand: ByHand::default() }
    }
}

/// The check as it is written by hand. It does less: codes do not expire, a wrong verifier costs the client its code, a
/// replay is not told from a guess, and parameters may stand twice.
#[derive(Debug, Clone, Default)]
struct ByHand(Arc<Mutex<HashMap<String, [u8; 32]>>>);

impl ByHand {
    fn insert(&self, code: &str, challenge: [u8; 32]) {
        if let Ok(mut codes) = self.0.lock() {
            codes.insert(code.to_owned(), challenge);
        }
    }

    fn check(&self, form: &TokenForm) -> bool {
        let challenge = self.0.lock().ok().and_then(|mut codes| codes.remove(&form.code));
        challenge.is_some_and(|challenge| Sha256::digest(&form.code_verifier) == challenge)
    }
}

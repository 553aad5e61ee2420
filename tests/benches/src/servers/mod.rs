//! Servers with a token endpoint, in four variants each, on a socket of the loopback interface.

mod actix;
mod axum;

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pkce_core::{MemoryStore, Pkce, Policy};
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

/// Starts a server that runs until the process ends, and serves on one thread. It says where it listens.
///
/// Beside `/token` it has `/issue`, which issues the codes in the body. They live for `lifetime`.
///
/// # Errors
///
/// When there is no socket for it.
pub fn start(adapter: Adapter, variant: Variant, lifetime: Duration) -> io::Result<SocketAddr> {
    let policy = Policy::new().code_lifetime(lifetime);
    let pkce = Pkce::builder(MemoryStore::new()).policy(policy).build();
    let codes = Codes { variant, pkce, by_hand: ByHand::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || match adapter {
        Adapter::Axum => axum::serve(listener, codes),
        Adapter::Actix => actix::serve(listener, codes),
    });
    Ok(address)
}

/// Where the codes of a server are, if its variant has any.
#[derive(Debug, Clone)]
struct Codes {
    variant: Variant,
    pkce: Pkce,
    by_hand: ByHand,
}

impl Codes {
    fn issue(&self, codes: &str) -> Result<(), Box<dyn Error>> {
        let challenge = challenge()?;
        for code in codes.split_terminator(' ') {
            match self.variant {
                Variant::Bare | Variant::Buffering => {}
                Variant::ByHand => self.by_hand.insert(code, *challenge.proof().as_bytes()),
                Variant::Ours => ready(self.pkce.bind(code, challenge.clone()).into_future())?,
            }
        }
        Ok(())
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

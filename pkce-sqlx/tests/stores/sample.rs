//! Codes, bindings and attempts.

use std::time::{Duration, SystemTime};

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, BindingParts, CodeDigest, Proof, Ticket};

const PROOF: [u8; 32] = [7; 32];

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A code that nobody else has.
pub(crate) fn code() -> CodeDigest {
    CodeDigest::of(Ticket::generate().unwrap().as_bytes())
}

/// S256, issued now for a minute, with a small grant.
pub(crate) fn binding() -> Binding {
    binding_with(b"a grant".to_vec())
}

pub(crate) fn binding_with(grant: Vec<u8>) -> Binding {
    let until = now().saturating_add(Duration::from_secs(60));
    Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&PROOF),
        grant: Some(grant.into()),
        issued_at: now(),
        expires_at: until,
    })
    .unwrap()
}

/// For a client that may leave the challenge out, with no grant.
pub(crate) fn binding_without_challenge() -> Binding {
    let until = now().saturating_add(Duration::from_secs(60));
    Binding::from_parts(BindingParts { method: "none", proof: None, grant: None, issued_at: now(), expires_at: until })
        .unwrap()
}

/// Expired this many seconds ago.
pub(crate) fn expired(seconds: u64) -> Binding {
    let at = |ago: u64| Timestamp::from_epoch_millis(now().as_epoch_millis() - 1000 * ago);
    Binding::from_parts(BindingParts {
        method: "S256",
        proof: Some(&PROOF),
        grant: None,
        issued_at: at(seconds + 60),
        expires_at: at(seconds),
    })
    .unwrap()
}

/// An attempt with the right proof and a fresh ticket.
pub(crate) fn right() -> Attempt {
    attempt(Some(PROOF))
}

pub(crate) fn wrong() -> Attempt {
    attempt(Some([8; 32]))
}

pub(crate) fn without_proof() -> Attempt {
    attempt(None)
}

fn attempt(proof: Option<[u8; 32]>) -> Attempt {
    Attempt::new(proof.map(Proof::from_bytes), Ticket::generate().unwrap(), now())
}

//! The check as hosts write it by hand.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use constant_time_eq::constant_time_eq_32;
use sha2::{Digest as _, Sha256};

use crate::requests::TokenForm;

/// The least: a map of strings. A code does not expire, a wrong verifier costs the client its code, and a replay is not
/// told from a guess.
#[derive(Debug, Clone, Default)]
pub(super) struct ByHand(Arc<Mutex<HashMap<String, [u8; 32]>>>);

impl ByHand {
    pub(super) fn insert(&self, code: &str, challenge: [u8; 32]) {
        if let Ok(mut codes) = self.0.lock() {
            codes.insert(code.to_owned(), challenge);
        }
    }

    pub(super) fn check(&self, form: &TokenForm) -> bool {
        let challenge = self.0.lock().ok().and_then(|mut codes| codes.remove(&form.code));
        challenge.is_some_and(|challenge| Sha256::digest(&form.code_verifier) == challenge)
    }
}

/// The same job as ours: codes are kept as digests, expire, are redeemed once, and are remembered until they expire, so
/// that a replay is told from a guess. A wrong request changes nothing. `serde` rejects a parameter that comes twice.
#[derive(Debug, Clone, Default)]
pub(super) struct SameJob(Arc<Mutex<Codes>>);

#[derive(Debug, Default)]
struct Codes {
    records: HashMap<[u8; 32], Record>,
    /// In the order in which they expire.
    expiring: VecDeque<(Instant, [u8; 32])>,
}

#[derive(Debug)]
struct Record {
    challenge: [u8; 32],
    /// The client and the redirect URI, if they are compared here.
    bound: Option<(String, String)>,
    expires_at: Instant,
    redeemed: Option<Instant>,
}

impl SameJob {
    pub(super) fn insert(&self, code: &str, challenge: [u8; 32], bound: Option<(&str, &str)>, lifetime: Duration) {
        let (now, digest) = (Instant::now(), Sha256::digest(code).into());
        let Ok(mut codes) = self.0.lock() else { return };
        while codes.expiring.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, expired)) = codes.expiring.pop_front() {
                codes.records.remove(&expired);
            }
        }
        let expires_at = now + lifetime;
        let bound = bound.map(|(client, uri)| (client.to_owned(), uri.to_owned()));
        codes.expiring.push_back((expires_at, digest));
        codes.records.insert(digest, Record { challenge, bound, expires_at, redeemed: None });
    }

    pub(super) fn check(&self, form: &TokenForm) -> bool {
        let (code, verifier) = (form.code.as_bytes(), form.code_verifier.as_bytes());
        let unreserved = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let well_formed = form.grant_type == "authorization_code"
            && (1..=4096).contains(&code.len())
            && code.iter().all(|byte| (0x20..0x7f).contains(byte))
            && (43..=128).contains(&verifier.len())
            && verifier.iter().all(unreserved);
        if !well_formed {
            return false;
        }
        let (now, digest): (_, [u8; 32]) = (Instant::now(), Sha256::digest(code).into());
        let challenge: [u8; 32] = Sha256::digest(verifier).into();
        let Ok(mut codes) = self.0.lock() else { return false };
        let Some(record) = codes.records.get_mut(&digest).filter(|record| now < record.expires_at) else {
            return false;
        };
        let is_right = constant_time_eq_32(&record.challenge, &challenge)
            && record.bound.as_ref().is_none_or(|(client, uri)| *client == form.client_id && *uri == form.redirect_uri);
        let is_first = is_right && record.redeemed.is_none();
        if is_first {
            record.redeemed = Some(now);
        }
        is_first
    }
}

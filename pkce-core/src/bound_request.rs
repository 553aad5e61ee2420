//! The client and the redirect URI of the authorization request, bound to its code (RFC 6749 §4.1.3).

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::proof::Proof;
use crate::reason::Reason;

/// What a token request must name. It travels in front of the grant, so that a store need not know of it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct BoundRequest<'a> {
    pub(crate) client_id: Option<&'a [u8]>,
    pub(crate) redirect_uri: Option<&'a [u8]>,
}

/// Begins a grant that carries a bound request. No JSON text contains it.
const MARK: u8 = 0;

/// The length of a value that is not bound.
const ABSENT: u32 = u32::MAX;

impl<'a> BoundRequest<'a> {
    /// The grant with this request in front of it; the grant itself if nothing is bound.
    ///
    /// In front of each value is its length in four bytes.
    pub(crate) fn with_grant(&self, grant: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        if *self == Self::default() {
            return grant;
        }
        let mut bytes = vec![MARK];
        for (length, value) in self.values() {
            bytes.extend_from_slice(&length);
            bytes.extend_from_slice(value);
        }
        bytes.extend_from_slice(grant.as_deref().unwrap_or_default());
        Some(bytes.into())
    }

    /// Takes a stored grant apart, into what is bound and the grant.
    pub(crate) fn open(stored: Option<&'a Arc<[u8]>>) -> Result<(Self, Option<&'a [u8]>), Reason> {
        let stored = stored.map(|stored| &**stored);
        let Some([MARK, rest @ ..]) = stored else { return Ok((Self::default(), stored)) };
        let (client_id, rest) = take(rest).ok_or(Reason::StoreRecordInvalid)?;
        let (redirect_uri, grant) = take(rest).ok_or(Reason::StoreRecordInvalid)?;
        // A grant after a bound request is JSON, so it is not empty.
        Ok((Self { client_id, redirect_uri }, Some(grant).filter(|grant| !grant.is_empty())))
    }

    /// The proof of a code that is bound to this request: that of its verifier if nothing is bound, otherwise a digest of
    /// it and of the request. No other request has it, so a store does not mark the code for another client.
    pub(crate) fn proof(&self, of_verifier: &Proof) -> Proof {
        if *self == Self::default() {
            return *of_verifier;
        }
        let mut digest = Sha256::new().chain_update(b"client and redirect URI\0").chain_update(of_verifier.as_bytes());
        for (length, value) in self.values() {
            digest = digest.chain_update(length).chain_update(value);
        }
        Proof::from_bytes(digest.finalize().into())
    }

    fn values(&self) -> [([u8; 4], &'a [u8]); 2] {
        [self.client_id, self.redirect_uri].map(|value| {
            let length = value.map_or(ABSENT, |value| u32::try_from(value.len()).unwrap_or(ABSENT));
            (length.to_le_bytes(), value.unwrap_or_default())
        })
    }
}

/// Takes a value off the front. `None` if it is not one that was written here.
fn take(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = u32::from_le_bytes(*length);
    if length == ABSENT {
        return Some((None, rest));
    }
    let (value, rest) = rest.split_at_checked(length as usize)?;
    Some((Some(value), rest))
}

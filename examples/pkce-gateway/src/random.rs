//! The operating system's randomness.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;

/// The operating system yields no randomness.
#[derive(Debug)]
pub(crate) struct NoRandomness;

pub(crate) fn octets<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut octets = [0; N];
    SysRng.try_fill_bytes(&mut octets).map_err(|_| NoRandomness)?;
    Ok(octets)
}

/// `N` random octets as characters of base64url.
pub(crate) fn name<const N: usize>() -> Result<String, NoRandomness> {
    octets::<N>().map(|octets| URL_SAFE_NO_PAD.encode(octets))
}

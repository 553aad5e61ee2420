//! The operating system's randomness.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;

/// The operating system has no randomness.
#[derive(Debug)]
pub(crate) struct NoRandomness;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|_| NoRandomness)?;
    Ok(bytes)
}

/// `N` random bytes in base64url.
pub(crate) fn name<const N: usize>() -> Result<String, NoRandomness> {
    bytes::<N>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

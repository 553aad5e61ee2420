//! Random names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;

/// 256 bits of the operating system's randomness, as 43 characters. `None` if it yields none.
pub(crate) fn name() -> Option<String> {
    let mut octets = [0_u8; 32];
    SysRng.try_fill_bytes(&mut octets).ok()?;
    Some(URL_SAFE_NO_PAD.encode(octets))
}

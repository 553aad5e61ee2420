//! Octets from the operating system's random number generator.

use std::fmt;

use rand::TryRng as _;
use rand::rngs::{SysError, SysRng};
use zeroize::Zeroizing;

/// The operating system's random number generator could not be read.
///
/// Without randomness there is no code, no verifier and no ticket. This crate never panics over it.
#[derive(Debug)]
pub struct RandomError(SysError);

impl fmt::Display for RandomError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operating system's random number generator failed")
    }
}

impl std::error::Error for RandomError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

pub(crate) fn bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomError> {
    let mut bytes = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(bytes.as_mut_slice()).map_err(RandomError)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn a_generator_that_fails_says_so_and_why() {
        let error = RandomError(SysError::UNSUPPORTED);
        assert_eq!(error.to_string(), "the operating system's random number generator failed");
        assert_eq!(error.source().unwrap().to_string(), SysError::UNSUPPORTED.to_string());
    }
}

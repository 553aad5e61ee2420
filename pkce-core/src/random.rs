//! Octets from the operating system's random number generator.

use std::cell::RefCell;
use std::fmt;

use rand::TryRng as _;
use rand::rngs::{SysError, SysRng};
use zeroize::Zeroizing;

/// The operating system's random number generator could not be read.
///
/// This is returned, never panicked over: without randomness there is no code, no verifier and no ticket.
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

/// How many numbers a thread draws at once: one call of the operating system costs as much as the whole check.
const AHEAD: usize = 64;

/// Numbers drawn ahead.
struct Drawn {
    numbers: [[u8; 16]; AHEAD],
    left: usize,
}

thread_local! {
    static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { numbers: [[0; 16]; AHEAD], left: 0 }) };
}

/// A number that differs from all others, given out once. No secret: it has lain in memory for a while, and a process
/// that forks without `exec` would share those that are left.
pub(crate) fn number() -> Result<[u8; 16], RandomError> {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.left == 0 {
            SysRng.try_fill_bytes(drawn.numbers.as_flattened_mut()).map_err(RandomError)?;
        }
        // After the last one comes the first of the next draught.
        drawn.left = drawn.left.checked_sub(1).unwrap_or(AHEAD - 1);
        #[expect(clippy::indexing_slicing, reason = "it is less than the number of them")]
        Ok(drawn.numbers[drawn.left])
    })
}

pub(crate) fn octets<const N: usize>() -> Result<Zeroizing<[u8; N]>, RandomError> {
    let mut octets = Zeroizing::new([0; N]);
    SysRng.try_fill_bytes(octets.as_mut_slice()).map_err(RandomError)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_differ_from_one_draught_to_the_next_and_between_threads() {
        let draw = || (0..3 * AHEAD).map(|_| number().unwrap()).collect::<HashSet<_>>();
        let (mine, others) = (draw(), std::thread::spawn(draw).join().unwrap());
        assert_eq!(mine.len(), 3 * AHEAD);
        assert_eq!(others.len(), 3 * AHEAD);
        assert!(mine.is_disjoint(&others));
    }
}

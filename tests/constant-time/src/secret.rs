//! Requests to valgrind: the instruction sequence of its header `valgrind.h`, for x86-64.
//!
//! The crate `crabgrind` has them too, but its build needs libclang.
#![expect(unsafe_code, reason = "valgrind is asked by instructions that do nothing on a processor")]

use std::arch::asm;

const RUNNING_ON_VALGRIND: u64 = 0x1001;
const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;

/// Whether valgrind runs this program. Without it a request returns zero.
pub(crate) fn is_under_valgrind() -> bool {
    request(RUNNING_ON_VALGRIND, 0, 0) > 0
}

/// Makes these bytes undefined for valgrind. Their values stay.
pub(crate) fn mark(bytes: &[u8]) {
    request(MAKE_MEM_UNDEFINED, bytes.as_ptr() as u64, bytes.len() as u64);
}

fn request(what: u64, one: u64, two: u64) -> u64 {
    let arguments = [what, one, two, 0, 0, 0];
    let mut result = 0_u64;
    // SAFETY: the rotations sum up to 128 bits, so `rdi` is what it was, and `rbx` is exchanged with itself. Valgrind reads the
    // six arguments at `rax` and writes `rdx`.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") result,
            options(nostack),
        );
    }
    result
}

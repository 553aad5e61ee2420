//! Values that a careless comparison takes for one another.

/// Each value that differs from `base` in a single bit.
pub(super) fn one_bit<const N: usize>(base: [u8; N]) -> Vec<(String, [u8; N])> {
    (0..N).flat_map(|byte| (0..8).map(move |bit| (byte, bit))).map(|(byte, bit)| flipped(base, byte, bit)).collect()
}

/// `N` letters, and each value that differs from them in the case or the accent of one letter only: bit 5 and bit 7.
pub(super) fn one_letter<const N: usize>(random: [u8; N]) -> ([u8; N], Vec<(String, [u8; N])>) {
    let letters = random.map(|byte| b'A' + byte % 26);
    let near = (0..N).flat_map(|byte| [5, 7].map(|bit| (byte, bit)));
    (letters, near.map(|(byte, bit)| flipped(letters, byte, bit)).collect())
}

fn flipped<const N: usize>(base: [u8; N], byte: usize, bit: u8) -> (String, [u8; N]) {
    let mut near = base;
    if let Some(byte) = near.get_mut(byte) {
        *byte ^= 1 << bit;
    }
    (format!("bit {bit} of byte {byte} flipped"), near)
}

/// Values that are all different, and of which some are the same as text, as a C string, under a collation, in
/// hexadecimal digits without leading zeros, or when their bytes are added up.
pub(super) fn alike<const N: usize>(base: [u8; N]) -> Vec<(String, [u8; N])> {
    let (middle, end) = (N / 2 - 1, N.saturating_sub(2));
    let mut alike = vec![("random bytes".to_owned(), base)];
    for (what, at, bytes) in [
        // In base64 these two begin with `A` and with `a`; the rest is the same.
        ("A first in base64", 0, &[0x01][..]),
        ("a first in base64", 0, &[0x69]),
        ("A first", 0, b"A"),
        ("a first", 0, b"a"),
        ("A with an accent first, in Latin-1", 0, b"\xc1"),
        ("a with an accent first, in Latin-1", 0, b"\xe1"),
        ("a percent sign first", 0, b"%"),
        ("an underscore first", 0, b"_"),
        ("a quotation mark first", 0, b"'"),
        ("a backslash first", 0, b"\\"),
        ("a zero first, then 1", 0, &[0, 1]),
        ("a zero first, then 2", 0, &[0, 2]),
        ("a blank first", 0, b" \x01"),
        ("a line break first", 0, b"\n\x01"),
        ("the digits 1 and 23 first, in hexadecimal", 0, &[0x01, 0x23]),
        ("the digits 12 and 3 first, in hexadecimal", 0, &[0x12, 0x03]),
        ("the digits 1 and 23 first, in decimal", 0, &[1, 23]),
        ("the digits 12 and 3 first, in decimal", 0, &[12, 3]),
        ("a zero in the middle, then 1", middle, &[0, 1]),
        ("a zero in the middle, then 2", middle, &[0, 2]),
        ("bytes above 0x7f in the middle", middle, &[0xff, 0xfe]),
        ("other bytes above 0x7f in the middle", middle, &[0xfe, 0xff]),
        ("a zero last", end, &[1, 0]),
        ("a blank last", end, b"\x01 "),
        ("a line break last", end, b"\x01\n"),
        ("two zeros last", end, &[0, 0]),
        ("two blanks last", end, b"  "),
    ] {
        let mut value = base;
        for (byte, new) in value.iter_mut().skip(at).zip(bytes) {
            *byte = *new;
        }
        alike.push((what.to_owned(), value));
    }
    let (mut reversed, mut swapped, mut folded) = (base, base, base);
    reversed.reverse();
    swapped.rotate_left(N / 2);
    for byte in folded.iter_mut().step_by(N / 2) {
        *byte ^= 1;
    }
    alike.push(("the bytes in reverse".to_owned(), reversed));
    alike.push(("the halves swapped".to_owned(), swapped));
    alike.push(("the same bit of both halves flipped".to_owned(), folded));
    // Random bytes may be one of the others, and then there is nothing to tell apart.
    alike.sort_by_key(|(_, value)| *value);
    alike.dedup_by_key(|(_, value)| *value);
    alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_flipped_once() {
        let near = one_bit([7_u8; 16]);
        assert_eq!(near.len(), 128);
        for (nth, (what, value)) in near.iter().enumerate() {
            let bits: u32 = value.iter().map(|byte| (byte ^ 7).count_ones()).sum();
            assert_eq!(bits, 1, "{what}");
            assert!(near[..nth].iter().all(|(_, other)| other != value), "{what}");
        }
    }

    #[test]
    fn letters_differ_in_case_or_accent() {
        let (letters, near) = one_letter([27_u8; 16]);
        assert_eq!(letters, [b'B'; 16]);
        assert_eq!(near[0], ("bit 5 of byte 0 flipped".to_owned(), *b"bBBBBBBBBBBBBBBB"));
        assert_eq!(near.len(), 32);
    }

    #[test]
    fn what_is_alike_is_not_the_same() {
        let alike = alike(*b"0123456789abcdef");
        for (nth, (what, value)) in alike.iter().enumerate() {
            assert!(alike[..nth].iter().all(|(_, other)| other != value), "{what}");
        }
        assert_eq!(alike.len(), 31);
    }
}

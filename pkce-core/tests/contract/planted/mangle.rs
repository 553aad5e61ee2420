//! What careless stores compare instead of bytes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mangle {
    FirstHalf,
    LastHalf,
    AllButTheLastByte,
    /// As an integer that lost its sign.
    AllButTheHighestBit,
    /// As a UUID of version 4, which has six bits of its own.
    AllButTheBitsOfAUuid,
    FoldsCase,
    FoldsAccents,
    FoldsCaseOfBase64,
    EndsAtZero,
    TrimsBlanks,
    TrimsTheFront,
    IsLossyText,
    IsHexWithoutZeros,
    IsDecimalWithoutSeparators,
    IsAPattern,
    FoldsHalves,
    AddsUp,
}

impl Mangle {
    pub(crate) const ALL: [Self; 17] = [
        Self::FirstHalf,
        Self::LastHalf,
        Self::AllButTheLastByte,
        Self::AllButTheHighestBit,
        Self::AllButTheBitsOfAUuid,
        Self::FoldsCase,
        Self::FoldsAccents,
        Self::FoldsCaseOfBase64,
        Self::EndsAtZero,
        Self::TrimsBlanks,
        Self::TrimsTheFront,
        Self::IsLossyText,
        Self::IsHexWithoutZeros,
        Self::IsDecimalWithoutSeparators,
        Self::IsAPattern,
        Self::FoldsHalves,
        Self::AddsUp,
    ];

    pub(crate) fn same(self, one: &[u8], other: &[u8]) -> bool {
        self.of(one) == self.of(other)
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let half = bytes.len() / 2;
        match self {
            Self::FirstHalf => bytes[..half].to_vec(),
            Self::LastHalf => bytes[half..].to_vec(),
            Self::AllButTheLastByte => bytes[..bytes.len() - 1].to_vec(),
            Self::AllButTheHighestBit => masked(bytes, &[(0, 0x7f)]),
            Self::AllButTheBitsOfAUuid => masked(bytes, &[(6, 0x0f), (8, 0x3f)]),
            Self::FoldsCase => bytes.to_ascii_lowercase(),
            Self::FoldsAccents => bytes.iter().map(|byte| byte & 0x7f).collect(),
            Self::FoldsCaseOfBase64 => STANDARD.encode(bytes).to_lowercase().into_bytes(),
            Self::EndsAtZero => bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
            Self::TrimsBlanks => bytes.trim_ascii_end().to_vec(),
            Self::TrimsTheFront => bytes.trim_ascii_start().to_vec(),
            Self::IsLossyText => String::from_utf8_lossy(bytes).into_owned().into_bytes(),
            Self::IsHexWithoutZeros => digits(bytes, |digits, byte| write!(digits, "{byte:x}")),
            Self::IsDecimalWithoutSeparators => digits(bytes, |digits, byte| write!(digits, "{byte}")),
            // As if `%` and `_` stood for the first byte, whatever it is.
            Self::IsAPattern if matches!(bytes.first(), Some(b'%' | b'_' | b'A')) => masked(bytes, &[(0, 0)]),
            Self::IsAPattern => bytes.to_vec(),
            Self::FoldsHalves => bytes[..half].iter().zip(&bytes[half..]).map(|(one, other)| one ^ other).collect(),
            Self::AddsUp => bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>().to_be_bytes().to_vec(),
        }
    }
}

fn masked(bytes: &[u8], masks: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (place, mask) in masks {
        bytes[*place] &= mask;
    }
    bytes
}

fn digits(bytes: &[u8], write: fn(&mut String, u8) -> std::fmt::Result) -> Vec<u8> {
    let mut digits = String::new();
    for byte in bytes {
        write(&mut digits, *byte).expect("a string takes everything");
    }
    digits.into_bytes()
}

//! The record: the value under a code's key, which is a line that an operator can read and then the grant's bytes.
//!
//! ```text
//! pkce1 S256  E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM 00000001767225600123 060000 0000000011 -------------------------------- --------------------
//! ^     ^     ^                                           ^                    ^      ^          ^                                ^
//! magic method proof (base64url)                          issued at (ms)       life   grant's    ticket (hexadecimal)             redeemed at (ms)
//! ```
//!
//! Dashes are *none*. Every field has its fixed place, so that a script can mark a record in place. The scripts rely on
//! this: the header has 149 bytes, and the ticket begins at byte 95.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{Binding, BindingParts, Ticket};

use crate::field::{self, Reader};
use crate::invalid_record::InvalidRecord;

const MAGIC: &str = "pkce1";

/// Bytes before the grant, including the end of the line.
const HEADER: usize = 149;

/// A parsed record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) binding: Binding,
    /// The ticket and the time of the redemption, if the code is redeemed.
    pub(crate) redeemed: Option<(Ticket, Timestamp)>,
}

impl Record {
    /// The header of a binding's record.
    pub(crate) fn header(binding: &Binding, redeemed: Option<(Ticket, Timestamp)>) -> String {
        let mut header = String::with_capacity(HEADER);
        let life = binding.lifetime().as_millis();
        // Writing to a string does not fail.
        _ = write!(header, "{MAGIC} {:<5} {} ", binding.method_str(), field::proof(binding.proof()));
        _ = write!(header, "{} {life:06} ", field::time(binding.issued_at()));
        _ = match binding.grant() {
            Some(grant) => write!(header, "{:010}", grant.len()),
            None => write!(header, "{:-<10}", ""),
        };
        _ = match redeemed {
            Some((ticket, at)) => writeln!(header, " {} {}", field::ticket(ticket), field::time(at)),
            None => writeln!(header, " {:-<32} {:-<20}", "", ""),
        };
        header
    }

    /// Parses strictly: accepts exactly what [`Record::header`] writes, byte for byte, and then the grant.
    pub(crate) fn parse(record: &[u8]) -> Result<Self, InvalidRecord> {
        let (header, grant) = record.split_at_checked(HEADER).ok_or(InvalidRecord::Malformed)?;
        let header = str::from_utf8(header).map_err(|_| InvalidRecord::Malformed)?;
        let parsed = Self::read(header, grant)?;
        // One spelling only: no capitals, no leading sign, no other last character of the base64url.
        if Self::header(&parsed.binding, parsed.redeemed) == header {
            Ok(parsed)
        } else {
            Err(InvalidRecord::Malformed)
        }
    }

    fn read(header: &str, grant: &[u8]) -> Result<Self, InvalidRecord> {
        let mut reader = Reader::new(header);
        if reader.text(MAGIC.len())? != MAGIC {
            return Err(InvalidRecord::Malformed);
        }
        let method = reader.text(5)?.trim_ascii_end();
        let proof = reader.proof()?;
        let issued_at = reader.time()?.ok_or(InvalidRecord::Malformed)?;
        let life = reader.number(6)?.ok_or(InvalidRecord::Malformed)?;
        let grant = match reader.number(10)? {
            Some(bytes) if u64::try_from(grant.len()) == Ok(bytes) => Some(Arc::from(grant)),
            None if grant.is_empty() => None,
            _ => return Err(InvalidRecord::Grant),
        };
        let redeemed = match (reader.ticket()?, reader.time()?) {
            (Some(ticket), Some(at)) => Some((ticket, at)),
            (None, None) => None,
            _ => return Err(InvalidRecord::Malformed),
        };
        let expires_at = issued_at.saturating_add(Duration::from_millis(life));
        let proof = proof.as_ref().map(<[u8; 32]>::as_slice);
        let binding = Binding::from_parts(BindingParts { method, proof, grant, issued_at, expires_at })?;
        Ok(Self { binding, redeemed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_epoch_millis(millis)
    }

    fn binding(method: &str, grant: Option<&[u8]>, from: u64, life: u64) -> Binding {
        let proof = (method != Binding::NO_CHALLENGE).then_some(&[0xfb; 32][..]);
        Binding::from_parts(BindingParts {
            method,
            proof,
            grant: grant.map(Arc::from),
            issued_at: at(from),
            expires_at: at(from + life),
        })
        .unwrap()
    }

    fn bytes(binding: &Binding, redeemed: Option<(Ticket, Timestamp)>) -> Vec<u8> {
        let grant = binding.grant().map_or(&[][..], |grant| grant);
        [Record::header(binding, redeemed).as_bytes(), grant].concat()
    }

    #[test]
    fn every_record_comes_back_byte_for_byte() {
        let tickets = [Ticket::BURNED, Ticket::from_bytes([0xff; 16]), Ticket::from_bytes([7; 16])];
        let marks = tickets.map(|ticket| Some((ticket, at(1_767_225_600_999))));
        for redeemed in marks.into_iter().chain([None, Some((Ticket::BURNED, at(u64::MAX)))]) {
            for method in ["S256", "plain", "none"] {
                for grant in [None, Some(&b""[..]), Some(b"alice\n\0\xff")] {
                    for (from, life) in [(0, 1), (1_767_225_600_123, 600_000), (u64::MAX - 60_000, 60_000)] {
                        let binding = binding(method, grant, from, life);
                        let record = bytes(&binding, redeemed);
                        assert_eq!(record.len(), HEADER + grant.map_or(0, <[u8]>::len));
                        assert_eq!(Record::parse(&record), Ok(Record { binding, redeemed }));
                    }
                }
            }
        }
    }

    #[test]
    fn an_operator_can_read_it() {
        let binding = binding("S256", Some(b"alice"), 1_767_225_600_123, 60_000);
        assert_eq!(
            Record::header(&binding, None),
            "pkce1 S256  -_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s 00000001767225600123 060000 0000000005 \
             -------------------------------- --------------------\n"
        );
    }

    /// Any byte of the header replaced by any other, or the record cut anywhere: rejected, or another valid record.
    #[test]
    fn what_is_accepted_is_what_is_written() {
        let mark = Some((Ticket::from_bytes([7; 16]), at(1_767_225_600_999)));
        for valid in [("S256", mark), ("plain", None), ("none", mark)] {
            let record = bytes(&binding(valid.0, Some(b"alice"), 1_767_225_600_123, 60_000), valid.1);
            for place in 0..HEADER {
                for byte in 0..=255 {
                    let mut tampered = record.clone();
                    tampered[place] = byte;
                    if let Ok(Record { binding, redeemed }) = Record::parse(&tampered) {
                        assert_eq!(bytes(&binding, redeemed), tampered, "byte {place} became {byte}");
                    }
                }
            }
            for length in 0..record.len() {
                assert!(Record::parse(&record[..length]).is_err(), "cut to {length}");
            }
            assert_eq!(Record::parse(&[&record[..], b"x"].concat()), Err(InvalidRecord::Grant));
            let without_grant = bytes(&binding(valid.0, None, 1_767_225_600_123, 60_000), valid.1);
            assert_eq!(Record::parse(&[&without_grant[..], b"x"].concat()), Err(InvalidRecord::Grant));
        }
    }
}

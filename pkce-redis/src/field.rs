//! The fields of a record. Each has a fixed width; dashes are *none*.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkce_core::Timestamp;
use pkce_core::store::{Proof, Ticket};

use crate::record::InvalidRecord;

const PROOF: usize = 43;
const TIME: usize = 20;
const TICKET: usize = 32;

/// 43 characters of base64url: for S256 the code challenge itself.
pub(crate) fn proof(proof: Option<&Proof>) -> String {
    proof.map_or_else(|| "-".repeat(PROOF), |proof| URL_SAFE_NO_PAD.encode(proof.as_bytes()))
}

/// 20 digits, which hold every 64-bit number.
pub(crate) fn time(time: Timestamp) -> String {
    format!("{:020}", time.as_epoch_millis())
}

/// 32 lower-case hexadecimal digits.
pub(crate) fn ticket(ticket: Ticket) -> String {
    format!("{:032x}", u128::from_be_bytes(*ticket.as_bytes()))
}

/// Reads one field after the other.
pub(crate) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(header: &'a str) -> Self {
        Self { rest: header }
    }

    /// Reads a field of `width` characters and the separator after it.
    pub(crate) fn text(&mut self, width: usize) -> Result<&'a str, InvalidRecord> {
        let (field, rest) = self.rest.split_at_checked(width).ok_or(InvalidRecord::Malformed)?;
        self.rest = rest.strip_prefix([' ', '\n']).ok_or(InvalidRecord::Malformed)?;
        Ok(field)
    }

    fn parsed<T>(&mut self, width: usize, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, InvalidRecord> {
        let field = self.text(width)?;
        if field.bytes().all(|byte| byte == b'-') {
            return Ok(None);
        }
        parse(field).map(Some).ok_or(InvalidRecord::Malformed)
    }

    pub(crate) fn number(&mut self, width: usize) -> Result<Option<u64>, InvalidRecord> {
        self.parsed(width, |field| u64::from_str(field).ok())
    }

    pub(crate) fn time(&mut self) -> Result<Option<Timestamp>, InvalidRecord> {
        Ok(self.number(TIME)?.map(Timestamp::from_epoch_millis))
    }

    pub(crate) fn ticket(&mut self) -> Result<Option<Ticket>, InvalidRecord> {
        let ticket = |field: &str| u128::from_str_radix(field, 16).ok();
        Ok(self.parsed(TICKET, ticket)?.map(|ticket| Ticket::from_bytes(ticket.to_be_bytes())))
    }

    pub(crate) fn proof(&mut self) -> Result<Option<[u8; 32]>, InvalidRecord> {
        self.parsed(PROOF, |field| URL_SAFE_NO_PAD.decode(field).ok()?.try_into().ok())
    }
}

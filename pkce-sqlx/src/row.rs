//! A row as it was read, and the only place where it is parsed.

use std::fmt;

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Binding, BindingParts, InvalidBinding, Redemption, Ticket};
use sqlx::{ColumnIndex, Decode, Row, Type};

/// The values of a row's columns, not parsed yet.
#[derive(Default)]
pub struct Columns {
    code_challenge_method: Option<String>,
    proof: Option<Vec<u8>>,
    grant_record: Option<Vec<u8>>,
    issued_at: Option<i64>,
    expires_at: Option<i64>,
    ticket: Option<Vec<u8>>,
    redeemed_at: Option<i64>,
}

/// Shows neither proof nor grant, nor a value that may belong to another column.
impl fmt::Debug for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Columns")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .field("redeemed_at", &self.redeemed_at)
            .finish_non_exhaustive()
    }
}

impl Columns {
    /// Reads the columns of the only row that a code can have.
    pub(crate) fn of<R: Row>(rows: &[R]) -> Result<Option<Self>, InvalidRow>
    where
        usize: ColumnIndex<R>,
        for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    {
        match rows {
            [] => Ok(None),
            [row] => Self::read(row).map(Some),
            _ => Err(InvalidRow::Ambiguous),
        }
    }

    /// Reads the columns in the order in which every statement names them. A column whose type was changed is an error.
    fn read<R: Row>(row: &R) -> Result<Self, InvalidRow>
    where
        usize: ColumnIndex<R>,
        for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
        for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    {
        Ok(Self {
            code_challenge_method: column(row, 0)?,
            proof: column(row, 1)?,
            grant_record: column(row, 2)?,
            issued_at: column(row, 3)?,
            expires_at: column(row, 4)?,
            ticket: column(row, 5)?,
            redeemed_at: column(row, 6)?,
        })
    }

    /// Returns what these columns mean for an attempt; `None` if it could have been granted. Then another transaction changed
    /// the row between the statement's look and its write, and the statement has to be sent again.
    pub(crate) fn redemption(self, attempt: &Attempt) -> Result<Option<Redemption>, InvalidRow> {
        let method = self.code_challenge_method.ok_or(InvalidRow::Column("code_challenge_method"))?;
        let binding = Binding::from_parts(BindingParts {
            method: &method,
            proof: self.proof.as_deref(),
            grant: self.grant_record.map(Into::into),
            issued_at: time("issued_at", self.issued_at)?,
            expires_at: time("expires_at", self.expires_at)?,
        })
        .map_err(InvalidRow::Binding)?;
        let redeemed_at = self.redeemed_at.map(|at| time("redeemed_at", Some(at))).transpose()?;
        let ticket = self.ticket.as_deref().map(<[u8; 16]>::try_from).transpose();
        let ticket = ticket.map_err(|_| InvalidRow::Column("ticket"))?.map(Ticket::from_bytes);
        Ok(match (ticket, redeemed_at) {
            (Some(ticket), Some(_)) if ticket == attempt.ticket() => Some(Redemption::First(binding)),
            (Some(ticket), Some(at)) => Some(Redemption::Again { binding, ticket, at }),
            (None, None) if binding.proof() == attempt.proof() && attempt.at() < binding.expires_at() => None,
            (None, None) => Some(Redemption::Refused(binding)),
            (Some(_), None) | (None, Some(_)) => return Err(InvalidRow::Redemption),
        })
    }
}

fn column<'r, R: Row, T>(row: &'r R, index: usize) -> Result<Option<T>, InvalidRow>
where
    usize: ColumnIndex<R>,
    T: Decode<'r, R::Database> + Type<R::Database>,
{
    // The error of sqlx is dropped: it may quote the value that it cannot decode.
    row.try_get(index).map_err(|_| InvalidRow::Column(NAMES.get(index).copied().unwrap_or_default()))
}

const NAMES: [&str; 7] =
    ["code_challenge_method", "proof", "grant_record", "issued_at", "expires_at", "ticket", "redeemed_at"];

fn time(column: &'static str, millis: Option<i64>) -> Result<Timestamp, InvalidRow> {
    let millis = millis.and_then(|millis| u64::try_from(millis).ok()).ok_or(InvalidRow::Column(column))?;
    Ok(Timestamp::from_epoch_millis(millis))
}

/// A row that this crate did not write, or that was changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidRow {
    /// This column is NULL, or holds a value of another type, length or range.
    Column(&'static str),
    /// The columns are no binding.
    Binding(InvalidBinding),
    /// It has a ticket and no time of redemption, or a time and no ticket.
    Redemption,
    /// One code has several rows.
    Ambiguous,
}

impl fmt::Display for InvalidRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => write!(f, "the column {name} does not hold what was written"),
            Self::Binding(error) => error.fmt(f),
            Self::Redemption => f.write_str("the columns ticket and redeemed_at contradict each other"),
            Self::Ambiguous => f.write_str("there are several rows for one code"),
        }
    }
}

impl std::error::Error for InvalidRow {}

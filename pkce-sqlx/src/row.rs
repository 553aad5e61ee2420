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

#[cfg(test)]
mod tests {
    use pkce_core::store::Proof;
    use proptest::collection::vec;
    use proptest::option::weighted;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const NOW: i64 = 1_767_225_600_000;
    const PRESENTED: [u8; 32] = [7; 32];
    const TICKET: [u8; 16] = [9; 16];

    fn attempt() -> Attempt {
        let at = Timestamp::from_epoch_millis(NOW.unsigned_abs());
        Attempt::new(Some(Proof::from_bytes(PRESENTED)), Ticket::from_bytes(TICKET), at)
    }

    /// Mostly a moment near now, and any number.
    fn moment() -> impl Strategy<Value = Option<i64>> {
        let moment =
            prop_oneof![20 => NOW - 700_000..NOW + 700_000, 1 => any::<i64>(), 1 => select(vec![NOW, NOW + 1])];
        weighted(0.95, moment)
    }

    prop_compose! {
        fn columns()(
            method in weighted(0.95, select(vec!["S256", "S256", "plain", "none", "", "s256", "none "])),
            proof in weighted(0.8, prop_oneof![
                4 => Just(PRESENTED.to_vec()), 4 => vec(any::<u8>(), 32), 1 => vec(any::<u8>(), 0..40),
            ]),
            grant in weighted(0.5, vec(any::<u8>(), 0..4)),
            issued_at in moment(),
            expires_at in moment(),
            ticket in weighted(0.5, prop_oneof![
                4 => Just(TICKET.to_vec()), 4 => vec(any::<u8>(), 16), 1 => vec(any::<u8>(), 0..20),
            ]),
            redeemed_at in moment(),
            is_redeemed in any::<bool>(),
        ) -> Columns {
            Columns {
                code_challenge_method: method.map(str::to_owned),
                proof,
                grant_record: grant,
                issued_at,
                expires_at,
                ticket,
                redeemed_at: redeemed_at.filter(|_| is_redeemed),
            }
        }
    }

    /// Whether the columns are what this crate writes.
    fn is_valid(columns: &Columns) -> bool {
        let is_bound = match (columns.code_challenge_method.as_deref(), &columns.proof) {
            (Some("S256" | "plain"), Some(proof)) => proof.len() == 32,
            (Some("none"), None) => true,
            _ => false,
        };
        let lives = matches!((columns.issued_at, columns.expires_at), (Some(from @ 0..), Some(until @ 0..))
            if (1..=600_000).contains(&(i128::from(until) - i128::from(from))));
        let is_marked = match (&columns.ticket, columns.redeemed_at) {
            (None, None) => true,
            (Some(ticket), Some(0..)) => ticket.len() == 16,
            _ => false,
        };
        is_bound && lives && is_marked
    }

    #[test]
    fn a_code_is_expired_at_the_millisecond_of_its_expiry() {
        for (expires_at, is_refused) in [(NOW, true), (NOW + 1, false)] {
            let live = Columns {
                code_challenge_method: Some("S256".to_owned()),
                proof: Some(PRESENTED.to_vec()),
                issued_at: Some(NOW - 1),
                expires_at: Some(expires_at),
                ..Columns::default()
            };
            assert_eq!(live.redemption(&attempt()).unwrap().is_some(), is_refused);
        }
    }

    #[test]
    fn debug_shows_the_times_alone_and_an_error_what_is_wrong() {
        let columns = Columns { proof: Some(PRESENTED.to_vec()), issued_at: Some(1), ..Columns::default() };
        let shown = "Columns { issued_at: Some(1), expires_at: None, redeemed_at: None, .. }";
        assert_eq!(format!("{columns:?}"), shown);
        for (error, text) in [
            (InvalidRow::Column("proof"), "the column proof does not hold what was written"),
            (InvalidRow::Binding(InvalidBinding::Method), "the recorded method is not S256, plain or none"),
            (InvalidRow::Redemption, "the columns ticket and redeemed_at contradict each other"),
            (InvalidRow::Ambiguous, "there are several rows for one code"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// `PROPTEST_CASES=10000000 cargo test --release -p pkce-sqlx --lib row` is a long run.
        #[test]
        fn a_row_is_read_exactly_or_not_at_all(columns in columns()) {
            let copy = Columns { code_challenge_method: columns.code_challenge_method.clone(), proof: columns.proof.clone(),
                grant_record: columns.grant_record.clone(), ticket: columns.ticket.clone(), ..columns };
            let valid = is_valid(&columns);
            let redemption = copy.redemption(&attempt());
            prop_assert_eq!(redemption.is_ok(), valid);
            let Ok(redemption) = redemption else { return Ok(()) };
            let matches = columns.proof.as_deref() == Some(&PRESENTED);
            let is_live = columns.expires_at > Some(NOW);
            let binding = match redemption {
                None => {
                    prop_assert!(columns.ticket.is_none() && matches && is_live);
                    return Ok(());
                }
                Some(Redemption::First(binding)) => {
                    prop_assert_eq!(columns.ticket.as_deref(), Some(&TICKET[..]));
                    binding
                }
                Some(Redemption::Again { binding, ticket, at }) => {
                    prop_assert!(ticket.as_bytes() != &TICKET);
                    prop_assert_eq!(columns.ticket.as_deref(), Some(&ticket.as_bytes()[..]));
                    prop_assert_eq!(columns.redeemed_at.map(i64::unsigned_abs), Some(at.as_epoch_millis()));
                    binding
                }
                Some(Redemption::Refused(binding)) => {
                    prop_assert!(columns.ticket.is_none() && !(matches && is_live));
                    binding
                }
                Some(Redemption::Unknown) => return Err(TestCaseError::fail("there is a row")),
            };
            prop_assert_eq!(Some(binding.method_str()), columns.code_challenge_method.as_deref());
            prop_assert_eq!(binding.proof().map(|proof| &proof.as_bytes()[..]), columns.proof.as_deref());
            prop_assert_eq!(binding.grant().map(|grant| &grant[..]), columns.grant_record.as_deref());
            prop_assert_eq!(Some(binding.issued_at().as_epoch_millis()), columns.issued_at.map(i64::unsigned_abs));
            prop_assert_eq!(Some(binding.expires_at().as_epoch_millis()), columns.expires_at.map(i64::unsigned_abs));
        }
    }
}

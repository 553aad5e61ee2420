//! Why a statement did not do what it was sent for, what follows from that, and what may be told of it.

use std::fmt;

use pkce_core::store::StoreError;
use sqlx::error::DatabaseError;

use crate::row::InvalidRow;

/// What is to be done about an error of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Somebody else was faster, and nothing was done. Sending the same again is right.
    Passing,
    /// The connection is gone, and the answer with it: it was done or not. Sending the same again is right, too: every
    /// verb is idempotent.
    Broken,
    /// There is no room.
    Full,
    /// It would only happen again.
    Lasting,
}

/// How a verb failed.
#[derive(Debug)]
pub enum Failure {
    /// By an error of sqlx or of the database.
    Sqlx(sqlx::Error),
    /// By a row that cannot be believed.
    InvalidRow(InvalidRow),
    /// The row changed while the statement looked at it.
    Contended,
    /// The connection does not commit what it is told, so it was told nothing.
    NotCommitted,
    /// A time that no database can hold: after the year 292 277 026.
    TooLate,
}

impl Failure {
    pub(crate) fn fault(&self, of_database: fn(&sqlx::Error) -> Fault) -> Fault {
        match self {
            Self::Sqlx(sqlx::Error::Io(_)) => Fault::Broken,
            Self::Contended => Fault::Passing,
            Self::Sqlx(error) => of_database(error),
            Self::InvalidRow(_) | Self::NotCommitted | Self::TooLate => Fault::Lasting,
        }
    }

    pub(crate) fn into_store_error(self, fault: Fault) -> StoreError {
        match self {
            Self::InvalidRow(error) => StoreError::invalid_record(error),
            Self::Contended => StoreError::unavailable("the code was changed by others at every attempt"),
            Self::NotCommitted => StoreError::unavailable("the connection is not in autocommit mode"),
            Self::TooLate => StoreError::unavailable("a time is too late for a BIGINT"),
            Self::Sqlx(_) if fault == Fault::Full => StoreError::full(),
            Self::Sqlx(error) => StoreError::unavailable(Reported::from(error)),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sqlx(error)
    }
}

impl From<InvalidRow> for Failure {
    fn from(error: InvalidRow) -> Self {
        Self::InvalidRow(error)
    }
}

/// What sqlx reported, in words. Deliberately not its error: the details of a database error quote rows, and a
/// configuration error the address of the database.
#[derive(Debug)]
struct Reported(String);

impl From<sqlx::Error> for Reported {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error;

        Self(match error {
            Error::Database(error) => reported(&*error),
            Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
                error.to_string()
            }
            Error::Protocol(_) => "the database answered something that sqlx does not understand".to_owned(),
            _ => "sqlx could not send the statement".to_owned(),
        })
    }
}

/// The code, and the message if it is of a kind that quotes no values.
fn reported(error: &dyn DatabaseError) -> String {
    let code = error.code().unwrap_or_default();
    let (number, from_within) = (number(error), is_from_within(error));
    let harmless = match code.len() {
        // In MySQL a trigger can give any code and number, and nothing tells it from the server.
        SQLSTATE if number.is_some() || from_within => false,
        SQLSTATE => HARMLESS.iter().any(|class| code.starts_with(class)),
        // SQLite's; in the lowest octet 19 is SQLITE_CONSTRAINT, which triggers report with words of their own.
        _ => code.parse::<u32>().is_ok_and(|code| code & 0xff != 19),
    };
    let number = number.map(|number| format!(" ({number})")).unwrap_or_default();
    if harmless {
        format!("the database reported {code}{number}: {}", error.message())
    } else if code.starts_with("22") || code.starts_with("23") {
        format!("the database refused a value: {code}{number}")
    } else {
        format!("the database reported {code}{number}")
    }
}

/// The length of a code of the SQL standard.
const SQLSTATE: usize = 5;

/// Classes of SQLSTATE whose messages, if they are PostgreSQL's own, are about connections, transactions, names, rights and
/// resources. Deliberately not 22 and 23 (values), and P0 (the words of a trigger).
const HARMLESS: [&str; 12] = ["08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"];

/// Whether a function or a trigger was at work, whose words may be about anybody, under any code.
#[cfg(feature = "postgres")]
fn is_from_within(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some_and(|error| error.r#where().is_some())
}

#[cfg(not(feature = "postgres"))]
fn is_from_within(_: &dyn DatabaseError) -> bool {
    false
}

/// MySQL's own number, which says more than its SQLSTATE.
#[cfg(feature = "mysql")]
fn number(error: &dyn DatabaseError) -> Option<u16> {
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

#[cfg(not(feature = "mysql"))]
fn number(_: &dyn DatabaseError) -> Option<u16> {
    None
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Reported {}

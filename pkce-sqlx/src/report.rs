//! What the log may say of a failure: fixed sentences, the database's code, and its message if it quotes no value.

use std::borrow::Cow;
use std::fmt;

use sqlx::Error;
use sqlx::error::DatabaseError;

/// The words for an error of sqlx. Deliberately not the error itself: the details of a database error quote rows, and a
/// configuration error may quote the address of the database.
#[derive(Debug, Clone)]
pub struct Report(Cow<'static, str>);

impl Report {
    /// For an error while a connection was made.
    pub(crate) fn of_connect(error: Error) -> Self {
        match error {
            Error::Io(error) => format!("the database cannot be reached: {error}").into(),
            Error::Configuration(error) if error.to_string().contains("mysql-rsa") => {
                "the password of this MySQL account (caching_sha2_password or sha256_password) needs TLS, \
                 or the feature `mysql-rsa` of sqlx"
                    .into()
            }
            Error::Protocol(error) if error.starts_with("unknown authentication plugin") => {
                "sqlx does not support the authentication plugin of this account".into()
            }
            error => Self::of_statement(error),
        }
    }

    /// For an error of a statement.
    pub(crate) fn of_statement(error: Error) -> Self {
        match error {
            Error::Database(error) => of_database(&*error).into(),
            Error::Io(error) => format!("the connection to the database broke: {error}").into(),
            Error::PoolTimedOut => "the pool gave no connection within its acquire_timeout".into(),
            Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => error.to_string().into(),
            Error::Protocol(_) => "sqlx does not understand the response of the database".into(),
            Error::Configuration(_) => "sqlx rejects the options of the connection".into(),
            _ => "sqlx could not send the statement".into(),
        }
    }
}

/// A fixed sentence where the operator has to act, the code, and the message if it is of a kind that quotes no values.
fn of_database(error: &dyn DatabaseError) -> String {
    let code = error.code().unwrap_or_default();
    let number = number(error);
    let shown = number.map_or_else(|| code.to_string(), |number| format!("{code} ({number})"));
    match (number, &*code) {
        (None, "25006") | (Some(1290 | 1792 | 1836), _) => return format!("the database is read-only: {shown}"),
        (None, "53300") | (Some(1040 | 1203 | 1226), _) => {
            return format!("the database accepts no more connections: {shown}");
        }
        (None, "57P03") => return format!("the database is starting or stopping: {shown}"),
        _ => {}
    }
    let harmless = match code.len() {
        // In MySQL a trigger can raise any code and number, and nothing tells it from the server.
        SQLSTATE if number.is_some() || is_from_trigger(error) => false,
        SQLSTATE => HARMLESS.iter().any(|class| code.starts_with(class)),
        // SQLite's; the primary code is its lowest byte. 19 is SQLITE_CONSTRAINT, by which triggers report in their own words.
        _ => code.parse::<u32>().is_ok_and(|code| code & 0xff != 19),
    };
    if harmless {
        format!("the database reported {shown}: {}", error.message())
    } else if code.starts_with("22") || code.starts_with("23") {
        format!("the database rejected a value: {shown}")
    } else {
        format!("the database reported {shown}")
    }
}

/// The length of a code of the SQL standard.
const SQLSTATE: usize = 5;

/// Classes of SQLSTATE whose messages, if they are PostgreSQL's own, are about features, connections, transactions,
/// prepared statements, names, rights and resources. Deliberately not 22 and 23 (values), and P0 (raised by triggers).
const HARMLESS: [&str; 14] = ["08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"];

/// Whether a function or a trigger raised the error, with a message of its own under any code.
#[cfg(feature = "postgres")]
fn is_from_trigger(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some_and(|error| error.r#where().is_some())
}

#[cfg(not(feature = "postgres"))]
fn is_from_trigger(_: &dyn DatabaseError) -> bool {
    false
}

/// MySQL's own number, which is more exact than its SQLSTATE.
#[cfg(feature = "mysql")]
fn number(error: &dyn DatabaseError) -> Option<u16> {
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

#[cfg(not(feature = "mysql"))]
fn number(_: &dyn DatabaseError) -> Option<u16> {
    None
}

impl From<&'static str> for Report {
    fn from(words: &'static str) -> Self {
        Self(words.into())
    }
}

impl From<String> for Report {
    fn from(words: String) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Report {}

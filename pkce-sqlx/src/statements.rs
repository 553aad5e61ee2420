//! The statements of one table.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::sql::Sql;
use crate::table_name::TableName;

/// The statements of one table. sqlx caches what it prepares by their text.
#[derive(Debug)]
pub struct Statements {
    pub(crate) insert: &'static str,
    pub(crate) insert_again: &'static str,
    pub(crate) redeem: &'static str,
    pub(crate) restore: &'static str,
    pub(crate) delete_expired: &'static str,
    pub(crate) create_table: &'static str,
    #[cfg(feature = "mysql")]
    pub(crate) mysql: crate::mysql::MySqlStatements,
}

impl Statements {
    pub(crate) fn of<DB: Sql>(table: &TableName) -> Self {
        let placed = |sql| interned(table.place(sql, DB::MARK));
        Self {
            insert: placed(DB::INSERT),
            insert_again: placed(DB::INSERT_AGAIN),
            redeem: placed(DB::REDEEM),
            restore: placed(DB::RESTORE),
            delete_expired: placed(DB::DELETE_EXPIRED),
            create_table: interned(DB::ddl(table)),
            #[cfg(feature = "mysql")]
            mysql: crate::mysql::MySqlStatements::of(placed),
        }
    }
}

/// The same text for the rest of the process: `&'static str` is what sqlx 0.8 and 0.9 both take for a statement that is
/// safe. It is our own constant with a [`TableName`] in it, which is letters, digits and underscores in quotation
/// marks. There is one for each statement of each table that the server names.
fn interned(sql: String) -> &'static str {
    static INTERNED: Mutex<Option<HashMap<String, &'static str>>> = Mutex::new(None);
    let mut interned = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    interned.get_or_insert_default().entry(sql).or_insert_with_key(|sql| sql.clone().leak())
}

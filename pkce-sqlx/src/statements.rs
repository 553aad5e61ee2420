//! The statements of one table.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The statements of one table. sqlx caches what it prepares by their text.
#[derive(Debug)]
pub struct Statements<M> {
    pub(crate) insert: &'static str,
    pub(crate) insert_again: &'static str,
    pub(crate) redeem: &'static str,
    pub(crate) restore: &'static str,
    pub(crate) delete_expired: &'static str,
    pub(crate) create_table: &'static str,
    /// Those that only this database has.
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "only MySQL has more"))]
    pub(crate) more: M,
}

/// The same text for the rest of the process: `&'static str` is what sqlx 0.8 and 0.9 both take for a statement that is
/// safe. It is our own constant with a [`TableName`](crate::table_name::TableName) in it, which is letters, digits and underscores in quotation
/// marks. There is one for each statement of each table that the server names.
pub(crate) fn interned(sql: String) -> &'static str {
    static INTERNED: Mutex<Option<HashMap<String, &'static str>>> = Mutex::new(None);
    let mut interned = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    interned.get_or_insert_default().entry(sql).or_insert_with_key(|sql| sql.clone().leak())
}

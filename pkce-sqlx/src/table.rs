//! What the table must look like, and what differs.

use std::fmt::Write as _;

use crate::table_name::TableName;

/// The columns, and whether each may be NULL.
pub(crate) const COLUMNS: [(&str, bool); 8] = [
    ("code_digest", false),
    ("code_challenge_method", false),
    ("proof", true),
    ("grant_record", true),
    ("issued_at", false),
    ("expires_at", false),
    ("ticket", true),
    ("redeemed_at", true),
];

/// A table as the database describes it.
#[derive(Debug)]
pub struct FoundTable {
    pub(crate) columns: Vec<FoundColumn>,
    /// Whether `code_digest` alone is unique.
    pub(crate) has_unique_code: bool,
    /// Whether an index begins with `expires_at`.
    pub(crate) has_expiry_index: bool,
    /// What else is wrong, in the words of the database's dialect.
    pub(crate) other: Option<String>,
}

/// A column as the database describes it.
#[derive(Debug)]
pub(crate) struct FoundColumn {
    pub(crate) name: String,
    /// In lower case, with its length in parentheses where it has one.
    pub(crate) kind: String,
    pub(crate) not_null: bool,
    pub(crate) has_default: bool,
}

impl FoundTable {
    /// Returns what differs from the expected table, in one sentence; `None` if nothing does.
    pub(crate) fn differences(&self, table: &TableName, types: [&str; 8]) -> Option<String> {
        let mut differences = Vec::new();
        for ((name, may_be_null), expected) in COLUMNS.into_iter().zip(types) {
            match self.columns.iter().find(|found| found.name == name) {
                None => differences.push(format!("the column {name} is missing")),
                Some(found) if !fits(&found.kind, expected) => {
                    differences.push(format!("the column {name} is {}, not {expected}", found.kind));
                }
                Some(found) if may_be_null && found.not_null => {
                    differences.push(format!("the column {name} cannot be NULL"));
                }
                Some(_) => {}
            }
        }
        let unknown = |found: &&FoundColumn| COLUMNS.iter().all(|(name, _)| *name != found.name);
        for found in self.columns.iter().filter(unknown).filter(|found| found.not_null && !found.has_default) {
            differences.push(format!("the column {} needs a value that the store does not write", found.name));
        }
        if !self.has_unique_code {
            differences.push("code_digest is not the primary key".to_owned());
        }
        if !self.has_expiry_index {
            differences.push("there is no index on expires_at".to_owned());
        }
        differences.extend(self.other.clone());
        let (first, rest) = differences.split_first()?;
        let mut sentence = format!("the table {table} is not as expected: {first}");
        for difference in rest {
            let _ = write!(sentence, "; {difference}");
        }
        Some(sentence)
    }
}

/// Whether a column of this type holds what the expected one does: the same type, of the same length or longer.
fn fits(found: &str, expected: &str) -> bool {
    let (found, found_length) = parsed(found);
    let (expected, expected_length) = parsed(expected);
    // MariaDB gives integers a width, which limits nothing.
    found == expected && (found == "bigint" || found_length.unwrap_or(u64::MAX) >= expected_length.unwrap_or(0))
}

/// `varbinary(32)` is `varbinary` and 32.
fn parsed(kind: &str) -> (&str, Option<u64>) {
    let Some((name, length)) = kind.split_once('(') else { return (kind, None) };
    match length.strip_suffix(')').and_then(|length| length.parse().ok()) {
        Some(length) => (name, Some(length)),
        None => (kind, None),
    }
}

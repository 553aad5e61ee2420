//! The name of the table: identifiers, so that a statement with it cannot become another one.

use std::fmt;
use std::str::FromStr;

/// The length of the longest identifier: PostgreSQL truncates names after 63 bytes, MySQL rejects those of 65, and the name
/// of the index is that of the table followed by `_expires_at`.
const MAX_IDENTIFIER: usize = 48;

/// The name in every statement, which [`TableName::place`] replaces.
const DEFAULT: &str = "pkce_codes";

/// The name of a table, with or without the name of its schema (in MySQL: of its database).
///
/// * An identifier is an ASCII letter or underscore, followed by letters, digits and underscores: 1 to 48 bytes.
/// * Two identifiers with a dot between them are schema and table. Without a schema the table is in the connection's own.
/// * It is quoted in statements: it may be a reserved word, and upper and lower case differ.
/// * The default is `pkce_codes`.
///
/// Only a value of this type ever becomes part of a statement.
///
/// ```
/// use pkce_sqlx::TableName;
///
/// let table = TableName::new("auth.pkce_codes")?;
/// assert_eq!(table.to_string(), "auth.pkce_codes");
/// assert!(TableName::new("pkce_codes; DROP TABLE users").is_err());
/// # Ok::<(), pkce_sqlx::InvalidTableName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    schema: Option<Box<str>>,
    table: Box<str>,
}

impl TableName {
    /// Parses `table` or `schema.table`.
    ///
    /// # Errors
    ///
    /// When it is neither one identifier nor two with a dot between them.
    pub fn new(name: &str) -> Result<Self, InvalidTableName> {
        let (schema, table) = name.split_once('.').map_or((None, name), |(schema, table)| (Some(schema), table));
        Ok(Self { schema: schema.map(identifier).transpose()?, table: identifier(table)? })
    }

    /// Returns the identifier of the schema, if there is one.
    #[cfg(any(feature = "mysql", feature = "sqlite"))]
    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Returns the identifier of the table.
    #[cfg(any(feature = "mysql", feature = "sqlite"))]
    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// Returns the name between these quotation marks, as it is in a statement.
    #[cfg(feature = "postgres")]
    pub(crate) fn quoted(&self, mark: char) -> String {
        self.place(&format!("{mark}{DEFAULT}{mark}"), mark)
    }

    /// Returns the same table without its schema.
    #[cfg(feature = "sqlite")]
    pub(crate) fn unqualified(&self) -> Self {
        Self { schema: None, table: self.table.clone() }
    }

    /// Replaces the default name in a statement with this one, between these quotation marks. The index is named after the
    /// table, and has no schema of its own.
    pub(crate) fn place(&self, sql: &str, mark: char) -> String {
        let quoted = |name: &str| format!("{mark}{name}{mark}");
        let index = |table: &str| quoted(&format!("{table}_expires_at"));
        let schema = self.schema.as_deref().map(|schema| quoted(schema) + ".").unwrap_or_default();
        sql.replace(&index(DEFAULT), &index(&self.table)).replace(&quoted(DEFAULT), &(schema + &quoted(&self.table)))
    }
}

fn identifier(name: &str) -> Result<Box<str>, InvalidTableName> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_well = name.bytes().next().is_some_and(|byte| plain(byte) && !byte.is_ascii_digit());
    if starts_well && name.bytes().all(plain) && name.len() <= MAX_IDENTIFIER {
        Ok(name.into())
    } else {
        Err(InvalidTableName)
    }
}

impl Default for TableName {
    fn default() -> Self {
        Self { schema: None, table: DEFAULT.into() }
    }
}

impl FromStr for TableName {
    type Err = InvalidTableName;

    fn from_str(name: &str) -> Result<Self, InvalidTableName> {
        Self::new(name)
    }
}

/// Writes the name as it was given, without quotation marks.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.table)
    }
}

/// The error for a name that is no [`TableName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTableName;

impl fmt::Display for InvalidTableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table name is one identifier, or two with a dot between them, of 1 to 48 letters, digits and underscores")
    }
}

impl std::error::Error for InvalidTableName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_identifier_or_two() {
        let longest = "c".repeat(MAX_IDENTIFIER);
        for name in ["codes", "auth.codes", "_c1", "C_2.d_3", &longest] {
            assert_eq!(name.parse::<TableName>().unwrap().to_string(), name);
        }
        let too_long = longest.clone() + "c";
        for name in
            ["", "1c", "auth.1c", "auth.", ".codes", "a.b.c", "c-d", "c d", "c\"", "c`", "tabelle\u{e4}", &too_long]
        {
            assert_eq!(name.parse::<TableName>().map(|_| ()), Err(InvalidTableName), "{name}");
        }
        assert!(InvalidTableName.to_string().starts_with("a table name is one identifier"));
    }

    #[test]
    fn the_name_takes_the_place_of_the_default_with_its_schema_and_names_the_index() {
        let sql = format!("CREATE INDEX `{DEFAULT}_expires_at` ON `{DEFAULT}`");
        for (name, placed) in [
            ("codes", "CREATE INDEX `codes_expires_at` ON `codes`"),
            ("auth.codes", "CREATE INDEX `codes_expires_at` ON `auth`.`codes`"),
        ] {
            assert_eq!(name.parse::<TableName>().unwrap().place(&sql, '`'), placed);
        }
    }
}

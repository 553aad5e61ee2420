//! The statements, taken out of the guide.

const GUIDE: &str = include_str!("../../../../docs/writing-a-store.md");

/// The SQL of one section of the guide.
#[derive(Clone, Copy)]
pub(crate) struct Statements(&'static str);

impl Statements {
    pub(crate) fn of(section: &str) -> Self {
        let heading = format!("\n### {section}\n");
        let (_, section) = GUIDE.split_once(&heading).unwrap_or_else(|| panic!("no section {section}"));
        let (_, block) = section.split_once("```sql\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        Self(block)
    }

    /// The statement after the comment `-- NAME:`, up to the next one.
    pub(crate) fn named(self, name: &str) -> &'static str {
        let (_, rest) = self.0.split_once(&format!("-- {name}:")).unwrap_or_else(|| panic!("no statement {name}"));
        let (_, statement) = rest.split_once('\n').unwrap();
        statement.split("\n-- ").next().unwrap().trim().trim_end_matches(';')
    }
}

#[test]
fn a_statement_ends_where_the_next_one_begins() {
    let statements = Statements::of("PostgreSQL");
    assert!(statements.named("redeem").starts_with("UPDATE codes\nSET"));
    assert!(statements.named("redeem").ends_with("redeemed_by, redeemed_at"));
    assert!(statements.named("sweep").ends_with("LIMIT 1000)"));
}

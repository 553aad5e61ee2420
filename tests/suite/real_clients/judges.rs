//! Judges that others wrote. `docs/judges.md` has a row for each of their checks, and is what the results are compared with:
//! a result that changes, for better or worse, is a test that fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pkce_tests::{Result, on_both_programs};

use super::script::{self, Runtime};
use super::start;

on_both_programs! {
    the_mcp_conformance_suite_judges_as_the_table_says,
    mcp_authlab_judges_as_the_table_says,
    the_lint_of_authgent_server_judges_as_the_table_says,
}

#[derive(Debug, Clone, Copy)]
struct Judge {
    name: &'static str,
    runtime: Runtime,
    script: &'static str,
}

const CONFORMANCE: Judge =
    Judge { name: "@modelcontextprotocol/conformance", runtime: Runtime::Node, script: "judge-conformance.mjs" };
const AUTHLAB: Judge = Judge { name: "mcp-authlab", runtime: Runtime::Python, script: "judge_authlab.py" };
const AUTHGENT: Judge = Judge { name: "authgent-server", runtime: Runtime::Python, script: "judge_authgent.py" };

async fn the_mcp_conformance_suite_judges_as_the_table_says(program: &str) -> Result<()> {
    CONFORMANCE.judges(program)
}

async fn mcp_authlab_judges_as_the_table_says(program: &str) -> Result<()> {
    AUTHLAB.judges(program)
}

async fn the_lint_of_authgent_server_judges_as_the_table_says(program: &str) -> Result<()> {
    AUTHGENT.judges(program)
}

mod the_mcp_server {
    use super::{AUTHGENT, AUTHLAB, CONFORMANCE, Result};

    #[test]
    fn is_judged_by_the_mcp_conformance_suite_as_the_table_says() -> Result<()> {
        CONFORMANCE.judges("mcp-server-example")
    }

    #[test]
    fn is_judged_by_mcp_authlab_as_the_table_says() -> Result<()> {
        AUTHLAB.judges("mcp-server-example")
    }

    #[test]
    fn is_judged_by_the_lint_of_authgent_server_as_the_table_says() -> Result<()> {
        AUTHGENT.judges("mcp-server-example")
    }
}

#[test]
fn whatever_is_no_pass_has_a_reason_and_the_versions_are_those_that_run() {
    for (judge, version) in [
        (CONFORMANCE, in_manifest("node/package.json", "\"@modelcontextprotocol/conformance\": \"", '"')),
        (AUTHLAB, in_manifest("python/requirements.txt", "mcp-authlab==", '\n')),
        (AUTHGENT, in_manifest("python/requirements.txt", "authgent-server==", '\n')),
    ] {
        let (named, rows) = judge.table();
        assert_eq!(named, version, "{}", judge.name);
        for Row { check, fixtures, mcp_server, why } in rows {
            let is_good = |result: &String| ["pass", "success", "–"].contains(&result.as_str());
            assert_eq!(why.is_empty(), is_good(&fixtures) && is_good(&mcp_server), "{check}: {why}");
        }
    }
}

struct Row {
    check: String,
    fixtures: String,
    mcp_server: String,
    why: String,
}

impl Judge {
    fn judges(self, program: &str) -> Result<()> {
        let is_fixture = program != "mcp-server-example";
        let server = start(program)?;
        let Some(said) = script::output(self.runtime, self.script, &server)? else { return Ok(()) };
        let found: BTreeMap<_, _> = said.lines().filter_map(|line| line.split_once(' ')).collect();
        let rows = self.table().1;
        let expected: BTreeMap<_, _> = rows
            .iter()
            .map(|row| (row.check.as_str(), if is_fixture { &row.fixtures } else { &row.mcp_server }))
            .map(|(check, result)| (check, result.as_str()))
            .filter(|(_, result)| *result != "–")
            .collect();
        assert_eq!(found, expected, "{} on {program}; the table is in docs/judges.md", self.name);
        Ok(())
    }

    /// The version and the rows of this judge in `docs/judges.md`.
    fn table(self) -> (String, Vec<Row>) {
        let text = read("../docs/judges.md");
        let heading = format!("## `{}` ", self.name);
        let (version, section) = text.split_once(&heading).unwrap().1.split_once('\n').unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `")).map(|line| {
            let mut cells = line.split('|').skip(1).map(|cell| cell.trim().to_owned());
            let mut next = || cells.next().unwrap();
            let check = next().split('`').nth(1).unwrap().to_owned(); // what it is about follows it
            Row { check, fixtures: next(), mcp_server: next(), why: next() }
        });
        (version.to_owned(), rows.collect())
    }
}

fn in_manifest(manifest: &str, before: &str, after: char) -> String {
    let text = read(&format!("clients/{manifest}"));
    text.split_once(before).unwrap().1.split(after).next().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

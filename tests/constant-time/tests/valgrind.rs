//! Under valgrind, with the verifier and the stored proof undefined: what depends on them, and where.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

/// The optimised program, built by the first test that needs it.
static PROGRAM: LazyLock<String> = LazyLock::new(|| {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--profile", "bench", "-p", "pkce-constant-time", "--target-dir"])
        .arg(folder())
        .status();
    assert!(built.unwrap().success());
    format!("{}/release/redeem-under-valgrind", folder())
});

const PATHS: [(&str, &str); 7] = [
    ("right", "served"),
    ("wrong", "rejected"),
    ("burned", "rejected"),
    ("form", "served"),
    ("form-wrong", "rejected"),
    ("form-bound", "served"),
    ("json", "served"),
];

fn folder() -> &'static str {
    concat!(env!("CARGO_TARGET_TMPDIR"), "/constant-time")
}

/// What valgrind reports: how often, by how many errors, and the whole text.
struct Report {
    errors: u32,
    text: String,
}

/// `None` if this machine has no valgrind.
fn run(scenario: &str, allowed: bool) -> Option<Report> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        pkce_test_servers::lacks("Linux on x86-64");
        return None;
    }
    let valgrind = pkce_test_servers::find("valgrind")?;
    let mut command = Command::new(valgrind);
    command.args(["--leak-check=no", "-v"]);
    if allowed {
        command.arg(format!("--suppressions={}", Path::new(env!("CARGO_MANIFEST_DIR")).join("allowed.supp").display()));
    }
    let output = command.arg(&*PROGRAM).arg(scenario).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    let outcome = PATHS.iter().find(|path| path.0 == scenario).map(|path| path.1);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(outcome.is_none_or(|outcome| printed == format!("{scenario}: {outcome}\n")), "{printed}");
    let summary = text.rsplit_once("ERROR SUMMARY: ").unwrap().1;
    Some(Report { errors: summary.split_whitespace().next().unwrap().parse().unwrap(), text })
}

#[test]
fn no_branch_and_no_index_depends_on_a_verifier_or_a_stored_proof_but_where_it_is_allowed() {
    for (scenario, _) in PATHS {
        let Some(report) = run(scenario, true) else { return };
        assert_eq!(report.errors, 0, "{scenario}:\n{}", report.text);
    }
}

#[test]
fn every_path_reads_the_secret_and_comes_to_a_verdict() {
    for (scenario, _) in PATHS {
        let Some(report) = run(scenario, false) else { return };
        assert!(report.errors > 0, "{scenario}");
    }
}

#[test]
fn a_comparison_a_branch_and_an_index_that_depend_on_the_secret_are_found() {
    for scenario in ["planted-equality", "planted-branch", "planted-index"] {
        let Some(report) = run(scenario, true) else { return };
        assert!(report.errors > 0, "{scenario}:\n{}", report.text);
    }
}

#[test]
fn every_exception_is_needed() {
    let mut used = String::new();
    for (scenario, _) in PATHS {
        let Some(report) = run(scenario, true) else { return };
        used.extend(report.text.lines().filter(|line| line.contains("used_suppression")).map(str::to_owned));
    }
    let allowed = include_str!("../allowed.supp").lines().map(str::trim).collect::<Vec<_>>();
    let names = allowed.windows(2).filter(|lines| lines[0] == "{").map(|lines| lines[1]);
    for name in names {
        assert!(used.contains(&format!(" {name} ")), "{name} is not needed:\n{used}");
    }
}

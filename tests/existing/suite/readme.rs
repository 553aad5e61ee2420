//! The counts in the README files. `build.rs` shows that the diffs fit the sources.

use std::path::Path;

#[test]
fn each_readme_counts_the_lines_of_its_diffs() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for example in ["json-token-endpoint", "oxide-auth-actix", "oxide-auth-axum"] {
        let readme = std::fs::read_to_string(examples.join(example).join("README.md")).unwrap();
        for diff in readme.split("```diff\n").skip(1) {
            let lines = diff.split("```").next().unwrap().lines().skip(2);
            let count = |sign| lines.clone().filter(|line| line.starts_with(sign)).count();
            let sentence = format!("The diff adds {} lines and removes {}.", count('+'), count('-'));
            assert!(readme.contains(&sentence), "{example}: {sentence}");
        }
    }
}

//! What the README files say of their diffs. That the diffs fit the sources is shown by `build.rs`.

use std::path::Path;

#[test]
fn each_readme_counts_the_lines_of_its_diffs() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    for example in ["json-token-endpoint", "mcp-server", "oxide-auth-actix", "oxide-auth-axum"] {
        let readme = std::fs::read_to_string(examples.join(example).join("README.md")).unwrap();
        for diff in readme.split("```diff\n").skip(1) {
            let lines = diff.split("```").next().unwrap().lines().skip(2);
            let count = |sign| lines.clone().filter(|line| line.starts_with(sign)).count();
            let sentence = format!("{} lines come, {} of them in place of another.", count('+'), count('-'));
            assert!(readme.contains(&sentence), "{example}: {sentence}");
        }
    }
}

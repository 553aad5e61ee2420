//! A change of a file, made by a reader who finds the place by its context.

/// Makes the change: each hunk, and hunks are separated by lines that begin with `@@`, has one place where it fits.
pub(crate) fn change(file: &str, diff: &str) -> Result<String, String> {
    let mut changed = file.to_owned();
    for hunk in hunks(diff) {
        let side = |other: char| -> String {
            let lines = hunk.iter().filter(|line| !line.starts_with(other));
            lines.map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n").collect()
        };
        let (before, after) = (side('+'), side('-'));
        match format!("\n{changed}").matches(&format!("\n{before}")).count() {
            1 => changed = changed.replacen(&before, &after, 1),
            places => return Err(format!("there are {places} places for\n{before}")),
        }
    }
    Ok(changed)
}

fn hunks(diff: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = diff.lines().collect();
    let hunks = lines.split(|line| line.starts_with("@@")).filter(|hunk| !hunk.is_empty());
    hunks.map(<[&str]>::to_vec).collect()
}

#[test]
fn a_change_has_one_place() {
    let file = "a\nb\na\nc\n";
    assert_eq!(change(file, " a\n-c\n+d\n").unwrap(), "a\nb\na\nd\n");
    assert_eq!(change(file, "+x\n b\n@@\n+y\n c\n").unwrap(), "a\nx\nb\na\ny\nc\n");
    assert!(change(file, " a\n+x\n").unwrap_err().starts_with("there are 2 places"));
    assert!(change(file, " z\n+x\n").unwrap_err().starts_with("there are 0 places"));
}

//! What a command said, against what the guide says that it says.

/// Whether it is that: `…` matches any text within a line, and alone any lines.
pub(crate) fn is_as_printed(printed: &[String], said: &[String]) -> bool {
    match printed.split_first() {
        None => said.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=said.len()).any(|at| is_as_printed(rest, said.get(at..).unwrap_or(&[])))
        }
        Some((line, rest)) => {
            said.split_first().is_some_and(|(first, said)| fits(line, first) && is_as_printed(rest, said))
        }
    }
}

fn fits(printed: &str, said: &str) -> bool {
    let Some((before, after)) = printed.split_once('…') else { return printed == said };
    let Some(rest) = said.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| fits(after, rest.get(at..).unwrap_or_default()))
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (printed, said, is) in [
        ("a", "a", true),
        ("a", "a\nb", false),
        ("a\n…\nb", "a\nb", true),
        ("a\n…\nb", "a\nx\ny\nb", true),
        ("a\n…\nb", "a\nx", false),
        ("code=…&state=x", "code=1&state=x", true),
        ("code=…&state=x", "code=1&state=xy", false),
        ("…b…", "aba", true),
        ("", "a", false),
    ] {
        assert_eq!(is_as_printed(&lines(printed), &lines(said)), is, "{printed:?} {said:?}");
    }
}

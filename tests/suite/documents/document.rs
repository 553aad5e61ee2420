//! A document in Markdown, as far as it mentions things: code between backticks, and links.

use std::collections::HashMap;

/// Something that a document mentions outside of its code blocks.
pub(super) struct Mention {
    /// The line, from 1.
    pub(super) line: usize,
    /// The code between the backticks.
    pub(super) code: Option<String>,
    /// Where it leads, if it is a link. It is empty if the document does not say.
    pub(super) target: Option<String>,
    /// Whether it stands under a heading that asks which test shows something.
    pub(super) of_tests: bool,
}

pub(super) struct Document {
    /// Where the document is, from the root; links start here.
    pub(super) folder: String,
    pub(super) mentions: Vec<Mention>,
}

impl Document {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut prose = Vec::new();
        let (mut in_block, mut of_tests) = (false, false);
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_block = !in_block;
            } else if !in_block {
                if line.starts_with('#') {
                    of_tests = line.to_lowercase().contains("which test");
                }
                prose.push((index + 1, line, of_tests));
            }
        }
        let definition = |line: &'_ str| {
            let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
            Some((label.to_owned(), target.trim().to_owned()))
        };
        let labels: HashMap<_, _> = prose.iter().filter_map(|(_, line, _)| definition(line)).collect();
        let mentions = prose
            .iter()
            .filter(|(_, line, _)| definition(line).is_none())
            .flat_map(|&(line, text, of_tests)| {
                scan(text, &labels).into_iter().map(move |(code, target)| Mention { line, code, target, of_tests })
            })
            .collect();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Self { folder: folder.to_owned(), mentions }
    }
}

/// The code and the links of a line, left to right. Only a link whose whole text is code has both.
fn scan(line: &str, labels: &HashMap<String, String>) -> Vec<(Option<String>, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', ']']) {
        let (before, after) = rest.split_at(at);
        if let Some(after) = after.strip_prefix('`') {
            let Some((code, behind)) = after.split_once('`') else { break };
            rest = behind;
            let mut leads_to = None;
            if let Some(behind) = behind.strip_prefix(']').filter(|_| before.ends_with('[')) {
                leads_to = target(behind, labels);
                rest = behind;
            }
            found.push((Some(code.to_owned()), leads_to));
        } else {
            rest = after.get(1..).unwrap_or_default();
            found.extend(target(rest, labels).map(|target| (None, Some(target))));
        }
    }
    found
}

/// Where the link leads whose text has just ended: `(target)` or `[label]`.
fn target(rest: &str, labels: &HashMap<String, String>) -> Option<String> {
    if let Some((target, _)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        return Some(target.to_owned());
    }
    let (label, _) = rest.strip_prefix('[')?.split_once(']')?;
    Some(labels.get(label).cloned().unwrap_or_default())
}

//! The fenced blocks of a guide.

/// A block whose info string says what a reader does with it. All others are only read.
#[derive(Debug)]
pub(crate) enum Block {
    /// ```` ```rust src/main.rs ````: a whole file.
    Listing { line: usize, file: String, text: String },
    /// ```` ```rust examples/… ````: lines of a file of this repository, in pieces that `// …` separates.
    Excerpt { line: usize, file: String, text: String },
    /// ```` ```diff src/main.rs ````: a change of a file.
    Diff { line: usize, file: String, text: String },
    /// ```` ```console server ````: a command that keeps running, and the first that it prints.
    Server(Step),
    /// ```` ```console ````: commands, and what they print.
    Console(Vec<Step>),
    /// ```` ```rust ````: Rust that is compiled, and is no file of the reader's.
    Piece(String),
}

/// A command after `$ `, with the lines that it continues on, and what it prints.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
}

/// All blocks of a guide, in order.
pub(crate) fn blocks(guide: &str) -> Vec<Block> {
    let mut lines = guide.lines().enumerate();
    let mut blocks = Vec::new();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let text = || inside.join("\n") + "\n";
        let line = at + 2;
        blocks.push(match info.split_once(' ') {
            Some(("diff", file)) => Block::Diff { line, file: file.to_owned(), text: text() },
            Some(("console", "server")) => {
                let [step] = <[Step; 1]>::try_from(steps(line, &inside)).unwrap();
                Block::Server(step)
            }
            Some((_, file)) if file.starts_with("examples/") => {
                Block::Excerpt { line, file: file.to_owned(), text: text() }
            }
            Some((_, file)) => Block::Listing { line, file: file.to_owned(), text: text() },
            None if info == "rust" => Block::Piece(text()),
            None if info == "console" => Block::Console(steps(line, &inside)),
            None => continue,
        });
    }
    blocks
}

fn steps(first: usize, lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut continues = false;
    for (at, line) in lines.iter().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: first + at, command: command.to_owned(), output: Vec::new() });
        } else {
            let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: output before a command", first + at));
            if continues {
                step.command.extend(["\n", line]);
            } else {
                step.output.push((*line).to_owned());
                continue;
            }
        }
        continues = line.ends_with('\\');
    }
    steps
}

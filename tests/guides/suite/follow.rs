//! A reader who does what the guide says.

use std::collections::HashMap;
use std::fs;

use pkce_test_servers::find;

use crate::block::{Block, Step, blocks};
use crate::change::change;
use crate::folder::Folder;
use crate::manifest;
use crate::ports::Ports;
use crate::program::built;
use crate::root;
use crate::said::is_as_printed;
use crate::shell::{Running, Shell};
use crate::version::{PROGRAM, Version, builds};

/// Where the programs listen unless they are told otherwise.
const ADDRESS: &str = "127.0.0.1:3000";

/// How a guide starts a program of this workspace.
const OF_THE_CLONE: &str = "cargo run --manifest-path ../pkce/Cargo.toml -p ";

struct Reader<'a> {
    guide: &'a str,
    folder: Folder,
    ports: Ports,
    files: HashMap<String, String>,
    version: Version,
    servers: HashMap<String, Running>,
    shell: Shell,
}

/// Follows a guide from its first block to its last, or skips it, loudly, if the machine lacks what its commands need.
pub(crate) fn follow(guide: &str) {
    if ["bash", "curl", "openssl", "python3", "timeout"].iter().any(|program| find(program).is_none()) {
        return;
    }
    let text = fs::read_to_string(root().join(format!("docs/guides/{guide}.md"))).unwrap();
    let folder = Folder::new(guide);
    let mut reader = Reader {
        guide,
        shell: Shell::start(folder.path()),
        folder,
        ports: Ports::of(&format!("{text} {ADDRESS}")),
        files: HashMap::new(),
        version: Version::default(),
        servers: HashMap::new(),
    };
    let blocks = blocks(&text);
    assert!(blocks.iter().any(|block| matches!(block, Block::Console(steps) if !steps.is_empty())));
    for block in blocks {
        match block {
            Block::Listing { line, file, text } => reader.write(line, file, text),
            Block::Excerpt { line, file, text } => reader.look_up(line, &file, &text),
            Block::Diff { line, file, text } => reader.change(line, &file, &text),
            Block::Server(step) => reader.start(&step),
            Block::Console(steps) => steps.iter().for_each(|step| reader.run(step)),
            Block::Piece(_) => {}
        }
    }
}

impl Reader<'_> {
    /// A whole file: a new one, or what the changes have made of it.
    fn write(&mut self, line: usize, file: String, text: String) {
        if file == "Cargo.toml" {
            manifest::check(&text);
        }
        if let Some(changed) = self.files.get(&file) {
            let differs = changed.lines().zip(text.lines()).find(|(changed, listed)| changed != listed);
            assert!(*changed == text, "{}: the changes do not lead to this {file}: {differs:?}", self.at(line));
        }
        self.save(file, text);
    }

    /// Lines of a file of this repository.
    fn look_up(&self, line: usize, file: &str, text: &str) {
        let source = fs::read_to_string(root().join(file)).unwrap_or_default();
        for piece in text.split("// …\n") {
            assert!(source.contains(&format!("\n{piece}")), "{}: {file} does not have\n{piece}", self.at(line));
        }
    }

    fn change(&mut self, line: usize, file: &str, diff: &str) {
        let before = self.files.get(file).unwrap_or_else(|| panic!("{}: there is no {file} yet", self.at(line)));
        let after = change(before, diff).unwrap_or_else(|error| panic!("{}: {error}", self.at(line)));
        if file == "Cargo.toml" {
            manifest::check(&after);
        }
        self.save(file.to_owned(), after);
    }

    fn save(&mut self, file: String, text: String) {
        self.folder.write(&file, &self.ports.place(&text));
        if file == PROGRAM {
            self.version.change();
        }
        self.files.insert(file, text);
    }

    /// Starts a server, and stops the one that listens at the same address, as the guide asks.
    fn start(&mut self, step: &Step) {
        let address = address(&step.command).unwrap_or(ADDRESS).to_owned();
        self.servers.remove(&address);
        let program = self.program();
        let mut command = if let Some(command) = of_the_clone(&step.command) {
            format!("exec {command}")
        } else if builds(&step.command) {
            step.command.replace(" -- ", " ").replace("cargo run", &format!("exec {program}"))
        } else {
            format!("exec {}", step.command)
        };
        if !command.contains(&address) {
            command = command.replace(&program, &format!("{program} {address}"));
        }
        let mut running = Running::start(self.folder.path(), &self.ports.place(&command));
        let said = running.lines(step.output.len());
        self.compare(step, &said);
        self.servers.insert(address, running);
    }

    fn run(&mut self, step: &Step) {
        let command = step.command.as_str();
        if let Some(copy) = command.strip_prefix("cargo build && cp target/debug/") {
            let (_, name) = copy.split_once(' ').unwrap();
            let program = self.program();
            self.folder.write(name, &format!("exec {program} \"$@\"\n"));
            let said = self.shell_said(&format!("chmod +x {name}"));
            return self.compare(step, &said);
        }
        if let Some(command) = of_the_clone(command) {
            let said = self.shell_said(&command);
            return self.compare(step, &said);
        }
        // The folder is there, and the programs are built.
        if ["cargo new ", "cd ", "cp -r pkce/", "cargo add "].iter().any(|done| command.starts_with(done)) {
            return;
        }
        let said = self.shell_said(command);
        self.compare(step, &said);
    }

    fn shell_said(&mut self, command: &str) -> Vec<String> {
        self.shell.run(&self.ports.place(command))
    }

    fn compare(&self, step: &Step, said: &[String]) {
        let printed: Vec<String> = step.output.iter().map(|line| self.ports.place(line)).collect();
        let (at, command) = (self.at(step.line), &step.command);
        assert!(
            is_as_printed(&printed, said),
            "{at}: $ {command}\nthe guide prints:\n{}\nit says:\n{}",
            printed.join("\n"),
            said.join("\n")
        );
    }

    /// The program as the listings and changes have made it.
    fn program(&mut self) -> String {
        format!("env GUIDE_PROGRAM={}_{} {}", self.guide, self.version.built(), env!("CARGO_BIN_EXE_guide-server"))
    }

    fn at(&self, line: usize) -> String {
        format!("docs/guides/{}.md, line {line}", self.guide)
    }
}

/// The command by which a program of this workspace runs, built, with what is set in its environment.
fn of_the_clone(command: &str) -> Option<String> {
    let (environment, rest) = command.split_once(OF_THE_CLONE)?;
    let (name, arguments) = rest.split_once(" -- ")?;
    Some(format!("env {environment}{} {arguments}", built(name).display()))
}

/// The first address in a command.
fn address(command: &str) -> Option<&str> {
    let rest = command.get(command.find("127.0.0.1:")?..)?;
    rest.get(..rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':'))).unwrap_or(rest.len()))
}

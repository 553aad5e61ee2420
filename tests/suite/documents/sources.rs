//! What there is: the files of the repository, and the names in them.

use std::fs;
use std::path::Path;

use super::document::Mention;

const EXTENSIONS: [&str; 9] = [".rs", ".md", ".mjs", ".py", ".html", ".lua", ".toml", ".yml", ".sql"];

pub(super) struct Sources(Vec<(String, String)>);

impl Sources {
    /// Reads the repository, but for what is built or installed in it.
    pub(super) fn read() -> Self {
        let mut files = Vec::new();
        read(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap(), "", &mut files);
        files.sort();
        Self(files)
    }

    /// `README.md` and what is in `docs`.
    pub(super) fn documents(&self) -> Vec<String> {
        let is_document = |path: &&String| {
            path.as_str() == "README.md"
                || path.strip_prefix("docs/").is_some_and(|name| Path::new(name).extension().is_some_and(|e| e == "md"))
        };
        self.0.iter().map(|(path, _)| path).filter(is_document).cloned().collect()
    }

    pub(super) fn text(&self, path: &str) -> &str {
        self.0.iter().find(|(other, _)| other == path).map(|(_, text)| text.as_str()).unwrap_or_default()
    }

    /// What is wrong with a mention, if it is one of a file or a test and there is no such thing.
    pub(super) fn complain(&self, folder: &str, mention: &Mention) -> Option<String> {
        let code = mention.code.as_deref().unwrap_or_default();
        match &mention.target {
            Some(target) => self.complain_of_link(folder, target, code),
            None => (!self.knows(folder, code, mention.of_tests)).then(|| format!("there is no `{code}`")),
        }
    }

    fn complain_of_link(&self, folder: &str, target: &str, code: &str) -> Option<String> {
        if target.contains("://") || target.starts_with('#') {
            return None;
        }
        let path = target.split('#').next().filter(|path| !path.is_empty()).and_then(|path| join(folder, path));
        let Some(path) = path.filter(|path| self.is_there(path)) else {
            return Some(format!("a link leads nowhere: {target:?}"));
        };
        let holds = !code.contains("::") || self.holds(&path, &segments(code));
        (!holds).then(|| format!("{path} has no `{code}`"))
    }

    /// Whether there is such a file or name, or this is not meant for one of ours.
    fn knows(&self, folder: &str, code: &str, of_tests: bool) -> bool {
        if self.is_path(code) {
            let ends = |path: &str| !code.contains('/') && path.ends_with(&format!("/{code}"));
            return self.is_there(code)
                || join(folder, code).is_some_and(|path| self.is_there(&path))
                || self.0.iter().any(|(path, _)| ends(path));
        }
        let names = segments(code);
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_…".contains(c));
        if !names.iter().all(|name| is_name(name)) || code.starts_with(char::is_uppercase) {
            true
        } else if names.len() > 1 {
            self.resolves(&names)
        } else if of_tests {
            self.tests().any(|(path, text)| components(path).contains(&code) || has_function(text, code))
        } else {
            // As long as a sentence, it is one, or a parameter that the sources know too.
            code.matches('_').count() < 4 || self.code().any(|(_, text)| has_word(text, code))
        }
    }

    /// A file, or a folder with files in it.
    fn is_there(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.0
            .iter()
            .any(|(other, _)| other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Whether this is meant for a path of the repository, and not for a media type or a URL.
    fn is_path(&self, code: &str) -> bool {
        let is_plain = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let top = code.split_once('/').map(|(top, _)| top);
        is_plain && (top.is_some_and(|top| self.is_there(top)) || EXTENSIONS.iter().any(|end| code.ends_with(end)))
    }

    /// Whether `module::name` is one of this file: its own name in front, and a test, or a part of it, behind.
    fn holds(&self, path: &str, names: &[&str]) -> bool {
        let [modules @ .., name] = names else { return false };
        let (components, text) = (components(path), self.text(path));
        let inner = modules.iter().all(|module| components.contains(module) || has_word(text, module));
        let own = modules.iter().any(|module| components.last() == Some(module));
        (inner && own && has_function(text, name)) || components.ends_with(names)
    }

    /// Whether a path of modules leads to something, in any file; or into another crate, which is not ours to check.
    fn resolves(&self, names: &[&str]) -> bool {
        let [first, rest @ ..] = names else { return false };
        let package = first.replace('_', "-");
        let (package, names) = if self.is_there(&package) { (Some(package), rest) } else { (None, names) };
        let root = package.as_ref().map(|package| self.text(&format!("{package}/src/lib.rs")));
        if let (Some(root), [name]) = (root, names) {
            return has_word(root, name);
        }
        let ours = |path: &str| package.as_deref().is_none_or(|package| path.starts_with(package));
        self.code().filter(|(path, _)| ours(path)).any(|(path, text)| {
            let components = components(path);
            let modules = names.iter().take_while(|name| components.contains(name)).count();
            modules > 0 && names.iter().skip(modules).all(|name| has_word(text, name))
        }) || (package.is_none() && is_foreign(first, self.text("Cargo.lock")))
    }

    fn code(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_code = |path: &str| path != "Cargo.lock" && Path::new(path).extension().is_none_or(|e| e != "md");
        // The names that are wrong on purpose stand in there.
        let own = |path: &str| path.starts_with("tests/suite/documents/");
        self.0.iter().map(|(path, text)| (&**path, &**text)).filter(move |(path, _)| is_code(path) && !own(path))
    }

    fn tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.code().filter(|(path, _)| path.starts_with("tests/") || path.contains("/tests/"))
    }
}

fn read(folder: &Path, name: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let file = entry.file_name().into_string().unwrap();
        let path = if name.is_empty() { file.clone() } else { format!("{name}/{file}") };
        if ["target", ".git", "node_modules", "__pycache__"].contains(&file.as_str()) {
            continue;
        }
        if entry.path().is_dir() {
            read(&entry.path(), &path, files);
        } else {
            files.push((path, fs::read_to_string(entry.path()).unwrap_or_default()));
        }
    }
}

/// A relative path from a folder of the repository, if it stays in it.
fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The modules that a path stands for: `tests/suite/pages.rs` is `tests`, `suite`, `pages`.
fn components(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches("/mod.rs");
    path.strip_suffix(".rs").unwrap_or(path).split('/').collect()
}

fn segments(code: &str) -> Vec<&str> {
    code.split("::").collect()
}

fn has_function(text: &str, name: &str) -> bool {
    has_word(text, &format!("fn {name}"))
}

/// Whether a word stands in a text; with `…` behind, the start of one.
fn has_word(text: &str, word: &str) -> bool {
    let (start, whole) = word.strip_suffix('…').map_or((word, true), |start| (start, false));
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(start).any(|(at, _)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + start.len()..).unwrap_or_default());
        !before.ends_with(of_word) && (!whole || !after.starts_with(of_word))
    })
}

fn is_foreign(name: &str, lock: &str) -> bool {
    let dashed = name.replace('_', "-");
    ["std", "core", "alloc"].contains(&name)
        || [name, &dashed].iter().any(|name| lock.contains(&format!("name = \"{name}\"\n")))
}

//! What a guide tells its reader to depend on.

use std::fs;

use crate::root;

/// Each dependency is one that this workspace has been built with, or a package of it by its path.
pub(crate) fn check(manifest: &str) {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    for line in dependencies.lines().take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty()) {
        let (name, rest) = line.split_once(" = ").unwrap();
        if let Some((_, path)) = rest.split_once("path = \"../pkce/") {
            let package = path.split('"').next().unwrap();
            assert!(package == name && root().join(package).join("Cargo.toml").is_file(), "{line}");
            continue;
        }
        let wanted = rest.trim_start_matches("{ version = ").split('"').nth(1).unwrap();
        let head = format!("name = \"{name}\"\nversion = \"");
        let locked = lock.split(&head).skip(1);
        let is_built = |version: &str| version == wanted || version.starts_with(&format!("{wanted}."));
        let mut versions = locked.map(|rest| rest.split('"').next().unwrap());
        assert!(versions.any(is_built), "{line}");
    }
}

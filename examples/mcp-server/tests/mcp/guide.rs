//! The manifest in `docs/guides/mcp.md`, for a copy outside of this workspace. `tests/guides` checks its versions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn the_guide_names_the_dependencies_of_the_example_and_their_features() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [guide, manifest] =
        ["../../docs/guides/mcp.md", "Cargo.toml"].map(|path| fs::read_to_string(example.join(path)).unwrap());
    let (_, copy) = guide.split_once("```toml Cargo.toml\n").unwrap();
    let (copy, own) = (dependencies(copy.split("```").next().unwrap()), dependencies(&manifest));
    assert_eq!(copy.keys().collect::<Vec<_>>(), own.keys().collect::<Vec<_>>());
    for (name, line) in own.into_iter().filter(|(name, _)| *name != "axum") {
        let features = line.split_once("features = [").map_or("", |(_, features)| features);
        for feature in features.split('"').skip(1).step_by(2) {
            assert!(copy[name].contains(&format!("\"{feature}\"")), "{name}: {feature}");
        }
    }
}

/// The line of each dependency, by its name.
fn dependencies(manifest: &str) -> BTreeMap<&str, &str> {
    let (_, section) = manifest.split_once("[dependencies]\n").unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('[')).filter(|line| line.contains('='));
    lines.map(|line| (line.split(['.', ' ']).next().unwrap_or_default(), line)).collect()
}

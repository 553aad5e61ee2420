//! What is printed at the end of a benchmark: the measured value beside its target. Nothing fails.
#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]

/// What a measured value should be.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "there is no third direction")]
pub enum Target {
    /// This or less.
    AtMost(f64),
    /// This or more.
    AtLeast(f64),
}

/// Whether this process is to measure: `cargo test` runs benchmarks too, only to see them run.
pub fn is_measuring() -> bool {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    has("--bench") && !has("--test") && !has("--list")
}

/// Prints a value beside its target.
pub fn target(name: &str, value: f64, target: Target) {
    let (sign, limit, met) = match target {
        Target::AtMost(limit) => ("<=", limit, value <= limit),
        Target::AtLeast(limit) => (">=", limit, value >= limit),
    };
    println!("target {name:<72} {value:>8.3}  {sign} {limit:<6} {}", if met { "met" } else { "MISSED" });
}

/// Prints a value that has no target.
pub fn value(name: &str, value: f64) {
    println!("       {name:<72} {value:>8.3}");
}

/// Prints a sentence.
pub fn note(text: &str) {
    println!("note   {text}");
}

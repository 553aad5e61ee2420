//! The token endpoint: instructions for a request, hashes aside, with each adapter, beside the bare handler.
//!
//! Callgrind counts them, so it has to be installed. Without SHA extensions, as under callgrind, hashing would be most
//! of what it counts; so hashes are set aside. It also simulates a cache of 32 KiB for instructions, and counts how often the
//! next one is not in it.
//!
//! With the feature `metrics` the events are counted too, for no recorder and then for one that Prometheus scrapes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs, io};

use pkce_benches::report::{self, Target};
use pkce_benches::servers::{Adapter, Variant};

/// Two counts of requests: what the process does besides is in both.
const REQUESTS: (u32, u32) = (1_000, 3_000);

const PROGRAM: &str = env!("CARGO_BIN_EXE_token_endpoint_instructions");

/// The instructions of each function by itself, and how many of them were not in the cache.
type Counts<T> = BTreeMap<String, [T; 2]>;

fn main() -> io::Result<()> {
    if !report::is_measuring() {
        return Ok(());
    }
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    if !valgrind.is_ok_and(|status| status.success()) {
        report::note("SKIPPED: the instructions of the token endpoint are not measured, valgrind is not installed");
        return Ok(());
    }
    for adapter in Adapter::ALL {
        let bare = for_a_request(adapter, Variant::Bare, None)?;
        report::value(&format!("{adapter}: instructions, bare handler"), sum(&bare));
        report::value(&format!("{adapter}: not in the cache, bare handler"), misses(&bare));
        for variant in Variant::ALL.into_iter().skip(1) {
            let counted = for_a_request(adapter, variant, None)?;
            report::value(&format!("{adapter}: not in the cache, {variant}"), misses(&counted));
            let name = format!("{adapter}: instructions, {variant} / bare");
            if variant == Variant::Ours {
                report::target(&name, sum(&counted) / sum(&bare), Target::AtMost(1.12));
                most(&bare, &counted);
            } else {
                report::value(&name, sum(&counted) / sum(&bare));
            }
        }
        if cfg!(feature = "metrics") {
            let counted = for_a_request(adapter, Variant::Ours, Some("recorded"))?;
            report::value(&format!("{adapter}: instructions, ours, recorded / bare"), sum(&counted) / sum(&bare));
        }
    }
    Ok(())
}

fn for_a_request(adapter: Adapter, variant: Variant, more: Option<&str>) -> io::Result<Counts<f64>> {
    let (few, many) = (count(adapter, variant, REQUESTS.0, more)?, count(adapter, variant, REQUESTS.1, more)?);
    let requests = f64::from(REQUESTS.1 - REQUESTS.0);
    let difference = |many, few| (signed(many) - signed(few)) / requests;
    let for_one = |(name, [instructions, misses]): (String, [u64; 2])| {
        let [few_instructions, few_misses] = few.get(&name).copied().unwrap_or_default();
        (name, [difference(instructions, few_instructions), difference(misses, few_misses)])
    };
    Ok(many.into_iter().map(for_one).collect())
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^52 instructions")]
fn signed(count: u64) -> f64 {
    count as f64
}

fn sum(counts: &Counts<f64>) -> f64 {
    counts.iter().filter(|(name, _)| !is_hash(name)).map(|(_, [instructions, _])| instructions).sum()
}

fn misses(counts: &Counts<f64>) -> f64 {
    counts.values().map(|[_, misses]| misses).sum()
}

fn is_hash(function: &str) -> bool {
    function.contains("sha2::sha256") || function.contains("digest::digest::Digest")
}

/// Where the rest goes: the functions that take most more than in the bare handler.
fn most(bare: &Counts<f64>, ours: &Counts<f64>) {
    let more = |name: &str, count: f64| count - bare.get(name).map_or(0.0, |[instructions, _]| *instructions);
    let mut functions: Vec<_> = ours.iter().map(|(name, &[count, _])| (more(name, count), name)).collect();
    functions.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (more, name) in functions.into_iter().filter(|(_, name)| !is_hash(name)).take(16) {
        report::value(&format!("  of these {name:.64}"), more);
    }
}

fn count(adapter: Adapter, variant: Variant, requests: u32, more: Option<&str>) -> io::Result<Counts<u64>> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind.{adapter}.{variant}.{requests}"));
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--compress-pos=no", "--compress-strings=no"])
        .args(["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64", "--LL=524288,8,64"])
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(PROGRAM)
        .args([adapter.to_string(), variant.to_string(), requests.to_string()])
        .args(more)
        .status()?;
    if !ran.success() {
        return Err(io::Error::other(format!("{PROGRAM} failed under valgrind")));
    }
    Ok(read(&fs::read_to_string(file)?))
}

/// Callgrind's format: `fn=` opens a function; lines of numbers are a position and the counts of the events; the one behind
/// `calls=` is the cost of what was called. Of the events the first are the instructions, and the fourth what was not in the
/// cache. Zeros at the end of a line are left out.
fn read(profile: &str) -> Counts<u64> {
    let mut counts = Counts::new();
    let (mut function, mut is_call) = ("", false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) && !std::mem::take(&mut is_call) {
            let event = |nth| line.split_whitespace().nth(nth).and_then(|count| count.parse().ok()).unwrap_or(0);
            let [instructions, misses] = counts.entry(function.to_owned()).or_default();
            *instructions += event(1);
            *misses += event(4);
        }
    }
    counts
}

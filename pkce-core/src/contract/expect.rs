//! Comparisons of what a store returned with what it had to return, with the difference in words.

use std::fmt::Debug;

use crate::contract::case::Step;
use crate::contract::report::Outcome;
use crate::store::{Binding, Redemption, Ticket};

/// Expects that `seen` is `expected`.
pub(super) fn same<T: PartialEq + Debug>(step: &str, expected: &T, seen: &T) -> Step {
    if seen == expected { Ok(()) } else { Err(Outcome::failed(format!("{step}: {expected:?}"), format!("{seen:?}"))) }
}

/// Expects that `seen` is, part by part, the `expected` redemption.
pub(super) fn redemption(step: &str, expected: &Redemption, seen: &Redemption) -> Step {
    if seen == expected {
        return Ok(());
    }
    let differences = match (binding(expected), binding(seen)) {
        (Some(expected), Some(seen)) => differences(expected, seen),
        _ => Vec::new(),
    };
    let differences =
        if differences.is_empty() { String::new() } else { format!(", but {}", differences.join(" and ")) };
    Err(Outcome::failed(format!("{step}: {}", name(expected)), format!("{}{differences}", name(seen))))
}

/// Expects that a record, if any is reported, is the `expected` one. An expired record may be gone.
pub(super) fn truthful(step: &str, expected: &Binding, seen: &Redemption) -> Step {
    match binding(seen) {
        Some(seen) if seen != expected => Err(Outcome::failed(
            format!("{step}: no record, or the one that was inserted"),
            differences(expected, seen).join(" and "),
        )),
        _ => Ok(()),
    }
}

pub(super) const fn binding(redemption: &Redemption) -> Option<&Binding> {
    match redemption {
        Redemption::First(binding) | Redemption::Refused(binding) | Redemption::Again { binding, .. } => Some(binding),
        Redemption::Unknown => None,
    }
}

/// A redemption in words. Samples are random, so nothing secret is shown.
pub(super) fn name(redemption: &Redemption) -> String {
    match redemption {
        Redemption::First(_) => "First".to_owned(),
        Redemption::Refused(_) => "Refused".to_owned(),
        Redemption::Again { ticket, at, .. } => {
            format!("Again, by ticket {}, at {} ms", hex(ticket), at.as_epoch_millis())
        }
        Redemption::Unknown => "Unknown".to_owned(),
    }
}

fn hex(ticket: &Ticket) -> String {
    format!("{:032x}", u128::from_be_bytes(*ticket.as_bytes()))
}

fn differences(expected: &Binding, seen: &Binding) -> Vec<String> {
    let mut differences = Vec::new();
    if seen.method() != expected.method() {
        differences.push(format!("its method is {} instead of {}", seen.method_str(), expected.method_str()));
    }
    if seen.proof() != expected.proof() {
        differences.push("its proof is another".to_owned());
    }
    if seen.grant() != expected.grant() {
        differences.push(grants(expected.grant().map(|grant| &**grant), seen.grant().map(|grant| &**grant)));
    }
    for (part, expected, seen) in [
        ("issued_at", expected.issued_at(), seen.issued_at()),
        ("expires_at", expected.expires_at(), seen.expires_at()),
    ] {
        if seen != expected {
            let (expected, seen) = (expected.as_epoch_millis(), seen.as_epoch_millis());
            differences.push(format!("its {part} is {seen} ms instead of {expected} ms"));
        }
    }
    differences
}

fn grants(expected: Option<&[u8]>, seen: Option<&[u8]>) -> String {
    let length = |grant: Option<&[u8]>| grant.map_or("none".to_owned(), |grant| format!("{} bytes", grant.len()));
    match (expected, seen) {
        (Some(expected), Some(seen)) if expected.len() == seen.len() => {
            let at = expected.iter().zip(seen).position(|(expected, seen)| expected != seen).unwrap_or_default();
            format!("its grant differs from byte {at} on")
        }
        (expected, seen) => format!("its grant is {} instead of {}", length(seen), length(expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::BindingParts;

    fn binding(method: &str, grant: Option<&[u8]>, from: u64) -> Binding {
        let (from, until) = (Timestamp::from_epoch_millis(from), Timestamp::from_epoch_millis(from + 60_000));
        Binding::from_parts(BindingParts {
            method,
            proof: Some(&[7; 32]),
            grant: grant.map(Into::into),
            issued_at: from,
            expires_at: until,
        })
        .unwrap()
    }

    #[test]
    fn every_part_that_differs_is_named() {
        let (expected, seen) = (binding("S256", Some(b""), 1), binding("plain", None, 2));
        assert_eq!(
            redemption("a replay", &Redemption::First(expected), &Redemption::Refused(seen)),
            Err(Outcome::failed(
                "a replay: First",
                "Refused, but its method is plain instead of S256 and its grant is none instead of 0 bytes \
                 and its issued_at is 2 ms instead of 1 ms and its expires_at is 60002 ms instead of 60001 ms"
            ))
        );
    }

    #[test]
    fn an_expired_record_may_be_gone_but_not_changed() {
        let kept = binding("S256", Some(b"grant"), 1);
        assert_eq!(truthful("late", &kept, &Redemption::Unknown), Ok(()));
        assert_eq!(truthful("late", &kept, &Redemption::First(kept.clone())), Ok(()));
        let changed = Redemption::First(binding("S256", Some(b"grAnt"), 1));
        assert_eq!(
            truthful("late", &kept, &changed),
            Err(Outcome::failed("late: no record, or the one that was inserted", "its grant differs from byte 2 on"))
        );
    }
}

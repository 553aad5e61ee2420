//! Codes do not touch each other, however alike or many they are.

use tokio::task::JoinSet;

use super::bound::Bound;
use super::case::{Case, Step, died};
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::code_digest::CodeDigest;
use crate::store::MAX_LIFETIME;

pub(super) const CASES: &[Case] = &[
    Case::new("isolation", "codes that differ in one bit are different codes", |probe| Box::pin(one_bit(probe))),
    Case::new("isolation", "codes that are alike as text are different codes", |probe| Box::pin(alike(probe))),
    Case::new("isolation", "very many live codes keep their own bindings", |probe| Box::pin(many(probe))),
];

/// How many callers insert and redeem the many codes.
const CALLERS: usize = 16;

/// Binds all codes, then redeems each and sees that its neighbours stay as they are.
async fn apart(probe: &Probe, codes: Vec<(String, CodeDigest)>) -> Step {
    let mut all = Vec::new();
    for (what, code) in codes {
        all.push((what, Bound::under(probe, code, Draft::fresh()?.binding()?).await?));
    }
    for (what, bound) in &all {
        bound.refused(&format!("a wrong proof, {what}"), &sample::wrong()?).await?;
    }
    let mut winners = Vec::new();
    for (what, bound) in &all {
        winners.push((what, bound, bound.live(&format!("the right proof, {what}")).await?));
    }
    for (what, bound, winner) in winners {
        bound.held_by(&format!("a replay, {what}"), &winner).await?;
        bound.restore(winner.ticket()).await?;
        bound.live(&format!("the right proof after a restore, {what}")).await?;
    }
    Ok(())
}

async fn one_bit(probe: Probe) -> Step {
    let base = sample::octets::<32>()?;
    let mut codes = vec![("the code itself".to_owned(), CodeDigest::from_bytes(base))];
    for octet in 0..32 {
        let mut near = base;
        if let Some(octet) = near.get_mut(octet) {
            *octet ^= 1;
        }
        codes.push((format!("a code that differs in octet {octet}"), CodeDigest::from_bytes(near)));
    }
    apart(&probe, codes).await
}

/// What a text column, a C string or a collation that folds case would confuse.
async fn alike(probe: Probe) -> Step {
    let base = sample::octets::<32>()?;
    let code = |what: &str, at: usize, octets: &[u8]| {
        let mut code = base;
        for (octet, new) in code.iter_mut().skip(at).zip(octets) {
            *octet = *new;
        }
        (what.to_owned(), CodeDigest::from_bytes(code))
    };
    let codes = vec![
        // In base64 the first begins with `A` and the second with `a`; the rest is the same.
        code("the first letter is A in base64", 0, &[0x01]),
        code("the first letter is a in base64", 0, &[0x69]),
        code("the first letter is A", 0, b"A"),
        code("the first letter is a", 0, b"a"),
        code("it ends with a zero", 30, &[1, 0]),
        code("it ends with a blank", 30, b"\x01 "),
        code("it ends with two zeros", 30, &[0, 0]),
        code("it ends with two blanks", 30, b"  "),
        code("it has a zero in the middle, then 1", 15, &[0, 1]),
        code("it has a zero in the middle, then 2", 15, &[0, 2]),
        code("it has octets above 0x7f, then 1", 15, &[0xff, 0xfe, 1]),
        code("it has octets above 0x7f, then 2", 15, &[0xfe, 0xff, 1]),
    ];
    apart(&probe, codes).await
}

async fn many(probe: Probe) -> Step {
    let live_codes = probe.settings().live_codes;
    let mut inserting = JoinSet::new();
    for caller in 0..CALLERS {
        let (probe, share) = (probe.clone(), (caller..live_codes).step_by(CALLERS).len());
        inserting.spawn(async move {
            let mut all = Vec::with_capacity(share);
            for _ in 0..share {
                all.push(Bound::new(&probe, Draft { lifetime: MAX_LIFETIME, ..Draft::fresh()? }.binding()?).await?);
            }
            Step::Ok(all)
        });
    }
    let mut live = Vec::with_capacity(CALLERS);
    while let Some(all) = inserting.join_next().await {
        live.push(all.map_err(died)??);
    }
    let mut redeeming = JoinSet::new();
    for all in live {
        redeeming.spawn(async move {
            for bound in all {
                let what = format!("with {live_codes} live codes");
                let winner = bound.live(&format!("the right proof {what}")).await?;
                bound.held_by(&format!("a replay {what}"), &winner).await?;
            }
            Step::Ok(())
        });
    }
    while let Some(redeemed) = redeeming.join_next().await {
        redeemed.map_err(died)??;
    }
    Ok(())
}

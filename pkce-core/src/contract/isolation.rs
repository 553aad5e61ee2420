//! Codes do not touch each other, however similar or numerous they are.

use super::bound::Bound;
use super::callers::share;
use super::case::Case;
use super::near;
use super::probe::Probe;
use super::report::Step;
use super::sample::{self, Draft};
use crate::code_digest::CodeDigest;
use crate::store::{Attempt, MAX_LIFETIME};

pub(super) const CASES: &[Case] = &[
    Case::new("isolation", "codes that differ in one bit are different codes", |probe| Box::pin(one_bit(probe))),
    Case::new("isolation", "codes that are alike as text are different codes", |probe| Box::pin(alike(probe))),
    Case::new("isolation", "codes with the same binding are different codes", |probe| Box::pin(twins(probe))),
    Case::new("isolation", "very many live codes keep their own bindings", |probe| Box::pin(many(probe))),
];

async fn one_bit(probe: Probe) -> Step {
    let random = sample::bytes::<32>()?;
    let (letters, near_letters) = near::one_letter(sample::bytes::<32>()?);
    for (base, mut codes) in [(random, near::one_bit(random)), (letters, near_letters)] {
        codes.push(("the code itself".to_owned(), base));
        apart(&probe, codes).await?;
    }
    Ok(())
}

async fn alike(probe: Probe) -> Step {
    apart(&probe, near::alike(sample::bytes::<32>()?)).await
}

/// Binds all codes, redeems all and restores all, and expects after each step that every code is as it should be.
async fn apart(probe: &Probe, codes: Vec<(String, [u8; 32])>) -> Step {
    let probe = probe.clone();
    let bound = share(codes, move |(what, code)| {
        let probe = probe.clone();
        async move { Ok((Bound::under(&probe, CodeDigest::from_bytes(code), Draft::fresh()?.binding()?).await?, what)) }
    })
    .await?;
    let refused = share(bound, |(bound, what)| async move {
        bound.refused(&format!("a wrong proof for a code with {what}"), &sample::wrong()?).await?;
        Ok((bound, what))
    })
    .await?;
    let redeemed = share(refused, |(bound, what)| async move {
        let winner = bound.live(&format!("the right proof for a code with {what}")).await?;
        Ok((bound, what, winner))
    })
    .await?;
    let replayed = share(redeemed, |(bound, what, winner)| async move {
        bound.held_by(&format!("a replay of a code with {what}"), &winner).await?;
        Ok((bound, what, winner))
    })
    .await?;
    share(replayed, |(bound, what, winner)| async move {
        bound.restore(winner.ticket()).await?;
        bound.live(&format!("the right proof after a restore of a code with {what}")).await
    })
    .await
    .map(drop)
}

/// Two codes with equal bindings stay apart: a client may send one challenge twice, within one millisecond.
async fn twins(probe: Probe) -> Step {
    for draft in [Draft::fresh()?, Draft::without_challenge()?] {
        let binding = draft.binding()?;
        let one = Bound::new(&probe, binding.clone()).await?;
        let other = Bound::new(&probe, binding).await?;
        one.refused("a wrong proof for the first of two codes", &sample::wrong()?).await?;
        let winner = one.live("the right proof for the first of two codes").await?;
        // At the same millisecond, too.
        let other_winner = Attempt::new(winner.proof().copied(), sample::ticket()?, winner.at());
        other.first("the right proof for the second of two codes", &other_winner).await?;
        one.held_by("a replay of the first of two codes", &winner).await?;
        other.held_by("a replay of the second of two codes", &other_winner).await?;
        one.restore(winner.ticket()).await?;
        other.held_by("a replay of the second of two codes after the first was restored", &other_winner).await?;
        one.live("the right proof for the first of two codes after the restore").await?;
    }
    Ok(())
}

async fn many(probe: Probe) -> Step {
    let live_codes = probe.settings().live_codes;
    let live = share((0..live_codes).collect(), move |_| {
        let probe = probe.clone();
        async move { Bound::new(&probe, Draft { lifetime: MAX_LIFETIME, ..Draft::fresh()? }.binding()?).await }
    })
    .await?;
    let redeemed = share(live, move |bound| async move {
        let winner = bound.live(&format!("the right proof with {live_codes} live codes")).await?;
        Ok((bound, winner))
    })
    .await?;
    share(redeemed, move |(bound, winner)| async move {
        bound.held_by(&format!("a replay with {live_codes} redeemed codes"), &winner).await
    })
    .await
    .map(drop)
}

//! *redeem* is granted once, to the right proof; anything else changes nothing.

use super::bound::Bound;
use super::callers::share;
use super::case::{Case, Step};
use super::expect;
use super::near;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;
use crate::store::{Attempt, Inserted, Redemption, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("redeem", "an unknown code is unknown, and stays free", |probe| Box::pin(unknown(probe))),
    Case::new("redeem", "the right proof is the first", |probe| Box::pin(right(probe))),
    Case::new("redeem", "a wrong proof is refused and changes nothing", |probe| Box::pin(wrong(probe))),
    Case::new("redeem", "three hundred wrong proofs change nothing", |probe| Box::pin(very_many(probe))),
    Case::new("redeem", "a proof that differs in one bit is refused", |probe| Box::pin(one_bit(probe))),
    Case::new("redeem", "a proof that is alike as text is refused", |probe| Box::pin(alike(probe))),
    Case::new("redeem", "no proof is refused where one is bound", |probe| Box::pin(missing(probe))),
    Case::new("redeem", "a proof is refused where none is bound", |probe| Box::pin(superfluous(probe))),
    Case::new("redeem", "no proof is the first where none is bound", |probe| Box::pin(none(probe))),
    Case::new("redeem", "a proof of zeros is a proof, not its absence", |probe| Box::pin(zeros(probe))),
    Case::new("redeem", "the burned ticket redeems like any other", |probe| Box::pin(burned(probe))),
];

async fn unknown(probe: Probe) -> Step {
    let bound = Bound { probe, code: sample::code()?, binding: Draft::fresh()?.binding()? };
    for (step, attempt) in [("a proof", bound.right()?), ("no proof", sample::attempt(None)?)] {
        expect::redemption(step, &Redemption::Unknown, &bound.redeem(&attempt).await?)?;
    }
    let inserted = bound.insert(&bound.binding).await?;
    expect::same("insert after a redeem of the unknown code", &Inserted::Recorded, &inserted)?;
    bound.live("the right proof").await.map(drop)
}

async fn right(probe: Probe) -> Step {
    for method in [CodeChallengeMethod::S256, CodeChallengeMethod::Plain] {
        let challenge = Some((method, sample::proof()?));
        let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
        let winner = bound.live("the right proof").await?;
        bound.held_by("the right proof under another ticket", &winner).await?;
    }
    Ok(())
}

async fn wrong(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let mut last = sample::wrong()?;
    for _ in 0..5 {
        bound.refused("a wrong proof", &last).await?;
        last = sample::wrong()?;
    }
    bound.refused("another wrong proof", &last).await?;
    // The ticket of a rejected attempt is not kept either.
    let right = Attempt::new(bound.binding.proof().copied(), last.ticket(), last.at());
    bound.first("the right proof, under a ticket that was refused before", &right).await?;
    bound.held_by("the right proof under another ticket", &right).await
}

/// More than a byte counts.
const VERY_MANY: usize = 300;

/// Whoever guesses must not shut out the client that holds the verifier. If a code is to be burned, the core burns it.
async fn very_many(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let guessed = bound.clone();
    share((1..=VERY_MANY).collect(), move |nth| {
        let bound = guessed.clone();
        async move { bound.refused(&format!("wrong proof number {nth}"), &sample::wrong()?).await }
    })
    .await?;
    bound.live(&format!("the right proof after {VERY_MANY} wrong ones")).await.map(drop)
}

async fn one_bit(probe: Probe) -> Step {
    let random = sample::bytes::<32>()?;
    let (letters, near_letters) = near::one_letter(sample::bytes::<32>()?);
    for (base, near) in [(random, near::one_bit(random)), (letters, near_letters)] {
        refuses(&probe, "a proof", base, near).await?;
    }
    Ok(())
}

async fn alike(probe: Probe) -> Step {
    let alike = near::alike(sample::bytes::<32>()?);
    for (nth, (what, bound)) in alike.iter().enumerate() {
        let mut others = alike.clone();
        others.remove(nth);
        refuses(&probe, &format!("where a proof is bound with {what}: a proof"), *bound, others).await?;
    }
    Ok(())
}

/// Binds a code to one proof, presents the others, and then the one.
async fn refuses(probe: &Probe, whose: &str, proof: [u8; 32], others: Vec<(String, [u8; 32])>) -> Step {
    let challenge = Some((CodeChallengeMethod::S256, Proof::from_bytes(proof)));
    let bound = Bound::new(probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
    let (asked, whose) = (bound.clone(), whose.to_owned());
    share(others, move |(what, other)| {
        let (bound, step) = (asked.clone(), format!("{whose} with {what}"));
        async move { bound.refused(&step, &sample::attempt(Some(Proof::from_bytes(other)))?).await }
    })
    .await?;
    bound.live("the right proof").await.map(drop)
}

async fn missing(probe: Probe) -> Step {
    for method in [CodeChallengeMethod::S256, CodeChallengeMethod::Plain] {
        let challenge = Some((method, sample::proof()?));
        let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
        bound.refused("no proof", &sample::attempt(None)?).await?;
        bound.live("the right proof").await?;
    }
    Ok(())
}

async fn superfluous(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    bound.refused("a proof", &sample::wrong()?).await?;
    bound.live("no proof").await.map(drop)
}

async fn none(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    let winner = bound.live("no proof").await?;
    bound.held_by("no proof, under another ticket", &winner).await?;
    bound.again("a proof, under another ticket", &sample::wrong()?, &winner).await
}

async fn zeros(probe: Probe) -> Step {
    let zeros = Proof::from_bytes([0; 32]);
    let unbound = Bound::new(&probe, Draft::without_challenge()?.binding()?).await?;
    unbound.refused("a proof of zeros for a code bound to none", &sample::attempt(Some(zeros))?).await?;
    let challenge = Some((CodeChallengeMethod::S256, zeros));
    let bound = Bound::new(&probe, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
    bound.refused("no proof for a code bound to a proof of zeros", &sample::attempt(None)?).await?;
    bound.live("a proof of zeros for a code bound to it").await.map(drop)
}

async fn burned(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    let right = bound.right()?;
    let burned = Attempt::new(right.proof().copied(), Ticket::BURNED, right.at());
    bound.first("the right proof under the burned ticket", &burned).await?;
    bound.held_by("a replay of a burned code", &burned).await?;
    bound.first("the burned ticket sent again", &burned).await?;
    bound.restore(right.ticket()).await?;
    bound.held_by("a replay of a burned code after a restore by another ticket", &burned).await?;
    bound.restore(Ticket::BURNED).await?;
    bound.live("the right proof after a restore by the burned ticket").await.map(drop)
}

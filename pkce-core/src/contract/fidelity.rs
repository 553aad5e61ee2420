//! Every part of a binding, every ticket and every time comes back byte for byte.

use super::report::Step;
use std::time::Duration;

use super::bound::Bound;
use super::callers::share;
use super::case::Case;
use super::probe::Probe;
use super::sample::{self, Draft};
use crate::method::CodeChallengeMethod;
use crate::proof::Proof;
use crate::store::{Attempt, Binding, MAX_LIFETIME, Ticket};

pub(super) const CASES: &[Case] = &[
    Case::new("fidelity", "the method survives", |probe| Box::pin(method(probe))),
    Case::new("fidelity", "the proof survives, whatever its bytes", |probe| Box::pin(proof(probe))),
    Case::new("fidelity", "no grant stays no grant", |probe| Box::pin(no_grant(probe))),
    Case::new("fidelity", "an empty grant stays an empty grant", |probe| Box::pin(empty_grant(probe))),
    Case::new("fidelity", "a grant of any bytes survives", |probe| Box::pin(any_grant(probe))),
    Case::new("fidelity", "a grant of any length survives", |probe| Box::pin(any_length(probe))),
    Case::new("fidelity", "a large grant survives", |probe| Box::pin(large_grant(probe))),
    Case::new("fidelity", "the times survive to the millisecond", |probe| Box::pin(times(probe))),
    Case::new("fidelity", "the ticket survives, whatever its bytes", |probe| Box::pin(ticket(probe))),
    Case::new("fidelity", "the time of the redemption survives to the millisecond", |probe| {
        Box::pin(redeemed_at(probe))
    }),
];

/// Inserts a binding and reads it back in every way in which a store reports one.
async fn survives(probe: &Probe, what: &str, binding: Binding) -> Step {
    let bound = Bound::new(probe, binding).await?;
    bound.refused(&format!("{what}, read by a wrong proof"), &sample::wrong()?).await?;
    let winner = bound.live(&format!("{what}, read by the right proof")).await?;
    bound.first(&format!("{what}, read by the right proof sent twice"), &winner).await?;
    bound.held_by(&format!("{what}, read by a replay"), &winner).await?;
    bound.restore(winner.ticket()).await?;
    bound.refused(&format!("{what}, read by a wrong proof after a restore"), &sample::wrong()?).await?;
    bound.live(&format!("{what}, read by the right proof after a restore")).await.map(drop)
}

async fn method(probe: Probe) -> Step {
    survives(&probe, "a binding to no challenge", Draft::without_challenge()?.binding()?).await?;
    for method in [CodeChallengeMethod::S256, CodeChallengeMethod::Plain] {
        let challenge = Some((method, sample::proof()?));
        let binding = Draft { challenge, ..Draft::fresh()? }.binding()?;
        survives(&probe, &format!("the method {}", method.as_str()), binding).await?;
    }
    Ok(())
}

async fn proof(probe: Probe) -> Step {
    let mut ends = sample::bytes::<32>()?;
    ends[0] = 0;
    ends[31] = 0;
    let blanks = ends.map(|byte| if byte == 0 { b' ' } else { byte });
    for (what, bytes) in [
        ("a proof of zeros", [0; 32]),
        ("a proof of ones", [0xff; 32]),
        ("a proof that begins and ends with zeros", ends),
        ("a proof that begins and ends with blanks", blanks),
    ] {
        let challenge = Some((CodeChallengeMethod::S256, Proof::from_bytes(bytes)));
        survives(&probe, what, Draft { challenge, ..Draft::fresh()? }.binding()?).await?;
    }
    Ok(())
}

async fn no_grant(probe: Probe) -> Step {
    survives(&probe, "no grant", Draft { grant: None, ..Draft::fresh()? }.binding()?).await?;
    survives(&probe, "no grant", Draft { grant: None, ..Draft::without_challenge()? }.binding()?).await
}

async fn empty_grant(probe: Probe) -> Step {
    survives(&probe, "an empty grant", Draft { grant: Some(Vec::new()), ..Draft::fresh()? }.binding()?).await
}

async fn any_grant(probe: Probe) -> Step {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    for (what, grant) in [
        ("a grant of every byte", &every[..]),
        ("a grant of one zero", &[0]),
        ("a grant that begins and ends with zeros", b"\0\0alice\0\0"),
        ("a grant that begins and ends with blanks", b" \t\r\nalice \t\r\n"),
        ("a grant that is not UTF-8", &[0xc3, 0x28, 0xa0, 0xff, 0xfe]),
        ("a grant that looks like JSON", br#"{"sub":"alice","scope":[1.0,null],"sub":"bob"}"#),
        ("a grant that says null", b"null"),
        ("a grant that says none", b"none"),
        ("a grant that looks like a number", b"00012e0"),
        ("a grant that looks like hexadecimal", br"\x00ff"),
        ("a grant that looks like SQL", br#"'"; DROP TABLE codes; -- %_\"#),
        ("a grant that is a blank", b" "),
        ("a grant that is 0", b"0"),
        ("a grant that says false", b"false"),
        ("a grant with every kind of line break", b"a\r\nb\rc\nd\n"),
        ("a grant with percent signs", b"%00%20+%c3%a9"),
        ("a grant that looks like base64", b"AAAA=="),
        ("a grant that begins with a byte order mark", "\u{feff}{}".as_bytes()),
        ("a grant with a letter and its accent", "e\u{301} \u{e9} \u{1f600}".as_bytes()),
        ("a grant that is JSON with white space", b"{ \"b\" : 1.10, \"a\" : 12345678901234567890 }"),
    ] {
        survives(&probe, what, Draft { grant: Some(grant.to_vec()), ..Draft::fresh()? }.binding()?).await?;
    }
    Ok(())
}

/// Where lengths end that are kept in a byte or two, and where columns, pages and messages do.
async fn any_length(probe: Probe) -> Step {
    let largest = probe.settings().large_grant;
    let lengths = (1..=17).map(|power| 1_usize << power).flat_map(|length| [length - 1, length, length + 1]);
    share(lengths.filter(|length| *length <= largest).collect(), move |length| {
        let probe = probe.clone();
        async move {
            let grant = Some(grant_of(length)?);
            let bound = Bound::new(&probe, Draft { grant, ..Draft::fresh()? }.binding()?).await?;
            bound.refused(&format!("a grant of {length} bytes, read by a wrong proof"), &sample::wrong()?).await?;
            let winner = bound.live(&format!("a grant of {length} bytes, read by the right proof")).await?;
            bound.held_by(&format!("a grant of {length} bytes, read by a replay"), &winner).await
        }
    })
    .await
    .map(drop)
}

/// Random bytes, repeated after 251 of them.
fn grant_of(length: usize) -> Step<Vec<u8>> {
    let random = sample::bytes::<251>()?;
    Ok(random.into_iter().cycle().take(length).collect())
}

async fn large_grant(probe: Probe) -> Step {
    let grant = grant_of(probe.settings().large_grant)?;
    let what = format!("a grant of {} bytes", grant.len());
    survives(&probe, &what, Draft { grant: Some(grant), ..Draft::fresh()? }.binding()?).await
}

async fn times(probe: Probe) -> Step {
    for (what, lifetime) in [
        ("a life of ten minutes", MAX_LIFETIME),
        ("a life of ten minutes less a millisecond", MAX_LIFETIME.saturating_sub(Duration::from_millis(1))),
        ("a life of 30 seconds and a millisecond", Duration::from_millis(30_001)),
        ("a life of 9.999 seconds", Duration::from_millis(9_999)),
    ] {
        // Many times, because a store that rounds is right for most of them.
        for past in (0..12).map(|step| step * 103) {
            let issued_at = sample::odd(sample::earlier(sample::now(), past));
            survives(&probe, what, Draft { issued_at, lifetime, ..Draft::fresh()? }.binding()?).await?;
        }
    }
    Ok(())
}

async fn ticket(probe: Probe) -> Step {
    let mut ends = sample::bytes::<16>()?;
    ends[0] = 0;
    ends[15] = 0;
    let blanks = ends.map(|byte| if byte == 0 { b' ' } else { byte });
    for (what, bytes) in [
        ("a ticket of ones", [0xff; 16]),
        ("a ticket of zeros but for its last byte", 1_u128.to_be_bytes()),
        ("a ticket that begins and ends with zeros", ends),
        ("a ticket that begins and ends with blanks", blanks),
    ] {
        let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
        let right = bound.right()?;
        let winner = Attempt::new(right.proof().copied(), Ticket::from_bytes(bytes), right.at());
        bound.first(&format!("{what} redeems"), &winner).await?;
        bound.first(&format!("{what} sent again"), &winner).await?;
        bound.held_by(&format!("{what}, read by a replay"), &winner).await?;
        bound.restore(winner.ticket()).await?;
        bound.live(&format!("the right proof after {what} restored")).await?;
    }
    Ok(())
}

async fn redeemed_at(probe: Probe) -> Step {
    let bound = Bound::new(&probe, Draft::fresh()?.binding()?).await?;
    for past in [0, 1, 58, 119] {
        let at = sample::odd(sample::earlier(sample::now(), past));
        let winner = Attempt::new(bound.binding.proof().copied(), sample::ticket()?, at);
        bound.first("the right proof", &winner).await?;
        bound.held_by("a replay", &winner).await?;
        bound.restore(winner.ticket()).await?;
    }
    Ok(())
}

//! What a planted store writes down, and for how long.

use std::sync::Arc;
use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{Binding, BindingParts, CodeDigest};

use super::record::{later, now, seconds};
use super::{Fault, Planted};

impl Planted {
    pub(super) fn key(&self, code: &CodeDigest) -> Vec<u8> {
        let bytes = code.as_bytes();
        match self.fault {
            Fault::SharesOneKey => b"code".to_vec(),
            Fault::Key(mangle) => mangle.of(bytes),
            _ => bytes.to_vec(),
        }
    }

    pub(super) fn forgotten_at(&self, binding: &Binding) -> Timestamp {
        let (from, life, until) = (binding.issued_at(), binding.lifetime(), binding.expires_at());
        let in_millis = u64::try_from(life.as_millis()).expect("ten minutes");
        match self.fault {
            Fault::ForgetsEarly => from.saturating_add(life / 2),
            Fault::CutsLifeToSeconds => from.saturating_add(Duration::from_secs(life.as_secs())),
            Fault::CutsEndToSeconds => seconds(until),
            Fault::RoundsEndToSeconds => seconds(later(until, 500)),
            Fault::ForgetsFourTenthsEarly => from.saturating_add(life.saturating_sub(Duration::from_millis(400))),
            Fault::CapsLifeAtSevenSeconds => until.min(later(now(), 7_000)),
            Fault::KeepsAnOctetOfTheSeconds => later(now(), (life.as_secs() + 1) % 256 * 1_000),
            Fault::KeepsAByteOfTheTenths => later(now(), in_millis / 100 % 256 * 100),
            Fault::KeepsSixteenBitsOfTheMilliseconds => later(now(), in_millis % 65_536),
            Fault::KeepsThirtyTwoBitsOfTheNanoseconds => later(now(), in_millis * 1_000_000 % (1 << 32) / 1_000_000),
            Fault::EndsAMinuteAfterIssue => from.saturating_add(Duration::from_secs(60)),
            Fault::NoChallengeIsForgottenAfterThreeSeconds if binding.proof().is_none() => {
                until.min(later(now(), 3_000))
            }
            _ => until,
        }
    }

    /// What a faulty store writes down of a binding.
    pub(super) fn kept(&self, binding: &Binding) -> Binding {
        let (mut method, mut proof) = (binding.method_str(), binding.proof().map(|proof| *proof.as_bytes()));
        let mut grant = binding.grant().cloned();
        let (mut from, mut until) = (binding.issued_at(), binding.expires_at());
        match self.fault {
            Fault::LosesMethod if proof.is_some() => method = "S256",
            Fault::LosesProof => proof = proof.map(|_| [1; 32]),
            Fault::NoProofIsKeptAsZeros if proof == Some([0; 32]) => (method, proof) = ("none", None),
            Fault::LosesGrant => grant = None,
            Fault::LosesNoGrant => grant = Some(grant.unwrap_or_default()),
            Fault::LosesIssuedAt => from = Timestamp::from_epoch_millis(until.as_epoch_millis() - 60_000),
            Fault::IssuedAtIsTheServersTime => from = now().min(until),
            Fault::LosesExpiresAt => until = from.saturating_add(Duration::from_secs(60)),
            Fault::CutsTimesToSeconds => (from, until) = (seconds(from), seconds(until)),
            Fault::KeepsTimesInDays => (from, until) = (in_days(from), in_days(until)),
            Fault::KeepsTimesInSecondsAsFloat => (from, until) = (in_seconds(from), in_seconds(until)),
            _ => grant = grant.and_then(|grant| self.kept_grant(grant)),
        }
        let proof = proof.as_ref().map(|proof| &proof[..]);
        Binding::from_parts(BindingParts { method, proof, grant, issued_at: from, expires_at: until })
            .expect("a faulty store writes valid records too")
    }

    fn kept_grant(&self, grant: Arc<[u8]>) -> Option<Arc<[u8]>> {
        let first = |length: usize| grant.iter().take(length).copied().collect();
        Some(match self.fault {
            Fault::LosesEmptyGrant if grant.is_empty() => return None,
            Fault::LosesOddOctets => String::from_utf8_lossy(&grant).into_owned().into_bytes().into(),
            Fault::LosesEndOfLargeGrant => first(65_535),
            Fault::CutsGrantAt64Kib => first(65_536),
            Fault::CutsGrantAt(length) => first(length),
            Fault::KeepsAnOctetOfTheGrantsLength if grant.len() < 512 => first(grant.len() % 256),
            Fault::KeepsSixteenBitsOfTheGrantsLength => first(grant.len() % 65_536),
            Fault::DropsWholeBlocks if grant.len().is_multiple_of(4_096) => first(grant.len().saturating_sub(4_096)),
            Fault::LosesBlanksAtTheEnd => grant.trim_ascii_end().into(),
            Fault::ReformatsJson => serde_json::from_slice::<serde_json::Value>(&grant)
                .map_or(grant, |value| value.to_string().into_bytes().into()),
            Fault::UnifiesLineBreaks => match String::from_utf8(grant.to_vec()) {
                Ok(text) => text.replace("\r\n", "\n").into_bytes().into(),
                Err(_) => grant,
            },
            Fault::DropsTheByteOrderMark => {
                grant.strip_prefix(b"\xef\xbb\xbf").map_or_else(|| Arc::clone(&grant), Into::into)
            }
            Fault::ReadsFalseAsNothing if *grant == *b"0" || *grant == *b"false" => return None,
            _ => grant,
        })
    }
}

/// As a float, and cut to milliseconds when it is read back.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the fault")]
fn in_days(time: Timestamp) -> Timestamp {
    let days = time.as_epoch_millis() as f64 / 86_400_000.0;
    Timestamp::from_epoch_millis((days * 86_400_000.0) as u64)
}

/// As a float, and cut to milliseconds when its fraction is read back.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the fault")]
fn in_seconds(time: Timestamp) -> Timestamp {
    let seconds = time.as_epoch_millis() as f64 / 1_000.0;
    Timestamp::from_epoch_millis(seconds.trunc() as u64 * 1_000 + (seconds.fract() * 1_000.0) as u64)
}

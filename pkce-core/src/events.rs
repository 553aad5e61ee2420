//! The `tracing` events: one for every outcome, with a fixed set of fields. Never a code, verifier or challenge.
//!
//! The table of events stands in the crate's documentation; this is the only file that emits any.

use std::error::Error;
use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::clearance::ClearanceKind;
use crate::method::CodeChallengeMethod;
use crate::reason::{ErrorCode, Reason};
use crate::settle::Settle;
use crate::store_error::StoreError;

pub(crate) fn challenge(method: CodeChallengeMethod) {
    debug!(target: "pkce", endpoint = "authorization", outcome = "challenge", method = method.as_str());
}

pub(crate) fn no_challenge() {
    debug!(target: "pkce", endpoint = "authorization", outcome = "no_challenge");
}

pub(crate) fn no_code() {
    debug!(target: "pkce", endpoint = "authorization", outcome = "no_code");
}

pub(crate) fn authorization_tolerated(reason: Reason) {
    warn!(target: "pkce", endpoint = "authorization", outcome = "tolerated", reason = reason.as_str());
}

pub(crate) fn authorization_rejected(reason: Reason) {
    info!(target: "pkce", endpoint = "authorization", outcome = "rejected", reason = reason.as_str());
}

pub(crate) fn capture_rejected(reason: Reason) {
    let name = reason.as_str();
    if reason.error() == ErrorCode::InvalidRequest {
        info!(target: "pkce", endpoint = "capture", outcome = "rejected", reason = name);
    } else {
        error!(target: "pkce", endpoint = "capture", outcome = "rejected", reason = name);
    }
}

pub(crate) fn capture_tolerated(reason: Reason) {
    warn!(target: "pkce", endpoint = "capture", outcome = "tolerated", reason = reason.as_str());
}

pub(crate) fn metadata_advertised() {
    debug!(target: "pkce", endpoint = "metadata", outcome = "advertised");
}

pub(crate) fn metadata_signed() {
    warn!(target: "pkce", endpoint = "metadata", outcome = "signed");
}

pub(crate) fn metadata_untouched(why: &'static str) {
    warn!(target: "pkce", endpoint = "metadata", outcome = "untouched", why);
}

pub(crate) fn bound(method: &'static str, lifetime: Duration) {
    let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    debug!(target: "pkce", endpoint = "bind", outcome = "bound", method, lifetime_ms);
}

pub(crate) fn not_bound() {
    warn!(target: "pkce", endpoint = "bind", outcome = "tolerated", reason = Reason::ChallengeRequired.as_str());
}

pub(crate) fn bind_failed(error: &dyn Error) {
    let error = chain(error);
    error!(target: "pkce", endpoint = "bind", outcome = "failed", error);
}

pub(crate) fn preflight() {
    debug!(target: "pkce", endpoint = "token", outcome = "preflight");
}

pub(crate) fn cleared(kind: ClearanceKind) {
    let clearance = kind.as_str();
    match kind {
        ClearanceKind::Verified(method) => {
            debug!(target: "pkce", endpoint = "token", outcome = "cleared", clearance, method = method.as_str());
        }
        ClearanceKind::WithoutChallenge | ClearanceKind::OtherGrant => {
            debug!(target: "pkce", endpoint = "token", outcome = "cleared", clearance);
        }
        ClearanceKind::Unverified(reason) => {
            warn!(target: "pkce", endpoint = "token", outcome = "tolerated", clearance, reason = reason.as_str());
        }
    }
}

pub(crate) fn rejected(reason: Reason) {
    let name = reason.as_str();
    match reason {
        _ if matches!(reason.error(), ErrorCode::TemporarilyUnavailable | ErrorCode::ServerError) => {
            error!(target: "pkce", endpoint = "token", outcome = "rejected", reason = name);
        }
        // Each of these may be somebody with a stolen code.
        Reason::VerifierMismatch
        | Reason::VerifierMissing
        | Reason::VerifierUnexpected
        | Reason::CodeReplayed
        | Reason::CodeRedeemed
        | Reason::CodeBurned => warn!(target: "pkce", endpoint = "token", outcome = "rejected", reason = name),
        _ => info!(target: "pkce", endpoint = "token", outcome = "rejected", reason = name),
    }
}

pub(crate) fn settled(settle: Settle) {
    let outcome = match settle {
        Settle::Keep => "kept",
        Settle::Restore => "restored",
    };
    debug!(target: "pkce", endpoint = "token", outcome);
}

pub(crate) fn store_failed(verb: &'static str, error: &StoreError) {
    let error = chain(error);
    error!(target: "pkce", endpoint = "store", outcome = "failed", verb, error);
}

/// An error and all its sources.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

//! Policy, store and clock, put together.

use std::fmt;
use std::sync::Arc;

use crate::attempt::{Attempt, Ticket};
use crate::binding::Binding;
use crate::bounded_store::BoundedStore;
use crate::clearance::{Clearance, ClearanceKind};
use crate::clock::{Clock, Timestamp};
use crate::code_digest::CodeDigest;
use crate::decision::{self, Decision, Then};
use crate::events;
use crate::judgement::Judgement;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::replay::{OnReplay, Replay};
use crate::request::Request;
use crate::settle::{Reservation, Settle};
use crate::store::Redemption;
use crate::store_error::StoreErrorKind;
use crate::timer::Timer;
use crate::token::{self, CodeGrant, TokenRequest};

/// A server's PKCE: its [`Policy`], its [`ChallengeStore`](crate::ChallengeStore), its clock. Cheap to clone; clones share everything.
///
/// ```
/// use pkce_core::{CodeVerifier, MemoryStore, Pkce};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let pkce = Pkce::new(MemoryStore::new());
/// let verifier = CodeVerifier::generate()?; // the client's
///
/// pkce.bind("the-code", verifier.challenge()).await?;
///
/// assert!(pkce.redeem("the-code", None).await.is_err()); // a stolen code alone
/// let (clearance, _reservation) = pkce.redeem("the-code", Some(verifier.as_str())).await?;
/// assert!(clearance.is_verified());
/// assert!(pkce.redeem("the-code", Some(verifier.as_str())).await.is_err()); // once only
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Pkce(Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) policy: Policy,
    pub(crate) store: BoundedStore,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) on_replay: Option<OnReplay>,
}

impl Pkce {
    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// `code_challenge_methods_supported` for the authorization server metadata (RFC 8414 §2).
    ///
    /// It is what enforcement uses. Leaving it out of the metadata *means* no PKCE, and MCP clients then refuse.
    pub fn code_challenge_methods_supported(&self) -> &'static [&'static str] {
        self.policy().code_challenge_methods_supported()
    }

    /// Judges a token request, and redeems its code if it is to be served. For adapters.
    ///
    /// The code is marked redeemed *before* the host runs: of any number of concurrent requests one proceeds.
    /// [`Pkce::settle`] says afterwards what becomes of it.
    pub async fn judge(&self, request: &Request<'_>) -> Judgement {
        let judged = match token::read(request, self.policy()) {
            Ok(TokenRequest::Preflight) => {
                events::preflight();
                return Judgement::PassThrough;
            }
            Ok(TokenRequest::OtherGrant) => Ok((Clearance::of_other_grant(), Reservation::nothing())),
            Ok(TokenRequest::CodeGrant(grant)) => self.redeem_grant(&grant).await,
            Err(reason) => Err(reason),
        };
        match self.finish(judged) {
            Ok((clearance, reservation)) => Judgement::Proceed(clearance, reservation),
            Err(rejection) => Judgement::Reject(rejection),
        }
    }

    /// Redeems a code from within a handler that reads the token request itself.
    ///
    /// The same rules as [`Pkce::judge`] from the code on; that the request is a POST with each parameter once is then
    /// the handler's care. Hand the reservation to [`Pkce::settle`] if the request is refused for another reason after
    /// all; drop it if tokens are issued.
    ///
    /// # Errors
    ///
    /// The refusal, to be answered as it is.
    pub async fn redeem(&self, code: &str, code_verifier: Option<&str>) -> Result<(Clearance, Reservation), Rejection> {
        let judged = match CodeGrant::new(code, code_verifier) {
            Ok(grant) => self.redeem_grant(&grant).await,
            Err(reason) => Err(reason),
        };
        self.finish(judged)
    }

    /// Says what becomes of a redeemed code, by the status of the host's answer or as the host overrules.
    ///
    /// If the store cannot restore the code it stays redeemed: an event says so, and the host's answer stands.
    pub async fn settle(&self, reservation: Reservation, status: u16, overrule: Option<Settle>) {
        let Some((code, ticket)) = reservation.held() else { return };
        let settle = overrule.unwrap_or_else(|| Settle::by_status(status));
        if settle == Settle::Restore && self.store().restore(&code, ticket).await.is_err() {
            return;
        }
        events::settled(settle);
    }

    /// Lends a timer for [`Policy::store_timeout`], unless there is one. The adapters do so when a layer is made.
    pub fn lend_timer(&self, timer: impl Timer) {
        self.0.store.lend_timer(Box::new(timer));
    }

    async fn redeem_grant(&self, grant: &CodeGrant<'_>) -> Result<(Clearance, Reservation), Reason> {
        let proof = grant.proof();
        if let Some(reason) = decision::before_redeeming(proof.as_ref(), self.policy()) {
            return Err(reason);
        }
        let ticket = Ticket::generate().map_err(|_| Reason::RandomUnavailable)?;
        let (code, attempt) = (grant.digest(), Attempt::new(proof, ticket, self.now()));
        let found = self.call_redeem(&code, &attempt).await?;
        let proceed = |kind, binding: Option<Binding>| {
            let grant = binding.as_ref().and_then(|binding| binding.grant().map(Arc::clone));
            // Without a record there is nothing to restore.
            let reservation = binding.map_or(Reservation::nothing(), |_| Reservation::of(code, ticket));
            Ok((Clearance::of_code(kind, code, grant), reservation))
        };
        match decision::judge(&attempt, found, self.policy()) {
            Decision::Verified(method, binding) => proceed(ClearanceKind::Verified(method), Some(binding)),
            Decision::WithoutChallenge(binding) => proceed(ClearanceKind::WithoutChallenge, Some(binding)),
            Decision::Tolerated(reason, binding) => proceed(ClearanceKind::Unverified(reason), binding),
            Decision::Refused(reason, then) => {
                // Boxed, so that the requests that are served do not carry it along.
                Box::pin(self.carry_out(then, &code, &attempt)).await?;
                Err(reason)
            }
        }
    }

    async fn carry_out(&self, then: Then, code: &CodeDigest, attempt: &Attempt) -> Result<(), Reason> {
        match then {
            Then::Stop => {}
            // The request is refused either way; that the code stays redeemed has its own event.
            Then::Restore => _ = self.store().restore(code, attempt.ticket()).await,
            Then::Burn(proof) => {
                let burn = Attempt::new(proof, Ticket::BURNED, attempt.at());
                _ = self.call_redeem(code, &burn).await?;
            }
            Then::Replay(binding, age) => {
                if let Some(on_replay) = &self.0.on_replay {
                    on_replay(Replay::new(&binding, age)).await;
                }
            }
        }
        Ok(())
    }

    fn finish(&self, judged: Result<(Clearance, Reservation), Reason>) -> Result<(Clearance, Reservation), Rejection> {
        match &judged {
            Ok((clearance, _)) => events::cleared(clearance.kind()),
            Err(reason) => events::rejected(*reason),
        }
        judged.map_err(|reason| Rejection::new(reason, self.policy()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn store(&self) -> &BoundedStore {
        &self.0.store
    }

    async fn call_redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, Reason> {
        self.store().redeem(code, attempt).await.map_err(|error| match error.kind() {
            StoreErrorKind::TimedOut => Reason::StoreTimedOut,
            StoreErrorKind::InvalidRecord => Reason::StoreRecordInvalid,
            StoreErrorKind::Unavailable | StoreErrorKind::Full => Reason::StoreUnavailable,
        })
    }
}

impl fmt::Debug for Pkce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkce").field("policy", self.policy()).finish_non_exhaustive()
    }
}

//! [`Pkce`]: policy, store and clock in one value.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::adapter::body_buffer::RequestBody;
use crate::adapter::request::Request;
use crate::adapter::token::{self, CodeGrant, TokenRequest};
use crate::bound_request::BoundRequest;
use crate::bounded_store::BoundedStore;
use crate::clearance::{Clearance, ClearanceKind};
use crate::clock::{Now, Timestamp};
use crate::code_digest::CodeDigest;
use crate::decision::{self, Consequence, Decision};
use crate::events;
use crate::policy::Policy;
use crate::proof::Proof;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::replay::{OnReplay, Replay};
use crate::settle::{Reservation, Settle};
use crate::store::{Attempt, Binding, Redemption, StoreError, StoreErrorKind, Ticket};

/// A server's PKCE: its [`Policy`], its [`ChallengeStore`](crate::store::ChallengeStore), its clock and its timer.
///
/// Cheap to clone; clones share everything. Every call of the store ends within [`Policy::store_timeout`], see
/// [`PkceBuilder::timer`](crate::PkceBuilder::timer).
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
    pub(crate) issuer: Option<Arc<str>>,
    pub(crate) store: BoundedStore,
    pub(crate) now: Now,
    pub(crate) on_replay: Option<OnReplay>,
    /// Whether the code redeemed last was bound to a client or a redirect URI. It only decides which proof is tried first.
    pub(crate) last_was_bound: AtomicBool,
}

impl Pkce {
    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Returns the policy.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Returns the issuer identifier ([`PkceBuilder::issuer`](crate::PkceBuilder::issuer)).
    pub fn issuer(&self) -> Option<&str> {
        self.0.issuer.as_deref()
    }

    pub(crate) fn shared_issuer(&self) -> Option<Arc<str>> {
        self.0.issuer.clone()
    }

    /// Returns `code_challenge_methods_supported` for the authorization server metadata (RFC 8414 §2).
    ///
    /// It lists exactly what is accepted. A document without this member says that the server does not do PKCE.
    pub fn code_challenge_methods_supported(&self) -> &'static [&'static str] {
        self.policy().code_challenge_methods_supported()
    }

    /// Judges a token request, and redeems its code if the request may be served. For adapters.
    ///
    /// The code is marked redeemed *before* the host runs, so of any number of concurrent requests one proceeds. Call the
    /// host with the identical request and the clearance, then pass the reservation to [`Pkce::settle`]. The clearance is
    /// `None` for a CORS preflight: the host gets the request without one.
    ///
    /// # Errors
    ///
    /// When the request is rejected. Send the rejection; do not call the host.
    pub async fn judge(&self, request: &Request<'_>) -> Result<(Option<Clearance>, Reservation), Rejection> {
        let judged = match token::read(request, self.policy()) {
            Ok(TokenRequest::Preflight) => {
                events::preflight();
                return Ok((None, Reservation::NOTHING));
            }
            Ok(TokenRequest::OtherGrant) => Ok((Clearance::of_other_grant(), Reservation::NOTHING)),
            Ok(TokenRequest::CodeGrant(grant)) => self.redeem_grant(&grant).await,
            Err(reason) => Err(reason),
        };
        self.finish(judged).map(|(clearance, reservation)| (Some(clearance), reservation))
    }

    /// Redeems a code from within a handler that reads the token request itself.
    ///
    /// The rules are those of [`Pkce::judge`] from the code on. The handler checks that the request is a POST and that
    /// each parameter comes once, and it compares the client and the redirect URI with those of the clearance
    /// ([`Clearance::client_id`], [`Clearance::redirect_uri`]): this method sees neither, so a replay by another client is
    /// one too. If it rejects the request for another reason afterwards, it passes the reservation to
    /// [`Pkce::settle`] with [`Settle::Restore`]; if it issues tokens, it drops the reservation.
    ///
    /// # Errors
    ///
    /// When the code is not redeemed. Send the rejection.
    pub async fn redeem(&self, code: &str, code_verifier: Option<&str>) -> Result<(Clearance, Reservation), Rejection> {
        let judged = match CodeGrant::of_values(code, code_verifier) {
            Ok(grant) => self.redeem_grant(&grant).await,
            Err(reason) => Err(reason),
        };
        self.finish(judged)
    }

    /// Keeps a code redeemed, or makes it redeemable again, once the host has responded.
    ///
    /// An adapter passes the [`Settle`] in the response's extensions, or else [`Settle::by_status`]. If the store cannot
    /// restore the code it stays redeemed: an event reports it, and the host's response is unchanged.
    pub async fn settle(&self, reservation: Reservation, settle: Settle) {
        let Some((code, ticket)) = reservation.held() else { return };
        if settle == Settle::Restore && self.store().restore(&code, ticket).await.is_err() {
            return;
        }
        events::settled(settle);
    }

    /// Reads a request body within [`Policy::body_timeout`]. For adapters.
    ///
    /// `reading` fills a [`BodyBuffer`](crate::adapter::BodyBuffer). If it does not complete in time, it is dropped.
    pub async fn read_body(&self, reading: impl Future<Output = RequestBody>) -> RequestBody {
        let reading = pin!(reading);
        match self.policy().body_timeout {
            Some(timeout) => self.store().timer.bound(timeout, reading).await.unwrap_or(RequestBody::TIMED_OUT),
            None => reading.await,
        }
    }

    async fn redeem_grant(&self, grant: &CodeGrant<'_>) -> Result<(Clearance, Reservation), Reason> {
        let proof = grant.proof();
        if let Some(reason) = decision::before_redeeming(proof.as_ref(), self.policy()) {
            return Err(reason);
        }
        let code = grant.digest();
        let (attempt, found) = self.redeem_record(grant, &code, proof).await?;
        let proceed = |kind, binding: Option<Binding>| {
            let bound_grant = binding.as_ref().and_then(Binding::grant).cloned();
            let age = binding.as_ref().map(|binding| attempt.at().saturating_since(binding.issued_at()));
            // Without a record there is nothing to restore.
            let reservation = binding.map_or(Reservation::NOTHING, |_| Reservation::of(code, attempt.ticket()));
            (Clearance::of_code(kind, grant.code(), bound_grant, age), reservation)
        };
        match decision::judge(&attempt, found, self.policy()) {
            Decision::Verified(method, binding) => Ok(proceed(ClearanceKind::Verified(method), Some(binding))),
            Decision::WithoutChallenge(binding) => Ok(proceed(ClearanceKind::WithoutChallenge, Some(binding))),
            Decision::Tolerated(reason, binding) => Ok(proceed(ClearanceKind::Unverified(reason), binding)),
            Decision::Rejected(reason, consequence) => {
                // Boxed, so that the requests that are served do not carry it along.
                Box::pin(self.carry_out(consequence, &code, &attempt)).await?;
                Err(reason)
            }
        }
    }

    /// Redeems a code with the proof that its record asks of the presented verifier, and compares the client and the
    /// redirect URI.
    ///
    /// Whether the code is bound to them, and so which proof it has, is known only from its record. The first attempt has
    /// the proof that was right for the code redeemed last. If that is not the one, the store has marked nothing, and
    /// returned the record: then the request is compared, and only the right one makes a second attempt. So a request of
    /// another client changes nothing, and is no replay.
    async fn redeem_record(
        &self,
        grant: &CodeGrant<'_>,
        code: &CodeDigest,
        of_verifier: Option<Proof>,
    ) -> Result<(Attempt, Redemption), Reason> {
        let last_was_bound = self.0.last_was_bound.load(Relaxed);
        let tried =
            of_verifier.filter(|_| last_was_bound).and_then(|proof| grant.proof_if_bound(&proof)).or(of_verifier);
        let attempt = Attempt::new(tried, self.ticket()?, self.now());
        let found = self.redeem_or_restore(code, &attempt).await?;
        let Some(binding) = found.binding() else { return Ok((attempt, found)) };

        let (bound, _) = BoundRequest::open(binding.grant())?;
        let is_bound = bound != BoundRequest::default();
        if is_bound != last_was_bound {
            self.0.last_was_bound.store(is_bound, Relaxed);
        }
        // A proof of what the request names says that it names what is bound.
        let is_compared = is_bound && tried.is_some() && tried.as_ref() == binding.proof();
        let proof = if is_compared { tried } else { of_verifier.map(|proof| bound.proof(&proof)) };
        let is_right = proof.as_ref() == binding.proof() && !binding.is_expired(attempt.at());
        let compared = if is_right && !is_compared { grant.compare(&bound, self.policy()) } else { Ok(()) };
        match (found, compared) {
            // Bound to no challenge: the store has marked it.
            (Redemption::First(_), Err(reason)) => {
                Box::pin(self.store().restore(code, attempt.ticket())).await.ok();
                Err(reason)
            }
            (_, Err(reason)) => Err(reason),
            (Redemption::Refused(_), Ok(())) if is_right && proof != tried => {
                let attempt = Attempt::new(proof, self.ticket()?, attempt.at());
                // Boxed, so that the requests that need one attempt do not carry it along.
                let found = Box::pin(self.redeem_or_restore(code, &attempt)).await?;
                Ok((attempt, found))
            }
            // The challenge of a code that is not bound is, on purpose, the proof of one that is.
            (Redemption::First(binding), Ok(())) if proof != tried => {
                Box::pin(self.store().restore(code, attempt.ticket())).await.ok();
                Ok((Attempt::new(proof, attempt.ticket(), attempt.at()), Redemption::Refused(binding)))
            }
            (found, Ok(())) => Ok((Attempt::new(proof, attempt.ticket(), attempt.at()), found)),
        }
    }

    fn ticket(&self) -> Result<Ticket, Reason> {
        self.store().ticket().map_err(|_| Reason::RandomUnavailable)
    }

    async fn redeem_or_restore(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, Reason> {
        match self.store().redeem(code, attempt).await {
            Ok(found) => Ok(found),
            Err(error) => {
                // The store may have marked the code, and the host never ran: the client's next attempt is no replay.
                Box::pin(self.store().restore_soon(code, attempt.ticket())).await.ok();
                Err(fault(&error))
            }
        }
    }

    async fn carry_out(&self, consequence: Consequence, code: &CodeDigest, attempt: &Attempt) -> Result<(), Reason> {
        match consequence {
            Consequence::Nothing => {}
            // The request is rejected either way. If the code stays redeemed, the store's event reports it.
            Consequence::Restore => _ = self.store().restore(code, attempt.ticket()).await,
            Consequence::Burn(proof) => {
                let burn = Attempt::new(proof, Ticket::BURNED, attempt.at());
                _ = self.store().redeem(code, &burn).await.map_err(|error| fault(&error))?;
            }
            Consequence::Replay(binding, age) => {
                if let Some(on_replay) = &self.0.on_replay {
                    on_replay(Replay::new(&binding, age)).await;
                }
            }
        }
        Ok(())
    }

    fn finish(&self, judged: Result<(Clearance, Reservation), Reason>) -> Result<(Clearance, Reservation), Rejection> {
        match &judged {
            Ok((clearance, _)) => events::cleared(clearance.kind(), clearance.age()),
            Err(reason) => events::rejected(*reason),
        }
        judged.map_err(|reason| Rejection::new(reason, self.policy()))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.now)()
    }

    pub(crate) fn store(&self) -> &BoundedStore {
        &self.0.store
    }
}

/// The reason of a rejection for a redemption that failed.
fn fault(error: &StoreError) -> Reason {
    match error.kind() {
        StoreErrorKind::TimedOut => Reason::StoreTimedOut,
        StoreErrorKind::InvalidRecord => Reason::StoreRecordInvalid,
        StoreErrorKind::Unavailable | StoreErrorKind::Full => Reason::StoreUnavailable,
    }
}

impl AsRef<Self> for Pkce {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// For a router whose state is an `Arc` of the host's own type.
#[cfg(feature = "axum")]
impl<T: AsRef<Self> + ?Sized> axum_core::extract::FromRef<Arc<T>> for Pkce {
    fn from_ref(state: &Arc<T>) -> Self {
        T::as_ref(state).clone()
    }
}

impl fmt::Debug for Pkce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkce").field("policy", self.policy()).finish_non_exhaustive()
    }
}

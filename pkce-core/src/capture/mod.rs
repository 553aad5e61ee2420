//! Capturing the code from the redirect that answers an authorization request, for a host that issues it at once.

pub(crate) mod location;
mod refusal;
mod request;
mod target;

pub use refusal::CaptureRefusal;
pub use request::CaptureRequest;

use self::target::Target;
use crate::authorization;
use crate::events;
use crate::host_response::HostResponse;
use crate::pkce::Pkce;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::requested::{Requested, reject};

impl Pkce {
    /// Reads an authorization request whose code is to be captured, before the host runs. For adapters.
    ///
    /// Its parameters stand in the query or, for a POST, in the query, in the form body, or the same in both. What is wrong
    /// with its challenge is not refused yet: the host has to look at client and redirect URI first, or the refusal
    /// would have to go without a redirect, or to a URI that nobody has validated. Nothing is kept of it but what is
    /// returned.
    ///
    /// # Errors
    ///
    /// What must be refused before the host runs, because its answer could not be read: a response mode other than
    /// `query` and `fragment` (`form_post`, `jwt`), and a body that is too large or broken off.
    pub fn capture_request(&self, request: &Request<'_>) -> Result<CaptureRequest, Rejection> {
        CaptureRequest::read(request, self.policy()).map_err(|reason| reject(reason, self.policy()))
    }

    /// Captures the code from the host's answer and binds it to the challenge of the request. For adapters.
    ///
    /// `Ok` lets the answer go as it is: there is no code in it, or the code is bound. The rules:
    ///
    /// 1. An answer that no reader could find a code in is none of our business: a page, an error, a redirect to a login.
    /// 2. The code stands once in the query or in the fragment of the only `Location`, by status 302 or 303
    ///    (RFC 9700 §4.12: 307 would send the user's credentials along; 301 and 308 are kept by caches).
    /// 3. That `Location` is the `redirect_uri` of the request: scheme, host, port, path, and its own query in front.
    /// 4. The request has an acceptable challenge, by the rules of [`authorization`].
    /// 5. The store has recorded the binding.
    ///
    /// A JSON document or a JWT with a status 2xx may hold a code that cannot be read here, and is refused too.
    /// A page is not read: a code in it is bound to nothing, and no token endpoint of ours serves it.
    ///
    /// [`Policy::allow_missing_challenge`] binds *no challenge* for every client that sends none.
    /// [`Policy::report_only`] lets pass and reports what rules 2 and 4 refuse, a document, and a missing redirect URI.
    ///
    /// # Errors
    ///
    /// The answer in place of the host's: its code must not leave.
    pub async fn capture(&self, asked: &CaptureRequest, answer: &HostResponse<'_>) -> Result<(), CaptureRefusal> {
        let captured = match decide(asked, answer, self.policy()) {
            Ok(None) => return Ok(()),
            Ok(Some((code, requested))) => {
                authorization::announce(requested);
                self.bind_captured(&code, requested).await
            }
            Err(reason) => Err(reason),
        };
        match captured {
            Ok(()) => Ok(()),
            Err(reason) if self.policy().is_report_only() && is_tolerable(reason) => {
                events::capture_tolerated(reason);
                Ok(())
            }
            Err(reason) => {
                events::capture_rejected(reason);
                Err(CaptureRefusal::new(Rejection::new(reason, self.policy()), asked, answer))
            }
        }
    }

    async fn bind_captured(&self, code: &str, requested: &Requested) -> Result<(), Reason> {
        let bound = match requested {
            Requested::NoChallenge => self.bind_without_challenge(code).await,
            other => {
                let challenge = other.clone().required(self.policy()).map_err(|rejection| rejection.reason())?;
                self.bind(code, challenge).await
            }
        };
        bound.map_err(|error| error.reason())
    }
}

/// The code and what to bind it to; `None` if there is nothing to capture.
fn decide<'a>(
    asked: &'a CaptureRequest,
    answer: &HostResponse<'_>,
    policy: &Policy,
) -> Result<Option<(String, &'a Requested)>, Reason> {
    let is_document = asked.may_ask_for_code && answer.is_success() && (answer.is_json() || answer.is_jwt());
    if !answer.may_carry_code() && !is_document {
        return Ok(None);
    }
    let requested = match &asked.requested {
        Ok(Requested::NoCode) => return Err(Reason::ResponseTypeWithoutCode),
        Ok(requested) => requested,
        Err(reason) => return Err(*reason),
    };
    if is_document || answer.carries_code_elsewhere() {
        return Err(Reason::CodeUnreadable);
    }
    let location = answer.location().ok_or(Reason::CodeUnreadable)?;
    match &asked.target {
        Target::Uri(_) if asked.target.within(location).is_some() => {}
        Target::Uri(_) => return Err(Reason::CodeForOtherTarget),
        Target::Unknown if policy.allows_missing_redirect_uri() && target::is_absolute(location) => {}
        Target::Unknown if policy.allows_missing_redirect_uri() => return Err(Reason::CodeForOtherTarget),
        Target::Unknown => return Err(Reason::RedirectUriMissing),
        Target::Unreadable(reason) => return Err(*reason),
    }
    if !matches!(answer.status(), 302 | 303) {
        return Err(Reason::RedirectStatus);
    }
    Ok(Some((location::read(location)?, requested)))
}

/// What a roll-out must bear with: the host works as it did before, and the operator sees what would be refused.
fn is_tolerable(reason: Reason) -> bool {
    matches!(reason, Reason::RedirectStatus | Reason::CodeUnreadable | Reason::RedirectUriMissing)
}

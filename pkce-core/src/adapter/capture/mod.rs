//! Capturing the code from the response to an authorization request, for a host that issues it at once.

mod rejection;
mod request;
mod target;

pub use self::rejection::CaptureRejection;
pub use self::request::CaptureRequest;
use self::target::Target;
use crate::adapter::host_response::HostResponse;
use crate::adapter::location;
use crate::adapter::request::Request;
use crate::authorization::request::Requested;
use crate::events;
use crate::pkce::Pkce;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;

impl Pkce {
    /// Returns whether a capture needs the body of this request: that of a POST of a form whose announced length is within
    /// [`Policy::body_limit`]. For adapters, which leave every other body [unread](crate::adapter::Body::Unread).
    ///
    /// A form that does not announce its length is read too, except under [`Policy::report_only`]: one that turned out too
    /// large could not be passed on.
    pub fn captures_body(&self, head: &Request<'_>, announced: Option<u64>) -> bool {
        let limit = self.policy().body_limit as u64;
        let fits = announced.map_or(!self.policy().report_only, |length| length <= limit);
        head.method() == "POST" && (announced == Some(0) || head.announces_form() && fits)
    }

    /// Reads an authorization request whose code is to be captured, before the host runs. For adapters.
    ///
    /// Its parameters are in the query or, for a POST, in the query, in the form body, or the same in both. A challenge
    /// that is unacceptable is not rejected yet: the host has to validate client and redirect URI first. Nothing is kept of
    /// the request but what is returned.
    ///
    /// # Errors
    ///
    /// When the host's response could not be read: a response mode other than `query` and `fragment` (`form_post`,
    /// `jwt`), or a body that is too large, too slow, or ended with an error.
    pub fn capture_request(&self, request: &Request<'_>) -> Result<CaptureRequest, Rejection> {
        let captured = CaptureRequest::read(request, self.policy());
        let client_id = captured.asked.client_id();
        let reason = match request.lost_body() {
            Some(reason) => reason,
            None if !captured.unreadable_mode => return Ok(captured),
            // Reported with the response, if nothing else is.
            None if self.policy().report_only => return Ok(captured),
            None => Reason::ResponseMode,
        };
        events::authorization_rejected(reason, client_id);
        Err(Rejection::new(reason, self.policy()))
    }

    /// Captures the code from the host's response and binds it to the challenge of the request. For adapters.
    ///
    /// `Ok(None)` lets the response pass unchanged: it has no code, or the code is bound. `Ok(Some(location))` lets it pass
    /// with this `Location`: an authorization response without `iss`, success or error, gets that of [`Pkce::issuer`]
    /// (RFC 9207 §2). The rules:
    ///
    /// 1. Responses without a code in a header pass unchanged: pages, documents, errors, redirects to a login. So does a
    ///    redirect with `error`, which is an error response whatever else it says (RFC 6749 §4.1.2.1). Of a request
    ///    without any parameter of an authorization request only a redirect to an absolute URI is judged.
    /// 2. The code is once in the query or in the fragment of the only `Location`, with status 302 or 303, or 307 in
    ///    response to a GET (RFC 9700 §4.12: 307 repeats the body of a POST, with the user's credentials; caches keep 301
    ///    and 308).
    /// 3. That `Location` is the `redirect_uri` of the request after a browser has parsed both: scheme, host, port, path,
    ///    and its own query first, in its order.
    /// 4. The request has an acceptable challenge, by the rules of [`AuthorizationRequest`](crate::AuthorizationRequest).
    /// 5. The store has recorded the binding, with the client and the redirect URI of the request (under `report_only`
    ///    without them). A `client_id` that is there twice, or cannot be decoded, is rejected.
    ///
    /// A page or a document is not read. A code in it is bound to nothing, and the token endpoint does not serve it.
    ///
    /// [`Policy::allow_missing_challenge`] binds *no challenge* for every client that sends none.
    /// [`Policy::report_only`] changes nothing for a request without a PKCE parameter: it reports what would be rejected.
    /// For the others it lets pass and reports what rules 2 and 4 reject, and a missing redirect URI.
    ///
    /// # Errors
    ///
    /// The response to send instead of the host's: its code must not leave.
    pub async fn capture(
        &self,
        asked: &CaptureRequest,
        host: &HostResponse<'_>,
    ) -> Result<Option<String>, CaptureRejection> {
        let client_id = asked.asked.client_id();
        let reason = match decide(asked, host, self.policy()) {
            Ok(None) => {
                if asked.unreadable_mode {
                    events::capture_tolerated(Reason::ResponseMode, client_id);
                }
                return Ok(self.location_with_issuer(asked, host));
            }
            Ok(Some((code, requested))) => match self.bind_captured(&code, requested, asked).await {
                Ok(()) => {
                    requested.announce(client_id);
                    return Ok(self.location_with_issuer(asked, host));
                }
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        if self.policy().report_only && (!asked.sends_pkce || is_tolerable(reason)) {
            events::capture_tolerated(reason, client_id);
            return Ok(self.location_with_issuer(asked, host));
        }
        events::capture_rejected(reason, client_id);
        Err(CaptureRejection::new(Rejection::new(reason, self.policy()), asked, host, self))
    }

    /// The `Location` of a redirect to the client, if it lacks the `iss` that the metadata promises.
    fn location_with_issuer(&self, asked: &CaptureRequest, host: &HostResponse<'_>) -> Option<String> {
        let (issuer, location) = (self.issuer()?, host.location().filter(|_| host.is_redirect())?);
        let leads_to_client = match &asked.target {
            Target::Uri(_) => asked.target.within(location).is_some(),
            Target::Unknown => asked.is_authorization_request && target::is_absolute(location),
            Target::Unreadable(_) => false,
        };
        location::with_issuer(location, issuer).filter(|_| leads_to_client)
    }

    async fn bind_captured(&self, code: &str, requested: &Requested, asked: &CaptureRequest) -> Result<(), Reason> {
        let mut bind = match requested {
            Requested::Challenge(challenge) => self.bind(code, challenge.clone()),
            // Nothing is recorded.
            Requested::Tolerated(_) => return Ok(()),
            Requested::NoChallenge => self.bind_without_challenge(code),
            Requested::NoCode => return Err(Reason::ResponseTypeWithoutCode),
        };
        // In a roll-out nothing is compared that was not compared before.
        if !self.policy().report_only {
            if let Some(client_id) = asked.client_id.as_ref().map_err(|reason| *reason)? {
                bind = bind.client_id(client_id);
            }
            if let Target::Uri(redirect_uri) = &asked.target {
                bind = bind.redirect_uri(redirect_uri);
            }
        }
        bind.await.map_err(|error| error.reason())
    }
}

/// The code and what to bind it to. `None` if there is nothing to capture.
fn decide<'a>(
    asked: &'a CaptureRequest,
    host: &HostResponse<'_>,
    policy: &Policy,
) -> Result<Option<(String, &'a Requested)>, Reason> {
    let location = host.location();
    let is_error = location.is_some_and(|location| location::is_error(location) && !asked.target.has_error());
    if !host.may_carry_code() || is_error && !host.carries_code_elsewhere() {
        return Ok(None);
    }
    // Of another request only a redirect to a client is judged: this may be any route of the server.
    let leads_to_client = host.is_redirect() && location.is_none_or(target::is_absolute);
    if !asked.is_authorization_request && !leads_to_client {
        return Ok(None);
    }
    let requested = match asked.asked.requested()? {
        Requested::NoCode => return Err(Reason::ResponseTypeWithoutCode),
        requested => requested,
    };
    if host.carries_code_elsewhere() {
        return Err(Reason::CodeUnreadable);
    }
    let location = location.ok_or(Reason::CodeUnreadable)?;
    match &asked.target {
        Target::Uri(_) if asked.target.within(location).is_some() => {}
        Target::Uri(_) => return Err(Reason::CodeForOtherTarget),
        Target::Unknown if policy.allow_missing_redirect_uri && target::is_absolute(location) => {}
        Target::Unknown if policy.allow_missing_redirect_uri => return Err(Reason::CodeForOtherTarget),
        Target::Unknown => return Err(Reason::RedirectUriMissing),
        Target::Unreadable(reason) => return Err(*reason),
    }
    if !matches!((host.status(), asked.is_get), (302 | 303, _) | (307, true)) {
        return Err(Reason::RedirectStatus);
    }
    Ok(Some((location::read(location)?, requested)))
}

/// What a roll-out must tolerate: the host works as before, and the operator sees what would be rejected.
fn is_tolerable(reason: Reason) -> bool {
    matches!(reason, Reason::RedirectStatus | Reason::CodeUnreadable | Reason::RedirectUriMissing)
}

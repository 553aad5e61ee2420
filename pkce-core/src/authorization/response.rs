//! The authorization response: a redirect to a redirect URI that the host has validated (RFC 6749 §4.1.2, §4.1.2.1).

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::pkce::Pkce;
use crate::random::RandomError;
use crate::reason::{ErrorCode, Reason};
use crate::rejection::Rejection;
use crate::uri::Uri;

/// Everything but the unreserved characters of RFC 3986 is encoded: every reader decodes that the same.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The response of the authorization endpoint to a validated redirect URI: [`ResponseTo`] as plain data.
pub type AuthorizationResponse = ResponseTo<AuthorizationRedirect>;

/// The response of the authorization endpoint, success or error, to a redirect URI that the host has validated.
///
/// Never pass a redirect URI that was not validated for the client (RFC 9700 §4.11.2), by
/// [`RedirectUriMatcher`](crate::RedirectUriMatcher) for example. Everything else is exact: the query of the redirect URI is
/// kept, `state` comes back as it was received, and `iss` is the [issuer](crate::PkceBuilder::issuer) if one is set
/// (RFC 9207 §2).
///
/// ```
/// use pkce_core::{AuthorizationResponse, ErrorCode, MemoryStore, Pkce};
///
/// let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example").build();
/// let response = AuthorizationResponse::new(&pkce, "https://app.example/cb?tenant=7").state("x&y".to_owned());
///
/// let redirect = response.code("SplxlOBeZQQYbYS6WxSbIA");
/// assert_eq!(redirect.status(), 303);
/// assert_eq!(
///     redirect.location(),
///     "https://app.example/cb?tenant=7&code=SplxlOBeZQQYbYS6WxSbIA&state=x%26y&iss=https%3A%2F%2Fas.example"
/// );
///
/// let redirect = response.error(ErrorCode::AccessDenied);
/// assert_eq!(
///     redirect.location(),
///     "https://app.example/cb?tenant=7&error=access_denied&state=x%26y&iss=https%3A%2F%2Fas.example"
/// );
/// ```
///
/// `R` is what [`code`](Self::code) and [`error`](Self::error) return. Each adapter has an alias that returns a response
/// of its framework.
#[must_use = "nothing is sent by itself"]
pub struct ResponseTo<R> {
    redirect_uri: String,
    state: Option<String>,
    issuer: Option<Arc<str>>,
    fragment: bool,
    returns: PhantomData<fn() -> R>,
}

impl<R: From<AuthorizationRedirect>> ResponseTo<R> {
    /// Creates a response to a validated redirect URI, from the server whose PKCE this is.
    pub fn new(pkce: &Pkce, redirect_uri: impl Into<String>) -> Self {
        Self::of(pkce.shared_issuer(), redirect_uri.into())
    }

    pub(crate) const fn of(issuer: Option<Arc<str>>, redirect_uri: String) -> Self {
        Self { redirect_uri, state: None, issuer, fragment: false, returns: PhantomData }
    }

    /// Sets the `state` of the authorization request, decoded. Leave it `None` if the request had none.
    pub fn state(mut self, state: impl Into<Option<String>>) -> Self {
        self.state = state.into();
        self
    }

    /// Sends the parameters in the fragment, for a hybrid response type (OAuth 2.0 Multiple Response Types §5).
    pub const fn in_fragment(mut self) -> Self {
        self.fragment = true;
        self
    }

    /// Returns the redirect with the authorization code (RFC 6749 §4.1.2). Bind the code first.
    pub fn code(&self, code: &(impl AsRef<str> + ?Sized)) -> R {
        self.redirect(&[("code", Some(code.as_ref()))])
    }

    /// Returns the redirect with an error (RFC 6749 §4.1.2.1).
    ///
    /// Takes a [`Rejection`], a [`BindError`](crate::BindError), a [`RandomError`], an [`ErrorCode`], or an `ErrorCode` with a
    /// description.
    pub fn error(&self, error: impl Into<AuthorizationError>) -> R {
        let AuthorizationError { error, description, error_uri } = error.into();
        self.redirect(&[
            ("error", Some(error.as_str())),
            ("error_description", description),
            ("error_uri", error_uri.as_deref()),
        ])
    }

    fn redirect(&self, parameters: &[(&str, Option<&str>)]) -> R {
        let common = [("state", self.state.as_deref()), ("iss", self.issuer.as_deref())];
        // A redirect URI has no fragment (RFC 6749 §3.1.2). One that has would swallow the parameters.
        let Uri { base, query, .. } = Uri::split(&self.redirect_uri);
        let mut location = base.to_owned();
        if let Some(query) = query {
            location.push('?');
            location.push_str(query);
        }
        let mut separator = match (self.fragment, query) {
            (true, _) => "#",
            (false, None) => "?",
            (false, Some(query)) if query.is_empty() || query.ends_with('&') => "",
            (false, Some(_)) => "&",
        };
        for (name, value) in
            parameters.iter().chain(&common).filter_map(|(name, value)| value.map(|value| (name, value)))
        {
            location.push_str(separator);
            location.push_str(name);
            location.push('=');
            location.extend(utf8_percent_encode(value, ENCODED));
            separator = "&";
        }
        AuthorizationRedirect { status: 303, location }.into()
    }
}

impl<R> Clone for ResponseTo<R> {
    fn clone(&self) -> Self {
        let Self { redirect_uri, state, issuer, fragment, .. } = self;
        let (redirect_uri, state, issuer) = (redirect_uri.clone(), state.clone(), issuer.clone());
        Self { redirect_uri, state, issuer, fragment: *fragment, returns: PhantomData }
    }
}

/// Shows no state: it may protect the client against forged responses.
impl<R> fmt::Debug for ResponseTo<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The redirect of an [`AuthorizationResponse`], as plain data for any HTTP library. It has no body.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRedirect {
    status: u16,
    location: String,
}

impl AuthorizationRedirect {
    /// Returns the status: 303 See Other, so that the browser follows with a GET whatever the request was (RFC 9700
    /// §4.12). A captured redirect keeps the 302 of the host.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the value of the `Location` header. All that is added to the redirect URI is ASCII.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Returns the further headers: names in lower case, and values.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        // RFC 9700 §4.2.4: the address of the page that led here must not leak.
        [("cache-control", "no-store"), ("pragma", "no-cache"), ("referrer-policy", "no-referrer")].into_iter()
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// Shows no `Location`: it holds the code and the state.
impl fmt::Debug for AuthorizationRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRedirect").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The error that an [`AuthorizationResponse`] sends (RFC 6749 §4.1.2.1). Converted from what
/// [`error`](ResponseTo::error) takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationError {
    error: ErrorCode,
    description: Option<&'static str>,
    error_uri: Option<String>,
}

impl From<ErrorCode> for AuthorizationError {
    fn from(error: ErrorCode) -> Self {
        Self { error, description: None, error_uri: None }
    }
}

/// The description is in %x20-21 / %x23-5B / %x5D-7E (RFC 6749 §4.1.2.1): no quotation mark, no backslash.
impl From<(ErrorCode, &'static str)> for AuthorizationError {
    fn from((error, description): (ErrorCode, &'static str)) -> Self {
        Self { error, description: Some(description), error_uri: None }
    }
}

impl From<Reason> for AuthorizationError {
    fn from(reason: Reason) -> Self {
        let wire = reason.wire();
        (wire.error, wire.description).into()
    }
}

impl From<Rejection> for AuthorizationError {
    fn from(rejection: Rejection) -> Self {
        (&rejection).into()
    }
}

impl From<&Rejection> for AuthorizationError {
    fn from(rejection: &Rejection) -> Self {
        Self { error_uri: rejection.error_uri().map(str::to_owned), ..rejection.reason().into() }
    }
}

impl From<RandomError> for AuthorizationError {
    fn from(_: RandomError) -> Self {
        Reason::RandomUnavailable.into()
    }
}

impl From<&RandomError> for AuthorizationError {
    fn from(_: &RandomError) -> Self {
        Reason::RandomUnavailable.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::policy::Policy;

    fn to(redirect_uri: &str) -> AuthorizationResponse {
        AuthorizationResponse::new(&Pkce::new(MemoryStore::new()), redirect_uri)
    }

    fn location(redirect_uri: &str) -> String {
        let rejection = Rejection::new(Reason::ChallengeRequired, &Policy::new());
        to(redirect_uri).error(rejection).location
    }

    #[test]
    fn the_query_of_the_redirect_uri_is_kept() {
        const ERROR: &str = "error=invalid_request&error_description=code%20challenge%20required";
        assert_eq!(location("https://a/cb"), format!("https://a/cb?{ERROR}"));
        assert_eq!(location("https://a/cb?"), format!("https://a/cb?{ERROR}"));
        assert_eq!(location("https://a/cb?t=7"), format!("https://a/cb?t=7&{ERROR}"));
        assert_eq!(location("https://a/cb?t=7&"), format!("https://a/cb?t=7&{ERROR}"));
        assert_eq!(location("https://a/cb?t=7?u"), format!("https://a/cb?t=7?u&{ERROR}"));
        assert_eq!(location("https://a/cb#f"), format!("https://a/cb?{ERROR}"));
    }

    #[test]
    fn nothing_can_break_out_of_its_parameter() {
        let hostile = "x y+&iss=evil\r\nSet-Cookie: a=b#é";
        let encoded = "x%20y%2B%26iss%3Devil%0D%0ASet-Cookie%3A%20a%3Db%23%C3%A9";
        let pkce = Pkce::builder(MemoryStore::new()).issuer("https://as.example").build();
        let response = AuthorizationResponse::new(&pkce, "https://a/cb").state(hostile.to_owned());
        let expected = format!("https://a/cb?code={encoded}&state={encoded}&iss=https%3A%2F%2Fas.example");
        assert_eq!(response.code(hostile).location, expected);
    }

    #[test]
    fn a_hybrid_response_type_is_answered_in_the_fragment() {
        let response = to("https://a/cb?t=7").in_fragment().state("s".to_owned());
        assert_eq!(response.code("c").location, "https://a/cb?t=7#code=c&state=s");
        assert_eq!(response.error(ErrorCode::AccessDenied).location, "https://a/cb?t=7#error=access_denied&state=s");
    }

    #[test]
    fn an_error_carries_its_description_and_the_error_uri_of_the_policy() {
        let response = to("https://a/cb");
        let policy = Policy::new().error_uri("https://as.example/errors");
        assert_eq!(
            response.error(Rejection::new(Reason::ChallengeRequired, &policy)).location,
            "https://a/cb?error=invalid_request&error_description=code%20challenge%20required\
             &error_uri=https%3A%2F%2Fas.example%2Ferrors"
        );
        assert_eq!(
            response.error((ErrorCode::InvalidScope, "unknown scope")).location,
            "https://a/cb?error=invalid_scope&error_description=unknown%20scope"
        );
        assert_eq!(response.error(ErrorCode::Other("login_required")).location, "https://a/cb?error=login_required");
    }
}

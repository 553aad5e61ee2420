//! The cookies that bind a transaction to the browser in which it was begun.
//!
//! Without them an attacker could begin a flow, stop before the callback and have the victim's browser finish it: login
//! CSRF (RFC 6749 §10.12, RFC 9700 §4.7). Each transaction has a cookie of its own, so tabs do not disturb each other.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use constant_time_eq::constant_time_eq;
use sha2::{Digest as _, Sha256};

use crate::random::{self, NoRandomness};

/// How many transactions one browser may have open: more cookies would make its requests too large for some servers.
const OPEN: usize = 16;

/// How the cookies are named and which attributes they have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    /// By `https` the names have the prefix `__Host-`, so that no other host can set them. By `http`, which is for
    /// loopback, a browser would not take that.
    secure: bool,
}

/// A cookie that is to be set.
pub(crate) struct Begun {
    /// What a transaction keeps: the cookie's name without prefix.
    pub(crate) id: String,
    /// What a transaction keeps: the digest of the cookie's value.
    pub(crate) digest: String,
    value: String,
}

impl Begun {
    /// The id begins with the time, in hexadecimal digits, so that the oldest is known.
    pub(crate) fn at(seconds: u64) -> Result<Self, NoRandomness> {
        let id = format!("{seconds:010x}{}", random::name::<12>()?);
        let value = random::name::<32>()?;
        Ok(Self { id, digest: digest(value.as_bytes()), value })
    }
}

impl Cookies {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    const fn prefix(self) -> &'static str {
        if self.secure { "__Host-pkce-gateway-" } else { "pkce-gateway-" }
    }

    /// `Set-Cookie` for a new transaction.
    pub(crate) fn set(self, begun: &Begun, lifetime: u64) -> String {
        self.cookie(&begun.id, &begun.value, lifetime)
    }

    /// `Set-Cookie` that removes the cookie of a transaction.
    pub(crate) fn remove(self, id: &str) -> String {
        self.cookie(id, "", 0)
    }

    /// The ids of the oldest transactions of this browser, if there are so many that a new one would be one too many.
    pub(crate) fn oldest(self, headers: &HeaderMap) -> Vec<String> {
        let mut ids: Vec<&str> = pairs(headers).filter_map(|(name, _)| self.id(name)).filter(|id| is_id(id)).collect();
        ids.sort_unstable();
        let too_many = (ids.len() + 1).saturating_sub(OPEN);
        ids.into_iter().take(too_many).map(str::to_owned).collect()
    }

    /// Whether these are the headers of the browser in which the transaction was begun.
    pub(crate) fn match_transaction(self, headers: &HeaderMap, id: &str, expected: &str) -> bool {
        let mut values = pairs(headers).filter(|(name, _)| self.id(name) == Some(id)).map(|(_, value)| value);
        // A second one was planted by somebody.
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        constant_time_eq(digest(value).as_bytes(), expected.as_bytes())
    }

    /// A `Cookie` header without these cookies, for the upstream. `None` if nothing is left.
    pub(crate) fn without(self, header: &[u8]) -> Option<Vec<u8>> {
        let is_other = |pair: &&[u8]| !pair.starts_with(self.prefix().as_bytes());
        let left: Vec<&[u8]> = header.split(|octet| *octet == b';').map(<[u8]>::trim_ascii).filter(is_other).collect();
        if left.is_empty() { None } else { Some(left.join(&b"; "[..])) }
    }

    fn id(self, name: &[u8]) -> Option<&str> {
        str::from_utf8(name.strip_prefix(self.prefix().as_bytes())?).ok()
    }

    /// Lax: the callback is a navigation that begins at the upstream (RFC 6265bis §5.6.7).
    fn cookie(self, id: &str, value: &str, max_age: u64) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}{id}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}", self.prefix())
    }
}

/// Octets: a cookie of somebody else may hold any.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = headers.get_all(COOKIE).into_iter().flat_map(|line| line.as_bytes().split(|octet| *octet == b';'));
    pairs.filter_map(|pair| {
        let (name, value) = pair.split_at_checked(pair.iter().position(|octet| *octet == b'=')?)?;
        Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
    })
}

fn is_id(text: &str) -> bool {
    text.len() == 26 && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

fn digest(value: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn only_the_browser_that_has_the_cookie_matches_and_only_for_that_transaction() {
        let cookies = Cookies::new(true);
        let (one, other) = (Begun::at(1).unwrap(), Begun::at(1).unwrap());
        let both = headers(&format!(
            "a=b; __Host-pkce-gateway-{}={}; __Host-pkce-gateway-{}={}",
            one.id, one.value, other.id, other.value
        ));
        assert!(cookies.match_transaction(&both, &one.id, &one.digest));
        assert!(cookies.match_transaction(&both, &other.id, &other.digest));
        assert!(!cookies.match_transaction(&both, &one.id, &other.digest));
        assert!(!cookies.match_transaction(&HeaderMap::new(), &one.id, &one.digest));
        let plain = headers(&format!("pkce-gateway-{}={}", one.id, one.value));
        assert!(!cookies.match_transaction(&plain, &one.id, &one.digest));
        let twice = headers(&format!("__Host-pkce-gateway-{0}={1}; __Host-pkce-gateway-{0}={1}", one.id, one.value));
        assert!(!cookies.match_transaction(&twice, &one.id, &one.digest));
    }

    #[test]
    fn by_https_no_other_host_can_set_the_cookie() {
        let begun = Begun::at(0x10).unwrap();
        assert!(is_id(&begun.id) && begun.id.starts_with("0000000010"));
        let cookie = Cookies::new(true).set(&begun, 600);
        assert!(cookie.starts_with("__Host-pkce-gateway-"));
        assert!(cookie.ends_with("; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure"));
        assert!(!Cookies::new(false).set(&begun, 600).contains("Secure"));
    }

    #[test]
    fn the_oldest_give_way_and_the_upstream_sees_none() {
        let cookies = Cookies::new(false);
        let ids: Vec<String> = (1..=17).map(|at| Begun::at(at).unwrap().id).collect();
        let line = |ids: &[String]| ids.iter().map(|id| format!("pkce-gateway-{id}=x")).collect::<Vec<_>>().join("; ");
        let shuffled = format!("a=b; {}; {}", line(&ids[8..]), line(&ids[..8]));
        assert_eq!(cookies.oldest(&headers(&shuffled)), ids[..2]);
        assert!(cookies.oldest(&headers(&line(&ids[..15]))).is_empty());
        assert_eq!(cookies.without(format!("{shuffled}; c=d").as_bytes()).as_deref(), Some(&b"a=b; c=d"[..]));
        assert_eq!(cookies.without(b"\xff=\x80;pkce-gateway-x=y").as_deref(), Some(&b"\xff=\x80"[..]));
        assert_eq!(cookies.without(format!("pkce-gateway-{}=x", ids[0]).as_bytes()), None);
    }
}

//! The cookies that hold transactions in the browser in which they were begun.
//!
//! Without them an attacker could begin a flow, stop before the callback and have the victim's browser finish it: login
//! CSRF (RFC 6749 §10.12, RFC 9700 §4.7). Each transaction has a cookie of its own, so tabs do not disturb each other.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use pkce_tower::{AuthorizationCode, RandomError};

/// How many transactions one browser keeps: more cookies would make its requests too large for some servers.
const OPEN: usize = 10;

/// How many seconds a cookie is kept. Longer than any transaction: one that took too long still finds its way back.
const KEPT: u32 = 24 * 60 * 60;

/// How the cookies are named, and their attributes.
#[derive(Clone, Copy)]
pub(crate) struct Cookies {
    /// By `https` the names have the prefix `__Host-`, so that no other host can set them. By `http`, which is for
    /// loopback, a browser would reject that.
    secure: bool,
}

/// Returns a new id of a transaction. It is unguessable, and begins with the time (in milliseconds, hexadecimal), so that the
/// oldest is known.
pub(crate) fn id(now: u128) -> Result<String, RandomError> {
    Ok(format!("{now:012x}{}", AuthorizationCode::generate()?.as_str()))
}

impl Cookies {
    pub(crate) const fn new(secure: bool) -> Self {
        Self { secure }
    }

    const fn prefix(self) -> &'static str {
        if self.secure { "__Host-pkce-gateway-" } else { "pkce-gateway-" }
    }

    /// Returns the `Set-Cookie` of a new transaction, and of the oldest ones of this browser, if there would be too many.
    pub(crate) fn set(self, headers: &HeaderMap, id: &str, value: &str) -> Vec<String> {
        let mut ids: Vec<&str> = pairs(headers).filter_map(|(name, _)| self.id(name)).filter(|id| is_id(id)).collect();
        ids.sort_unstable();
        let too_many = (ids.len() + 1).saturating_sub(OPEN);
        let removed = ids.into_iter().take(too_many).map(|id| self.remove(id));
        removed.chain([self.cookie(id, value, KEPT)]).collect()
    }

    /// Returns the `Set-Cookie` that removes the cookie of a transaction.
    pub(crate) fn remove(self, id: &str) -> String {
        self.cookie(id, "", 0)
    }

    /// Returns the cookie of a transaction.
    pub(crate) fn get(self, headers: &HeaderMap, id: &str) -> Option<String> {
        let mut values = pairs(headers).filter(|(name, _)| is_id(id) && self.id(name) == Some(id));
        // A second one was planted by somebody.
        let (Some((_, value)), None) = (values.next(), values.next()) else { return None };
        str::from_utf8(value).ok().map(str::to_owned)
    }

    fn id(self, name: &[u8]) -> Option<&str> {
        str::from_utf8(name.strip_prefix(self.prefix().as_bytes())?).ok()
    }

    /// Lax: the callback is a navigation that begins at the upstream (RFC 6265bis §5.6.7).
    fn cookie(self, id: &str, value: &str, max_age: u32) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}{id}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}", self.prefix())
    }
}

/// Bytes: a cookie of somebody else may hold any.
fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = headers.get_all(COOKIE).into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(|pair| {
        let (name, value) = pair.split_at_checked(pair.iter().position(|byte| *byte == b'=')?)?;
        Some((name.trim_ascii(), value.get(1..)?.trim_ascii()))
    })
}

fn is_id(text: &str) -> bool {
    text.len() == 55 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, cookie.parse().unwrap())])
    }

    #[test]
    fn a_cookie_is_found_by_its_own_id_and_prefix_if_there_is_one() {
        let cookies = Cookies::new(true);
        let (one, other) = (id(1).unwrap(), id(1).unwrap());
        let both = headers(&format!("a=b; __Host-pkce-gateway-{one}=x; \u{80}=; __Host-pkce-gateway-{other}=y"));
        assert_eq!(cookies.get(&both, &one).as_deref(), Some("x"));
        assert_eq!(cookies.get(&both, &other).as_deref(), Some("y"));
        for cookie in [
            format!("pkce-gateway-{one}=x"),
            format!("__Host-pkce-gateway-{one}=x; __Host-pkce-gateway-{one}=x"),
            format!("__Host-pkce-gateway-{other}=x"),
        ] {
            assert_eq!(cookies.get(&headers(&cookie), &one), None, "{cookie}");
        }
        assert_eq!(cookies.get(&headers("__Host-pkce-gateway-=x"), ""), None);
    }

    #[test]
    fn by_https_no_other_host_can_set_the_cookie() {
        let id = id(0x10).unwrap();
        assert!(is_id(&id) && id.starts_with("000000000010"));
        let [cookie] = <[String; 1]>::try_from(Cookies::new(true).set(&HeaderMap::new(), &id, "x")).unwrap();
        assert_eq!(
            cookie,
            format!("__Host-pkce-gateway-{id}=x; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure")
        );
        assert!(!Cookies::new(false).remove(&id).contains("Secure"));
    }

    #[test]
    fn the_oldest_give_way() {
        let cookies = Cookies::new(false);
        let ids: Vec<String> = (1..=11).map(|at| id(at).unwrap()).collect();
        let line = |ids: &[String]| ids.iter().map(|id| format!("pkce-gateway-{id}=x")).collect::<Vec<_>>().join("; ");
        let shuffled = format!("a=b; {}; {}", line(&ids[8..]), line(&ids[..8]));
        let set = cookies.set(&headers(&shuffled), "new", "x");
        assert_eq!(set[..2], [cookies.remove(&ids[0]), cookies.remove(&ids[1])]);
        assert_eq!((set.len(), cookies.set(&headers(&line(&ids[..9])), "new", "x").len()), (3, 1));
    }
}

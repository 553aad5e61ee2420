//! The comparison of a redirect URI with a registered one, against `url`.
//!
//! The input: a line with the registered URI, and the requested one.

use pkce_core::RedirectUriMatcher;
use url::Url;

use crate::line;

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, |registered, requested| {
        [RedirectUriMatcher::new(), RedirectUriMatcher::new().any_port_on_localhost()]
            .map(|matcher| matcher.matches(registered, requested))
    });
}

/// Takes everything between the address and the path for a port.
pub(crate) fn planted(bytes: &[u8]) {
    compare(bytes, |registered, requested| {
        let path = registered.strip_prefix("http://127.0.0.1");
        let rest = requested.strip_prefix("http://127.0.0.1:");
        [registered == requested || rest.zip(path).is_some_and(|(rest, path)| rest.ends_with(path)); 2]
    });
}

fn compare(bytes: &[u8], matches: impl Fn(&str, &str) -> [bool; 2]) {
    let (registered, requested) = line(bytes);
    let (Ok(registered), Ok(requested)) = (std::str::from_utf8(registered), std::str::from_utf8(requested)) else {
        return;
    };
    let [strict, lenient] = matches(registered, requested);
    assert!(lenient || !strict, "the lenient matcher is stricter");
    if registered == requested {
        return assert_eq!(strict, !requested.is_empty());
    }
    for (hosts, is_match) in [(&["127.0.0.1", "[::1]"][..], strict), (&["127.0.0.1", "[::1]", "localhost"], lenient)] {
        let (Ok(mut one), Ok(mut other)) = (Url::parse(registered), Url::parse(requested)) else {
            assert!(!is_match, "no browser goes there");
            continue;
        };
        if is_match {
            assert!(one.scheme() == "http" && one.host_str().is_some_and(|host| hosts.contains(&host)));
            // Without their ports they are the same, for a browser too.
            assert!(one.set_port(None).is_ok() && other.set_port(None).is_ok());
            assert_eq!(one, other);
            assert_eq!((one.username(), one.password(), one.fragment()), ("", None, None));
        }
    }
}

//! The redirect URI of an authorization request is the registered one, except for the port of a loopback address.

use pkce_core::RedirectUriMatcher;
use proptest::prelude::*;

const STRICT: RedirectUriMatcher = RedirectUriMatcher::new();
const WITH_LOCALHOST: RedirectUriMatcher = RedirectUriMatcher::new().any_port_on_localhost();

const APP: &str = "https://app.example/cb?tenant=7";
const IPV4: &str = "http://127.0.0.1/cb";
const IPV6: &str = "http://[::1]/cb";
const LOCALHOST: &str = "http://localhost/cb";

#[test]
fn a_redirect_uri_is_compared_character_by_character() {
    assert!(STRICT.matches(APP, APP));
    for trick in [
        "",
        "https://app.example/cb",
        "https://app.example/cb?tenant=8",
        "https://app.example/cb?tenant=7&",
        "https://app.example/cb?tenant=7#",
        "https://app.example/cb?tenant=%37",
        "https://app.example/cb/?tenant=7",
        "https://app.example/cb/../cb?tenant=7",
        "https://app.example/CB?tenant=7",
        "https://app.example:443/cb?tenant=7",
        "https://app.example./cb?tenant=7",
        "https://APP.example/cb?tenant=7",
        "HTTPS://app.example/cb?tenant=7",
        "http://app.example/cb?tenant=7",
        "https://app.example@evil.example/cb?tenant=7",
        "https://evil.example/cb?tenant=7",
        "https://app.example.evil.example/cb?tenant=7",
        "https://app.example\\@evil.example/cb?tenant=7",
        "https://user@app.example/cb?tenant=7",
        "//app.example/cb?tenant=7",
        " https://app.example/cb?tenant=7",
        "https://app.example/cb?tenant=7 ",
        "https://app.example/cb?tenant=7\n",
        "https://app.example/cb?tenant=7\0",
        "https://app.example\t/cb?tenant=7",
        "https://аpp.example/cb?tenant=7", // the first letter is Cyrillic
    ] {
        assert!(!STRICT.matches(APP, trick), "{trick}");
        assert!(!WITH_LOCALHOST.matches(APP, trick), "{trick}");
    }
}

#[test]
fn an_empty_redirect_uri_is_never_registered() {
    assert!(!STRICT.matches("", ""));
    assert!(!WITH_LOCALHOST.matches("", ""));
}

#[test]
fn the_port_of_a_loopback_address_may_differ() {
    for (registered, requested) in [
        (IPV4, IPV4),
        (IPV4, "http://127.0.0.1:1/cb"),
        (IPV4, "http://127.0.0.1:80/cb"),
        (IPV4, "http://127.0.0.1:65535/cb"),
        (IPV6, IPV6),
        (IPV6, "http://[::1]:33418/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:33418/cb"),
        ("http://127.0.0.1:8080/cb", IPV4),
        ("http://[::1]:8080/cb?a=b", "http://[::1]:1/cb?a=b"),
        ("http://127.0.0.1", "http://127.0.0.1:33418"),
        ("http://127.0.0.1?a=b", "http://127.0.0.1:33418?a=b"),
    ] {
        assert!(STRICT.matches(registered, requested), "{registered} {requested}");
    }
}

#[test]
fn nothing_but_the_port_of_a_loopback_address_may_differ() {
    for (registered, trick) in [
        (IPV4, "http://127.0.0.1:/cb"),
        (IPV4, "http://127.0.0.1:0/cb"),
        (IPV4, "http://127.0.0.1:00080/cb"),
        (IPV4, "http://127.0.0.1:65536/cb"),
        (IPV4, "http://127.0.0.1:99999999999999999999/cb"),
        (IPV4, "http://127.0.0.1:+1/cb"),
        (IPV4, "http://127.0.0.1:-1/cb"),
        (IPV4, "http://127.0.0.1: 1/cb"),
        (IPV4, "http://127.0.0.1:1 /cb"),
        (IPV4, "http://127.0.0.1:1:2/cb"),
        (IPV4, "http://127.0.0.1:٣/cb"), // a digit, but not of ASCII
        (IPV4, "http://127.0.0.1:0x50/cb"),
        (IPV4, "http://127.0.0.1:80@evil.example/cb"),
        (IPV4, "http://127.0.0.1:80\\@evil.example/cb"),
        (IPV4, "http://127.0.0.1@evil.example/cb"),
        (IPV4, "http://user@127.0.0.1:80/cb"),
        (IPV4, "http://user:80@127.0.0.1/cb"),
        (IPV4, "http://127.0.0.1.evil.example:80/cb"),
        (IPV4, "http://evil.example/127.0.0.1:80/cb"),
        (IPV4, "http://127.0.0.1:80/evil/cb"),
        (IPV4, "http://127.0.0.1:80/cb/"),
        (IPV4, "http://127.0.0.1:80/cb?a=b"),
        (IPV4, "http://127.0.0.1:80?/cb"),
        (IPV4, "http://127.0.0.1:80#/cb"),
        (IPV4, "http://127.0.0.1:80/cb#"),
        (IPV4, "http://127.0.0.1:80/%63b"),
        (IPV4, "http://127.0.0.1:80//cb"),
        (IPV4, "http://127.0.0.1:80\\cb"),
        (IPV4, "http:///127.0.0.1:80/cb"),
        (IPV4, "http:/127.0.0.1:80/cb"),
        (IPV4, "http://127.1:80/cb"),
        (IPV4, "http://2130706433:80/cb"),
        (IPV4, "http://0x7f.0.0.1:80/cb"),
        (IPV4, "http://127.0.0.2:80/cb"),
        (IPV4, "http://0.0.0.0:80/cb"),
        (IPV4, "http://[::ffff:127.0.0.1]:80/cb"),
        (IPV4, "http://[::1]:80/cb"),
        (IPV4, "http://localhost:80/cb"),
        (IPV4, "https://127.0.0.1:80/cb"),
        (IPV4, "HTTP://127.0.0.1:80/cb"),
        (IPV4, " http://127.0.0.1:80/cb"),
        (IPV4, "http://127.0.0.1:80/cb\n"),
        (IPV6, "http://[::1]1/cb"),
        (IPV6, "http://[::1]:/cb"),
        (IPV6, "http://[::1/cb"),
        (IPV6, "http://::1/cb"),
        (IPV6, "http://::1:80/cb"),
        (IPV6, "http://[0:0:0:0:0:0:0:1]:80/cb"),
        (IPV6, "http://[::1%25lo]:80/cb"),
        (IPV6, "http://127.0.0.1:80/cb"),
        ("https://127.0.0.1/cb", "https://127.0.0.1:8443/cb"),
        ("http://127.0.0.1/cb#f", "http://127.0.0.1:80/cb#f"),
        ("http://user@127.0.0.1/cb", "http://user@127.0.0.1:80/cb"),
        ("http://10.0.0.1/cb", "http://10.0.0.1:80/cb"),
        ("http://app.example/cb", "http://app.example:80/cb"),
        ("http://:80/cb", "http://:81/cb"),
        ("com.example.app:/cb", "com.example.app:80/cb"),
        ("", "http://127.0.0.1:80"),
    ] {
        assert!(!STRICT.matches(registered, trick), "{registered} {trick}");
        assert!(!WITH_LOCALHOST.matches(registered, trick), "{registered} {trick}");
    }
}

#[test]
fn the_port_of_localhost_may_differ_only_if_the_switch_says_so() {
    assert!(STRICT.matches(LOCALHOST, LOCALHOST));
    assert!(!STRICT.matches(LOCALHOST, "http://localhost:33418/cb"));
    assert!(WITH_LOCALHOST.matches(LOCALHOST, LOCALHOST));
    assert!(WITH_LOCALHOST.matches(LOCALHOST, "http://localhost:33418/cb"));
    assert!(WITH_LOCALHOST.matches("http://localhost:1/cb", "http://localhost:33418/cb"));
    for trick in [
        "http://LOCALHOST:33418/cb",
        "http://localhost.:33418/cb",
        "http://localhost.evil.example:33418/cb",
        "http://app.localhost:33418/cb",
        "http://localhost:1@evil.example/cb",
        "http://127.0.0.1:33418/cb",
        "https://localhost:33418/cb",
        "http://localhost:33418/cb?a",
    ] {
        assert!(!WITH_LOCALHOST.matches(LOCALHOST, trick), "{trick}");
    }
}

proptest! {
    /// What the URL standard says of both: whatever matches leads a browser to the same scheme, host, path and query, and
    /// without a loopback host to the same port.
    #[test]
    fn a_browser_goes_to_the_registered_place(
        registered in "https?://(127\\.0\\.0\\.1|\\[::1\\]|localhost|a\\.example)(:[0-9]{1,5})?(/[a-b/.]{0,3})?(\\?[a-b]{0,2})?",
        inserted in "[:/@#?\\\\0-9.a-b ]{0,4}",
        at in 0..40_usize,
    ) {
        let mut requested = registered.clone();
        requested.insert_str(at.min(registered.len()), &inserted);
        for matcher in [STRICT, WITH_LOCALHOST] {
            if !matcher.matches(&registered, &requested) || registered == requested {
                continue;
            }
            let (own, sent) = (url::Url::parse(&registered).unwrap(), url::Url::parse(&requested).unwrap());
            let parts = |url: &url::Url| {
                let mut url = url.clone();
                url.set_port(None).unwrap();
                url.to_string()
            };
            prop_assert_eq!(parts(&own), parts(&sent));
            prop_assert!(matches!(own.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")));
        }
    }
}

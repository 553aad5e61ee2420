//! The redirect of an authorization response, against `url`.
//!
//! The input: a line with the redirect URI, a line with the code, and the state.

use std::sync::LazyLock;

use pkce_core::{AuthorizationResponse, MemoryStore, Pkce};
use url::Url;

use crate::{line, place};

const ISSUER: &str = "https://as.example/a b";

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, |location| location);
}

/// Does not encode a plus sign.
pub(crate) fn planted(bytes: &[u8]) {
    compare(bytes, |location| location.replace("%2B", "+"));
}

static SERVER: LazyLock<Pkce> = LazyLock::new(|| Pkce::builder(MemoryStore::new()).issuer(ISSUER).build());

fn compare(bytes: &[u8], written: impl Fn(String) -> String) {
    let (redirect_uri, rest) = line(bytes);
    let (code, state) = line(rest);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (redirect_uri, code, state) = (text(redirect_uri), text(code), text(state));
    // Of a redirect URI that a browser writes otherwise only the browser knows the parameters.
    let Ok(own) = Url::parse(&redirect_uri) else { return };
    if own.as_str() != redirect_uri || own.fragment().is_some() {
        return;
    }
    let response = AuthorizationResponse::new(&SERVER, &redirect_uri).state(state.clone());
    let added = [("code", &*code), ("state", &*state), ("iss", ISSUER)];
    let added = added.map(|(name, value)| (name.to_owned(), value.to_owned()));

    let location = written(response.code(&code).location().to_owned());
    assert!(location.starts_with(&redirect_uri));
    let Ok(sent) = Url::parse(&location) else { panic!("no browser goes to {location}") };
    assert_eq!((place(&sent), sent.fragment()), (place(&own), None));
    let expected: Vec<_> = own.query_pairs().into_owned().chain(added.clone()).collect();
    assert_eq!(sent.query_pairs().into_owned().collect::<Vec<_>>(), expected);

    let location = written(response.in_fragment().code(&code).location().to_owned());
    let Ok(sent) = Url::parse(&location) else { panic!("no browser goes to {location}") };
    assert_eq!((place(&sent), sent.query()), (place(&own), own.query()));
    let fragment = sent.fragment().unwrap_or_default();
    assert_eq!(form_urlencoded::parse(fragment.as_bytes()).into_owned().collect::<Vec<_>>(), added);
}

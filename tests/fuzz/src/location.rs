//! The capture of a code from a `Location`, against `url`.
//!
//! The input: a line with the redirect URI of the request, and the `Location` of the response.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use pkce_core::adapter::{Body, HostResponse, Request};
use pkce_core::store::{Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket};
use pkce_core::{Pkce, Reason};
use url::Url;

use crate::{line, place};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Remembers the last code that was bound.
#[derive(Default)]
struct Last(Mutex<Option<CodeDigest>>);

#[async_trait]
impl ChallengeStore for Last {
    async fn insert(&self, code: &CodeDigest, _: &Binding) -> Result<Inserted, StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(*code);
        Ok(Inserted::Recorded)
    }

    async fn redeem(&self, _: &CodeDigest, _: &Attempt) -> Result<Redemption, StoreError> {
        Ok(Redemption::Unknown)
    }

    async fn restore(&self, _: &CodeDigest, _: Ticket) -> Result<(), StoreError> {
        Ok(())
    }
}

thread_local! {
    // Each thread has its own: a test harness runs several.
    static SERVER: (Arc<Last>, Pkce) = {
        let last = Arc::new(Last::default());
        (Arc::clone(&last), Pkce::builder(last).issuer("https://as.example").build())
    };
}

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, str::to_owned);
}

/// Sees a location without its fragment.
pub(crate) fn planted(bytes: &[u8]) {
    compare(bytes, |location| location.split('#').next().unwrap_or_default().to_owned());
}

fn compare(bytes: &[u8], seen: impl Fn(&str) -> String) {
    let (redirect_uri, location) = line(bytes);
    let Ok(redirect_uri) = std::str::from_utf8(redirect_uri) else { return };
    // No other bytes are in a header.
    if location.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return;
    }
    let encoded: String = form_urlencoded::byte_serialize(redirect_uri.as_bytes()).collect();
    let query = format!(
        "response_type=code&client_id=a&redirect_uri={encoded}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let request = Request::new("GET", Body::Complete(b"")).query(Some(&query));
    let (last, pkce) = SERVER.with(Clone::clone);
    let Ok(asked) = pkce.capture_request(&request) else { panic!("the request is a good one") };
    let shown = std::str::from_utf8(location).map_or_else(|_| location.to_vec(), |text| seen(text).into_bytes());
    let host = HostResponse::new(303).header("location", &shown);
    let Some(captured) = pkce.capture(&asked, &host).now_or_never() else { panic!("the store waits for nothing") };
    let bound = last.0.lock().unwrap_or_else(PoisonError::into_inner).take();

    let text = String::from_utf8_lossy(location);
    let sent = match &captured {
        Ok(Some(with_issuer)) => Url::parse(with_issuer).ok(),
        _ => Url::parse(&text).ok(),
    };
    match (captured, bound) {
        (Ok(_), Some(bound)) => {
            let (Some(sent), Ok(own)) = (sent, Url::parse(redirect_uri)) else { panic!("nobody goes to {text:?}") };
            assert!(!parameters(&sent, "iss").is_empty());
            // One without a value is none.
            let mut codes = parameters(&sent, "code");
            codes.retain(|code| !code.is_empty());
            let [code] = &codes[..] else { panic!("there are {} codes", codes.len()) };
            assert!(bound == CodeDigest::of(code.as_bytes()), "another code was bound than {code}");
            assert_eq!(place(&sent), place(&own));
            let own: Vec<_> = own.query_pairs().into_owned().collect();
            assert!(sent.query_pairs().into_owned().collect::<Vec<_>>().starts_with(&own), "its own query comes first");
        }
        // What passes has no code, or is an error response.
        (Ok(_), None) => {
            // A relative one leads to a page of the server itself; a browser resolves it.
            let base = Url::parse("https://as.example/authorize").ok();
            let resolved = sent.or_else(|| base?.join(&text).ok());
            let Some(sent) = resolved else { return };
            let is_error = !parameters(&sent, "error").is_empty();
            assert!(
                is_error || parameters(&sent, "code").iter().all(String::is_empty),
                "a code leaves that is bound to nothing"
            );
        }
        (Err(rejected), bound) => {
            assert!(bound.is_none());
            let own = AsRef::<str>::as_ref(redirect_uri);
            let honest = format!("{own}?code=abc");
            let is_normal = Url::parse(own)
                .is_ok_and(|url| url.as_str() == own && url.query().is_none() && url.fragment().is_none());
            let reason: Reason = rejected.rejection().reason();
            assert!(!is_normal || own.contains('%') || text != honest, "an honest redirect is rejected: {reason:?}");
        }
    }
}

/// The values of a parameter in the query and in the fragment, as the client decodes them.
fn parameters(url: &Url, name: &str) -> Vec<String> {
    [url.query(), url.fragment()].iter().flatten().flat_map(|encoded| crate::values(encoded.as_bytes(), name)).collect()
}

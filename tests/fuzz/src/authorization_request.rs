//! An authorization request in a query and in a form, against `form_urlencoded`.

use std::sync::LazyLock;

use pkce_core::CodeChallengeMethod::{Plain, S256};
use pkce_core::adapter::{Body, Request};
use pkce_core::{AuthorizationRequest, CodeChallenge, MemoryStore, Pkce, Policy, Reason};

use crate::{is_s256_challenge, is_verifier, is_well_encoded, only, values};

static STRICT: LazyLock<Pkce> = LazyLock::new(|| Pkce::new(MemoryStore::new()));
static LENIENT: LazyLock<Pkce> = LazyLock::new(|| {
    Pkce::builder(MemoryStore::new()).policy(Policy::new().allow_plain().allow_missing_challenge()).build()
});

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, |_, challenge| challenge);
}

/// Takes the last challenge, if there are several.
pub(crate) fn planted(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let pairs: Vec<&str> = text.split('&').collect();
    let is_challenge = |pair: &&str| pair.starts_with("code_challenge=");
    let last = pairs.iter().rposition(is_challenge);
    let kept = pairs.iter().enumerate().filter(|(at, pair)| !is_challenge(pair) || Some(*at) == last);
    let kept = kept.map(|(_, pair)| *pair).collect::<Vec<_>>().join("&");
    let request = Request::new("GET", Body::Complete(b"")).query(Some(&kept));
    let read = STRICT.challenge(AuthorizationRequest::from_query(&request, STRICT.policy()));
    if let Ok(Some(challenge)) = read.map(|(pending, ())| pending.challenge().cloned()) {
        accepted(&challenge, bytes);
    }
}

fn compare(bytes: &[u8], read: impl Fn(&[u8], CodeChallenge) -> CodeChallenge) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for pkce in [&*STRICT, &*LENIENT] {
        let query = Request::new("GET", Body::Complete(b"")).query(Some(text));
        let form =
            Request::new("POST", Body::Complete(bytes)).header("content-type", b"application/x-www-form-urlencoded");
        let pairs: Vec<_> = form_urlencoded::parse(bytes).into_owned().collect();
        let of_query = result(pkce, AuthorizationRequest::from_query(&query, pkce.policy()));
        let of_form = result(pkce, AuthorizationRequest::<Vec<(String, String)>>::from_form(&form, pkce.policy()));
        let of_pairs = result(pkce, AuthorizationRequest::from_parameters(pairs, pkce.policy()));
        match &of_query {
            Ok(Some(challenge)) => accepted(&read(bytes, challenge.clone()), bytes),
            Ok(None) => {
                for name in ["code_challenge", "code_challenge_method"] {
                    assert_eq!(only(bytes, name), None, "a malformed challenge is no missing one");
                }
            }
            // It takes no challenge, and so issues no code.
            Err(Reason::ResponseTypeWithoutCode) => {
                let asks = values(bytes, "response_type").iter().any(|types| types.split(' ').any(|one| one == "code"));
                assert!(!asks || values(bytes, "response_type").len() > 1, "it asks for a code");
            }
            Err(_) => {}
        }
        if let Ok(challenge) = &of_form {
            assert_eq!(of_query.as_ref().ok(), Some(challenge), "the form and the query differ");
        }
        if is_well_encoded(bytes) {
            assert_eq!(of_query, of_pairs, "the query and its pairs differ");
        }
    }
}

fn result<F>(pkce: &Pkce, request: AuthorizationRequest<F>) -> Result<Option<CodeChallenge>, Reason> {
    let read = pkce.challenge(request).map_err(|rejection| rejection.reason());
    read.map(|(pending, _)| pending.challenge().cloned())
}

fn accepted(challenge: &CodeChallenge, bytes: &[u8]) {
    let [(_, text), (_, method)] = challenge.authorization_parameters();
    assert_eq!(only(bytes, "code_challenge").as_ref(), Some(&text));
    assert_eq!(only(bytes, "code_challenge_method").unwrap_or_else(|| "plain".to_owned()), method);
    match challenge.method() {
        S256 => assert!(is_s256_challenge(&text)),
        Plain => assert!(is_verifier(&text)),
        other => panic!("the method is {other}"),
    }
}

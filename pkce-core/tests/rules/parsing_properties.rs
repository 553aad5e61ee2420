//! Whatever is accepted, any other reader reads the same; and no input whatever makes a panic.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::common::reading::{Requested, read_form};
use pkce_core::CodeChallengeMethod::{Plain, S256};
use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use pkce_core::{AuthorizationResponse, CodeChallenge, CodeVerifier, MemoryStore, Pkce, Policy, Reason, Rejection};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() }
}

/// Some characters of a word percent-encoded, in either case.
fn respelled(word: &'static str) -> BoxedStrategy<Vec<u8>> {
    let spelling = |octet: u8| {
        select(vec![
            vec![octet],
            vec![octet],
            vec![octet],
            format!("%{octet:02x}").into(),
            format!("%{octet:02X}").into(),
        ])
    };
    word.bytes().map(spelling).collect::<Vec<_>>().prop_map(|spelled| spelled.concat()).boxed()
}

/// One piece of a body: a name or value of ours in some spelling, a separator, or junk.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&str; 12] = [
        "grant_type",
        "authorization_code",
        "code",
        "code_verifier",
        "client_id",
        "redirect_uri",
        "refresh_token",
        VERIFIER,
        CHALLENGE,
        "code_challenge",
        "code_challenge_method",
        "S256",
    ];
    let separators =
        select(vec!["&", "&", "&", "=", "=", "=", "%", "+", ";", "\0", "\n", "%00", "%26", "%3D", "\u{e9}", "%ff"]);
    prop_oneof![
        4 => select(WORDS.to_vec()).prop_flat_map(respelled),
        4 => separators.prop_map(|separator| separator.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..4),
    ]
}

/// A body that is nearly right: the pairs of a good one, each perhaps respelled, left out, repeated or spoilt.
fn nearly(pairs: Vec<(&'static str, &'static str)>) -> impl Strategy<Value = Vec<u8>> {
    let pair = |(name, value)| {
        let good = (respelled(name), respelled(value)).prop_map(|(name, value)| [name, value].join(&b'=')).boxed();
        prop_oneof![
            12 => good.clone(),
            1 => Just(Vec::new()),
            1 => (good.clone(), good.clone()).prop_map(|(one, two)| [one, two].join(&b'&')),
            1 => (good, vec(piece(), 1..3)).prop_map(|(good, junk)| [good, junk.concat()].concat()),
        ]
    };
    pairs.into_iter().map(pair).collect::<Vec<_>>().prop_shuffle().prop_map(|pairs| pairs.join(&b'&'))
}

fn token_body() -> impl Strategy<Value = Vec<u8>> {
    let good = [
        ("grant_type", "authorization_code"),
        ("code", "Splx"),
        ("code_verifier", VERIFIER),
        ("client_id", "app"),
        ("redirect_uri", "https://a/cb"),
        ("resource", "x"),
    ];
    prop_oneof![4 => nearly(good.to_vec()), 2 => vec(piece(), 0..16).prop_map(|pieces| pieces.concat()), 1 => vec(any::<u8>(), 0..64)]
}

fn authorization_parameters() -> impl Strategy<Value = Vec<u8>> {
    let good =
        [("code_challenge", CHALLENGE), ("code_challenge_method", "S256"), ("response_type", "code"), ("state", "x")];
    prop_oneof![4 => nearly(good.to_vec()), 2 => vec(piece(), 0..16).prop_map(|pieces| pieces.concat()), 1 => vec(any::<u8>(), 0..64)]
}

/// All values of a name as an independent, lenient reader sees them.
fn values(encoded: &[u8], name: &str) -> Vec<String> {
    form_urlencoded::parse(encoded).filter(|pair| pair.0 == name).map(|pair| pair.1.into_owned()).collect()
}

fn naive_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
}

/// 43 characters of the alphabet; the last has only four significant bits, so it is one of every fourth letter.
fn naive_s256(text: &str) -> bool {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    text.len() == 43
        && text.chars().all(|c| ALPHABET.contains(c))
        && text.chars().last().and_then(|last| ALPHABET.find(last)).is_some_and(|at| at % 4 == 0)
}

fn verifier_like() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9._~-]{40,131}",
        4 => "[A-Za-z0-9_-]{42}[A-Za-z0-9_-]",
        2 => "[A-Za-z0-9_-]{20}[ -~\n\u{e9}][A-Za-z0-9_-]{22}",
        1 => "\\PC{0,140}",
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_accepted_form_reads_the_same_everywhere(body in token_body()) {
        let request = Request::new("POST", Body::Complete(&body)).header("content-type", b"application/x-www-form-urlencoded");
        match token::read(&request, &Policy::new()) {
            Ok(TokenRequest::CodeGrant(grant)) => {
                prop_assert_eq!(values(&body, "grant_type"), ["authorization_code"]);
                prop_assert_eq!(values(&body, "code"), [grant.code()]);
                let verifier: Vec<String> = values(&body, "code_verifier").into_iter().filter(|value| !value.is_empty()).collect();
                let read = grant.code_verifier().map(str::to_owned);
                prop_assert_eq!(verifier, Vec::from_iter(read));
                for name in ["client_id", "redirect_uri", "code_verifier"] {
                    prop_assert!(values(&body, name).len() < 2, "{}", name);
                }
            }
            Ok(TokenRequest::OtherGrant) => {
                let codes = values(&body, "code");
                prop_assert!(codes.iter().all(String::is_empty), "{:?}", codes);
                prop_assert!(values(&body, "grant_type").iter().all(|kind| kind != "authorization_code" && !kind.is_empty()));
            }
            Ok(other) => prop_assert!(false, "{:?}", other),
            Err(_) => {}
        }
    }

    #[test]
    fn accepted_parameters_read_the_same_everywhere(encoded in authorization_parameters()) {
        for policy in [Policy::new(), Policy::new().allow_plain().allow_missing_challenge(), Policy::new().report_only()] {
            let request = Request::new("POST", Body::Complete(&encoded)).header("content-type", b"application/x-www-form-urlencoded");
            match read_form(&request, &policy) {
                Ok(Requested::Challenge(challenge)) => {
                    let [(_, text), (_, method)] = challenge.authorization_parameters();
                    prop_assert_eq!(values(&encoded, "code_challenge"), [text]);
                    let methods: Vec<String> = values(&encoded, "code_challenge_method").into_iter().filter(|m| !m.is_empty()).collect();
                    prop_assert!(methods == [method] || (methods.is_empty() && challenge.method() == Plain));
                }
                Ok(Requested::NoChallenge) => {
                    for name in ["code_challenge", "code_challenge_method"] {
                        prop_assert!(values(&encoded, name).iter().all(String::is_empty)); // A10
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn accepted_json_reads_the_same_everywhere(
        members in vec((select(vec!["grant_type", "code", "code_verifier", "client_id", "x"]),
            select(vec!["\"authorization_code\"", "\"c\"", "\"\\u0063\"", "\"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk\"", "\"\"", "1", "null", "{\"code\":\"d\"}"])), 0..6),
        junk in select(vec!["", "", "", " ", ",", "{}", "\0", "x"]),
        cut in 0_usize..400,
    ) {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let mut body = format!("{{{}}}{junk}", members.join(",")).into_bytes();
        body.truncate(cut);
        for body in [body, format!("{{\"grant_type\":\"authorization_code\",\"code\":\"c\",{}}}{junk}", members.join(",")).into_bytes()] {
            let request = Request::new("POST", Body::Complete(&body)).header("content-type", b"application/json");
            if let Ok(TokenRequest::CodeGrant(grant)) = token::read(&request, &Policy::new().accept_json()) {
                let text = str::from_utf8(&body).unwrap();
                let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
                prop_assert_eq!(value["grant_type"].as_str(), Some("authorization_code"));
                prop_assert_eq!(value["code"].as_str(), Some(grant.code()));
                for name in ["grant_type", "code", "code_verifier", "client_id"] {
                    // The only other place for one of them is inside of `{"code":"d"}`.
                    let nested = if name == "code" { text.matches(":{\"code\":").count() } else { 0 };
                    prop_assert!(text.matches(&format!("\"{name}\":")).count() - nested < 2, "{}", text);
                }
                let verifier = value["code_verifier"].as_str().filter(|verifier| !verifier.is_empty());
                prop_assert_eq!(verifier, grant.code_verifier());
            }
        }
    }

    #[test]
    fn no_octets_make_a_json_reader_panic(body in vec(any::<u8>(), 0..64)) {
        let request = Request::new("POST", Body::Complete(&body)).header("content-type", b"application/json");
        _ = token::read(&request, &Policy::new().accept_json());
    }

    #[test]
    fn values_are_what_a_naive_reader_takes_them_for(text in verifier_like()) {
        prop_assert_eq!(text.parse::<CodeVerifier>().is_ok(), naive_verifier(&text));
        prop_assert_eq!(CodeChallenge::parse(&text, Plain).is_ok(), naive_verifier(&text));
        let s256 = CodeChallenge::parse(&text, S256);
        prop_assert_eq!(s256.is_ok(), naive_s256(&text));
        if let Ok(challenge) = s256 {
            prop_assert_eq!(&challenge.authorization_parameters()[0].1, &text);
        }
    }

    #[test]
    fn a_verifier_verifies_against_its_own_challenge_only(one in "[A-Za-z0-9._~-]{43,128}", two in "[A-Za-z0-9._~-]{43,128}") {
        let verifier: CodeVerifier = one.parse().unwrap();
        for method in [Plain, S256] {
            let challenge = if method == S256 { verifier.challenge() } else { CodeChallenge::parse(&one, Plain).unwrap() };
            prop_assert!(challenge.verify(&one).is_ok());
            prop_assert_eq!(challenge.verify(&two).is_ok(), one == two);
            let json = serde_json::to_string(&challenge).unwrap();
            prop_assert_eq!(serde_json::from_str::<CodeChallenge>(&json).unwrap(), challenge);
        }
    }

    #[test]
    fn a_response_gives_the_client_back_exactly_its_state(
        base in select(vec!["https://a.example/cb", "https://a.example/cb?", "https://a.example/cb?t=7&u=%26", "com.example.app:/cb?x"]),
        state in any::<String>(), issuer in "\\PC{1,30}", fragment in any::<bool>(),
    ) {
        let pkce = Pkce::builder(MemoryStore::new()).issuer(&issuer).build();
        let response = AuthorizationResponse::new(&pkce, base).state(state.clone());
        let response = if fragment { response.in_fragment() } else { response };
        let redirect = response.error(Rejection::from(Reason::ChallengeRequired));
        let location = redirect.location();
        prop_assert!(location.starts_with(base) && location.is_ascii());
        let (_, encoded) = location.split_once(if fragment { '#' } else { '?' }).unwrap();
        prop_assert_eq!(location.matches('#').count(), usize::from(fragment));
        for (name, value) in [("state", &*state), ("iss", &*issuer), ("error", "invalid_request"), ("error_description", "code challenge required")] {
            prop_assert_eq!(values(encoded.as_bytes(), name), [value]);
        }
    }
}

//! A code that is bound to a client and a redirect URI. Rules C26 and C27.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{CODE, House, VERIFIER, WRONG, plain, s256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkce_core::adapter::{Body, HostResponse, Request};
use pkce_core::{
    Clearance, CodeChallenge, CodeChallengeMethod, ErrorCode, MemoryStore, Pkce, Policy, Reason, Rejection,
    Reservation, Settle,
};
use sha2::{Digest as _, Sha256};

const CLIENT: &str = "https://app.example/id?a=1";
const TARGET: &str = "https://app.example/cb?tenant=7";

async fn bind(pkce: &Pkce) {
    pkce.bind(CODE, s256()).grant("alice").client_id(CLIENT).redirect_uri(TARGET).await.unwrap();
}

/// A code that was bound, or was not, is redeemed: that decides what is tried first for the next code.
async fn redeem_another(pkce: &Pkce, is_bound: bool) {
    let bind = pkce.bind("another", s256());
    if is_bound {
        bind.client_id(CLIENT).await.unwrap();
    } else {
        bind.await.unwrap();
    }
    assert!(pkce.redeem("another", Some(VERIFIER)).await.is_ok());
}

/// A token request with the right verifier and these further parameters.
async fn send(pkce: &Pkce, verifier: &str, more: &[(&str, &str)]) -> Result<(Clearance, Reservation), Rejection> {
    send_as(pkce, verifier, more, None).await
}

async fn send_as(
    pkce: &Pkce,
    verifier: &str,
    more: &[(&str, &str)],
    authorization: impl IntoIterator<Item = &str>,
) -> Result<(Clearance, Reservation), Rejection> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs([("grant_type", "authorization_code"), ("code", CODE)]).extend_pairs(more);
    if !verifier.is_empty() {
        form.append_pair("code_verifier", verifier);
    }
    let body = form.finish();
    let request = Request::new("POST", Body::Complete(body.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let request =
        authorization.into_iter().fold(request, |request, value| request.header("Authorization", value.as_bytes()));
    let (clearance, reservation) = pkce.judge(&request).await?;
    Ok((clearance.expect("a token request"), reservation))
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:secret")))
}

#[tokio::test]
async fn the_right_client_at_the_right_place_is_served_with_its_grant() {
    let encoded: String = form_urlencoded::byte_serialize(CLIENT.as_bytes()).collect();
    for (more, authorization) in [
        (vec![("client_id", CLIENT), ("redirect_uri", TARGET)], None),
        (vec![("client_id", CLIENT)], None), // OAuth 2.1 §10.2
        (vec![("redirect_uri", TARGET)], Some(basic(&encoded))),
        (vec![], Some(basic(&encoded))), // RFC 6749 §2.3.1
        (vec![("client_id", CLIENT)], Some(basic(&encoded))),
        (vec![], None), // a client assertion, say
        (vec![], Some("Bearer x".to_owned())),
        (vec![], Some("Basic %%%".to_owned())), // names nobody: the host rejects it
        (vec![], Some("basic".to_owned())),
        (vec![], Some(basic("mallory").replace("Basic ", "Basic"))), // another scheme
        (vec![], Some(basic("mallory").replace("Basic ", "Other "))),
        (vec![("client_id", "")], Some(basic(""))),
    ] {
        for last_was_bound in [false, true] {
            let pkce = House::new().server(Policy::new());
            redeem_another(&pkce, last_was_bound).await;
            bind(&pkce).await;
            let served = send_as(&pkce, VERIFIER, &more, authorization.as_deref()).await;
            let (clearance, _reservation) = served.unwrap();
            assert_eq!((clearance.client_id(), clearance.redirect_uri()), (Some(CLIENT), Some(TARGET)));
            assert_eq!(clearance.grant::<String>().unwrap(), "alice");
            assert!(clearance.is_verified());
        }
    }
}

#[tokio::test]
async fn another_client_or_another_place_is_rejected_burns_nothing_and_is_no_replay() {
    let replays = Arc::new(AtomicUsize::new(0));
    let encoded: String = form_urlencoded::byte_serialize(CLIENT.as_bytes()).collect();
    for (more, authorization, reason) in [
        (vec![("client_id", "mallory")], None, Reason::ClientMismatch),
        (vec![("client_id", "https://app.example/id?a=1 ")], None, Reason::ClientMismatch),
        (vec![("client_id", CLIENT)], Some(basic("mallory")), Reason::ClientMismatch),
        (vec![("client_id", "mallory")], Some(basic(CLIENT)), Reason::ClientMismatch),
        (vec![("client_id", CLIENT), ("redirect_uri", TARGET)], Some(basic("mallory")), Reason::ClientMismatch),
        (vec![("client_id", "mallory"), ("redirect_uri", TARGET)], Some(basic(&encoded)), Reason::ClientMismatch),
        (vec![], Some(basic("mallory")), Reason::ClientMismatch),
        (vec![], Some(basic("mallory").replace('=', "")), Reason::ClientMismatch),
        (vec![("client_id", "")], Some(basic("mallory").replace("Basic ", "BASIC  ")), Reason::ClientMismatch),
        (vec![("redirect_uri", "https://app.example/cb")], None, Reason::RedirectUriMismatch),
        (vec![("redirect_uri", "https://app.example/cb?tenant=7&")], None, Reason::RedirectUriMismatch),
        (vec![("redirect_uri", "HTTPS://app.example/cb?tenant=7")], None, Reason::RedirectUriMismatch),
    ] {
        let policies = [Policy::new(), Policy::new().burn_on_mismatch(), Policy::new().report_only()];
        for (policy, last_was_bound) in policies.iter().flat_map(|policy| [(policy, false), (policy, true)]) {
            let seen = Arc::clone(&replays);
            let hook = move |_| {
                seen.fetch_add(1, Ordering::SeqCst);
                std::future::ready(())
            };
            let pkce = House::new().builder(policy.clone()).on_replay(hook).build();
            redeem_another(&pkce, last_was_bound).await;
            bind(&pkce).await;
            for redeemed in [false, true] {
                let rejection = send_as(&pkce, VERIFIER, &more, authorization.as_deref()).await.unwrap_err();
                assert_eq!((rejection.reason(), rejection.error()), (reason, ErrorCode::InvalidGrant), "{more:?}");
                assert_eq!(rejection.body(), Rejection::from(Reason::CodeUnknown).body(), "the common sentence");
                if !redeemed {
                    assert!(send(&pkce, VERIFIER, &[("client_id", CLIENT)]).await.is_ok(), "it was live");
                }
            }
            assert_eq!(replays.load(Ordering::SeqCst), 0);
            assert_eq!(send(&pkce, VERIFIER, &[]).await.unwrap_err().reason(), Reason::CodeReplayed);
            assert_eq!(replays.swap(0, Ordering::SeqCst), 1);
        }
    }
}

/// A host takes the first of two headers, or the last.
#[tokio::test]
async fn a_request_with_two_authorization_headers_is_not_the_client_of_one_of_them() {
    let encoded: String = form_urlencoded::byte_serialize(CLIENT.as_bytes()).collect();
    let (right, other) = (basic(&encoded), basic("mallory"));
    let pkce = House::new().server(Policy::new());
    bind(&pkce).await;
    for headers in
        [[&*other, &*right], [&*right, &*other], [&*other, "Bearer x"], ["Bearer x", &*other], [&*other, &*right]]
    {
        let rejection = send_as(&pkce, VERIFIER, &[("client_id", CLIENT)], headers).await.unwrap_err();
        assert_eq!(rejection.reason(), Reason::ClientMismatch, "{headers:?}");
    }
    assert!(send_as(&pkce, VERIFIER, &[], [&*right]).await.is_ok());
}

/// Some readers split at a tab, take the alphabet of base64url, or skip white space.
#[tokio::test]
async fn a_client_is_found_where_a_lenient_reader_finds_it() {
    let pkce = House::new().server(Policy::new());
    bind(&pkce).await;
    for header in
        ["Basic\tbWFsbG9yeTo_Pz8-", "basic bWFsbG9yeTo_Pz8-", "Basic bWFs\tbG9y eTo/Pz8+", "Basic bWFsbG9yeTo=="]
    {
        let rejection = send_as(&pkce, VERIFIER, &[], [header]).await.unwrap_err();
        assert_eq!(rejection.reason(), Reason::ClientMismatch, "{header}");
    }
}

#[tokio::test]
async fn the_verifier_is_judged_first() {
    let pkce = House::new().server(Policy::new());
    bind(&pkce).await;
    for (verifier, reason) in [(WRONG, Reason::VerifierMismatch), ("", Reason::VerifierMissing)] {
        let rejection = send(&pkce, verifier, &[("client_id", "mallory")]).await.unwrap_err();
        assert_eq!(rejection.reason(), reason); // C12, C14 before C26
    }
    assert!(send(&pkce, VERIFIER, &[]).await.is_ok());
}

#[tokio::test]
async fn a_refusal_of_the_host_restores_a_bound_code_too() {
    let pkce = House::new().server(Policy::new());
    bind(&pkce).await;
    let (_, reservation) = send(&pkce, VERIFIER, &[]).await.unwrap();
    pkce.settle(reservation, Settle::Restore).await;
    assert!(send(&pkce, VERIFIER, &[]).await.is_ok());
}

#[tokio::test]
async fn a_missing_redirect_uri_is_rejected_if_the_policy_demands_one() {
    let pkce = House::new().server(Policy::new().require_redirect_uri_in_token_request());
    bind(&pkce).await;
    let missing = send(&pkce, VERIFIER, &[("client_id", CLIENT)]).await.unwrap_err();
    assert_eq!(missing.reason(), Reason::RedirectUriMismatch);
    assert!(send(&pkce, VERIFIER, &[("redirect_uri", TARGET)]).await.is_ok());
    let house = House::new();
    let pkce = house.server(Policy::new().require_redirect_uri_in_token_request());
    pkce.bind(CODE, s256()).client_id(CLIENT).await.unwrap();
    assert!(send(&pkce, VERIFIER, &[]).await.is_ok(), "none is bound");
}

#[tokio::test]
async fn every_method_and_no_challenge_can_be_bound_to_a_client() {
    for (challenge, verifier) in [(Some(s256()), VERIFIER), (Some(plain()), VERIFIER), (None, "")] {
        let pkce = House::new().server(Policy::new().allow_plain().allow_missing_challenge());
        match challenge {
            Some(challenge) => pkce.bind(CODE, challenge).client_id(CLIENT).await.unwrap(),
            None => pkce.bind_without_challenge(CODE).client_id(CLIENT).await.unwrap(),
        }
        let other = send(&pkce, verifier, &[("client_id", "mallory")]).await.unwrap_err();
        assert_eq!(other.reason(), Reason::ClientMismatch);
        let (clearance, _) = send(&pkce, verifier, &[("client_id", CLIENT)]).await.unwrap();
        assert!(clearance.grant::<String>().unwrap_err().is_missing());
    }
}

#[tokio::test]
async fn whoever_binds_neither_pays_for_neither() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    pkce.bind(CODE, s256()).grant("alice").await.unwrap();
    let (clearance, _) = send(&pkce, VERIFIER, &[("client_id", "any"), ("redirect_uri", "any")]).await.unwrap();
    assert_eq!((clearance.client_id(), clearance.redirect_uri()), (None, None));
    assert_eq!(house.calls(), ["insert", "redeem"]);
}

/// The store is asked twice only if the last code was of the other kind, or the request leaves out what is bound.
#[tokio::test]
async fn a_bound_code_takes_one_call_of_the_store_once_codes_are_known_to_be_bound() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    let named = [("client_id", CLIENT), ("redirect_uri", TARGET)];
    for (is_bound, more, calls) in [
        (true, &named[..], 2),
        (true, &named[..], 1),
        (true, &named[..1], 2),
        (false, &named[..], 2),
        (false, &named[..], 1),
        (true, &named[..], 2),
        (true, &named[..], 1),
    ] {
        house.clock.forward(61_000);
        if is_bound {
            bind(&pkce).await;
        } else {
            pkce.bind(CODE, s256()).await.unwrap();
        }
        house.calls();
        assert!(send(&pkce, VERIFIER, more).await.is_ok());
        assert_eq!(house.calls(), vec!["redeem"; calls], "bound: {is_bound}, {more:?}");
    }
    house.clock.forward(61_000);
    bind(&pkce).await;
    house.calls();
    for more in [[("client_id", "mallory"), ("redirect_uri", TARGET)], [("client_id", CLIENT), ("redirect_uri", "x")]] {
        assert!(send(&pkce, VERIFIER, &more).await.is_err());
        assert_eq!(house.calls(), ["redeem"], "nothing was marked");
    }
    let user = basic("https%3A%2F%2Fapp.example%2Fid%3Fa%3D1");
    for more in [&named[1..], &named] {
        let (_, reservation) = send_as(&pkce, VERIFIER, more, [&*user]).await.unwrap();
        assert_eq!(house.calls(), ["redeem"], "named as the user of HTTP Basic");
        pkce.settle(reservation, Settle::Restore).await;
        house.calls();
    }
}

/// A client can choose the proof of a bound request as the challenge of a code that is not bound.
#[tokio::test]
async fn the_proof_of_a_bound_request_is_no_verifier() {
    let house = House::new();
    let pkce = house.server(Policy::new());
    bind(&pkce).await;
    assert!(send(&pkce, VERIFIER, &[]).await.is_ok());

    house.clock.forward(61_000);
    let mut proof = Sha256::new().chain_update("client and redirect URI\0").chain_update(s256().proof().as_bytes());
    for value in [CLIENT, TARGET] {
        proof = proof.chain_update(u32::try_from(value.len()).unwrap().to_le_bytes()).chain_update(value);
    }
    let challenge = CodeChallenge::parse(&URL_SAFE_NO_PAD.encode(proof.finalize()), CodeChallengeMethod::S256).unwrap();
    pkce.bind(CODE, challenge).await.unwrap();
    house.calls();
    let named = [("client_id", CLIENT), ("redirect_uri", TARGET)];
    assert_eq!(send(&pkce, VERIFIER, &named).await.unwrap_err().reason(), Reason::VerifierMismatch);
    assert_eq!(house.calls(), ["redeem", "restore"], "it was the proof that was tried");
    assert_eq!(send(&pkce, VERIFIER, &named).await.unwrap_err().reason(), Reason::VerifierMismatch, "it is live");
}

#[tokio::test]
async fn the_handler_that_redeems_by_itself_compares_by_itself() {
    for policy in [Policy::new(), Policy::new().require_redirect_uri_in_token_request()] {
        let pkce = House::new().server(policy);
        bind(&pkce).await;
        let (clearance, _) = pkce.redeem(CODE, Some(VERIFIER)).await.unwrap();
        assert_eq!((clearance.client_id(), clearance.redirect_uri()), (Some(CLIENT), Some(TARGET)));
    }
}

#[tokio::test]
async fn a_captured_code_is_bound_to_the_client_and_the_redirect_uri_of_its_request() {
    let challenge = format!("code_challenge={}&code_challenge_method=S256", crate::common::CHALLENGE);
    let query = format!("client_id=spa&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Ftenant%3D7&{challenge}");
    let location = format!("{TARGET}&code={CODE}");
    for (policy, is_compared) in [(Policy::new(), true), (Policy::new().report_only(), false)] {
        let pkce = House::new().server(policy);
        let request = Request::new("GET", Body::Unread).query(Some(&query));
        let captured = pkce.capture_request(&request).unwrap();
        let host = HostResponse::new(303).header("location", location.as_bytes());
        pkce.capture(&captured, &host).await.unwrap();
        for more in [("client_id", "mallory"), ("redirect_uri", "https://app.example/cb")] {
            let sent = send(&pkce, VERIFIER, &[more]).await;
            assert_eq!(sent.is_err(), is_compared);
            if let Ok((_, reservation)) = sent {
                pkce.settle(reservation, Settle::Restore).await;
            }
        }
        assert!(send(&pkce, VERIFIER, &[("client_id", "spa"), ("redirect_uri", TARGET)]).await.is_ok());
    }
}

/// A crowd of other clients with the right verifier never hinders the right one, and is never taken for a replay.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_race_the_right_client_is_served_exactly_once() {
    let replays = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&replays);
    let hook = move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
        std::future::ready(())
    };
    let pkce = Pkce::builder(MemoryStore::new()).on_replay(hook).build();
    for round in 0..200 {
        let code = format!("code-{round}");
        pkce.bind(&code, s256()).client_id(CLIENT).redirect_uri(TARGET).await.unwrap();
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let (pkce, code) = (pkce.clone(), code.clone());
                tokio::spawn(async move {
                    let client =
                        if racer == 4 { "client_id=https%3A%2F%2Fapp.example%2Fid%3Fa%3D1" } else { "client_id=x" };
                    let body = format!("grant_type=authorization_code&code={code}&code_verifier={VERIFIER}&{client}");
                    let request = Request::new("POST", Body::Complete(body.as_bytes()))
                        .header("content-type", b"application/x-www-form-urlencoded");
                    (racer == 4, pkce.judge(&request).await.map(|_| ()).map_err(|rejection| rejection.reason()))
                })
            })
            .collect();
        for racer in racers {
            let (is_right, judged) = racer.await.unwrap();
            assert_eq!(judged, if is_right { Ok(()) } else { Err(Reason::ClientMismatch) });
        }
    }
    assert_eq!(replays.load(Ordering::SeqCst), 0);
}

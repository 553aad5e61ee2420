//! The memory of a code, and a Redis without room: `maxmemory` with `noeviction`, and with a policy that evicts.

use std::sync::Arc;
use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{Binding, BindingParts, ChallengeStore as _, CodeDigest, Inserted, StoreErrorKind};
use pkce_test_servers::Redis;

use crate::support::{Found, PROOF, attempt, binding, code, redeem, store};

/// With a grant of 16 KiB, which soon fills a small Redis.
fn large() -> Binding {
    let small = binding();
    let proof = small.proof().map(|proof| &proof.as_bytes()[..]);
    let grant = Some(Arc::from(vec![b'g'; 16 * 1024]));
    Binding::from_parts(BindingParts {
        method: "S256",
        proof,
        grant,
        issued_at: small.issued_at(),
        expires_at: small.expires_at(),
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_refuses_what_it_would_have_to_write_and_loses_nothing() {
    let Some(redis) = Redis::start_with(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]) else { return };
    let store = store(redis.port());
    let served = code();
    assert_eq!(store.insert(&served, &large()).await.unwrap(), Inserted::Recorded);
    let first = attempt();
    assert_eq!(redeem(&store, &served, &first).await, Found::First);
    let mut live = Vec::new();
    let full = loop {
        let code = code();
        match store.insert(&code, &large()).await {
            Ok(_) => live.push(code),
            Err(error) => break error,
        }
        assert!(live.len() < 1_000, "never full");
    };
    assert_eq!(full.kind(), StoreErrorKind::Full);
    assert!(live.len() > 100, "{}", live.len());

    // It still reports redeemed codes, and what it cannot write is an error.
    redis.ask(&["CONFIG", "SET", "maxmemory", "2mb"]).unwrap();
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::Again);
    let waiting = attempt();
    assert_eq!(redeem(&store, &live[0], &waiting).await, Found::Fault(StoreErrorKind::Full));

    // A restore is a write too: the code of a client that the host rejected stays redeemed.
    assert_eq!(store.restore(&served, first.ticket()).await.unwrap_err().kind(), StoreErrorKind::Full);
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::Again);

    // There is room again: every live code is still there, unmarked.
    redis.ask(&["CONFIG", "SET", "maxmemory", "64mb"]).unwrap();
    for code in &live {
        assert_eq!(redeem(&store, code, &attempt()).await, Found::First);
    }
    assert_eq!(redeem(&store, &served, &attempt()).await, Found::Again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_evicts_forgets_codes_but_serves_none_twice() {
    let Some(redis) = Redis::start_with(&["--maxmemory", "8mb", "--maxmemory-policy", "allkeys-random"]) else {
        return;
    };
    let store = store(redis.port());
    let codes: Vec<CodeDigest> = (0..1_000).map(|_| code()).collect();
    for code in &codes {
        assert_eq!(store.insert(code, &large()).await.unwrap(), Inserted::Recorded);
        assert_eq!(redeem(&store, code, &attempt()).await, Found::First);
    }
    let mut forgotten = 0;
    for code in &codes {
        match redeem(&store, code, &attempt()).await {
            Found::Again => {}
            Found::Unknown => forgotten += 1,
            found => panic!("{found:?}"),
        }
    }
    assert!(forgotten > 100, "{forgotten} forgotten");
}

/// `docs/stores.md` has this number.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_without_a_grant_takes_less_than_four_hundred_bytes() {
    const CODES: u32 = 20_000;
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    let now = Timestamp::now();
    let proof = Some(&PROOF.as_bytes()[..]);
    let end = now.saturating_add(Duration::from_secs(600));
    let binding =
        Binding::from_parts(BindingParts { method: "S256", proof, grant: None, issued_at: now, expires_at: end })
            .unwrap();
    let used = || {
        let info = redis.ask(&["INFO", "memory"]).unwrap();
        info.lines().find_map(|line| line.strip_prefix("used_memory:")?.parse::<u32>().ok()).unwrap()
    };
    let before = used();
    for _ in 0..CODES {
        assert_eq!(store.insert(&code(), &binding).await.unwrap(), Inserted::Recorded);
    }
    let bytes = (used() - before) / CODES;
    println!("a code without a grant takes {bytes} bytes of Redis's memory");
    assert!((200..400).contains(&bytes), "{bytes}");
}

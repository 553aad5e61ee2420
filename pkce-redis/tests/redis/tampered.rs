//! A value that this crate did not write is an error, never a pass, and stays as it is.

use std::time::Duration;

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, ChallengeStore, CodeDigest, Inserted, Redemption, StoreErrorKind};
use pkce_test_servers::Redis;
use redis::aio::MultiplexedConnection;

use crate::support::{Found, WRONG, attempt, bind, binding, code, key, living, redeem, store, words};

const HEADER: usize = 149;

async fn connect(redis: &Redis) -> MultiplexedConnection {
    redis::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn get(connection: &mut MultiplexedConnection, code: &CodeDigest) -> Vec<u8> {
    redis::cmd("GET").arg(key(code)).query_async(connection).await.unwrap()
}

async fn set(connection: &mut MultiplexedConnection, code: &CodeDigest, value: &[u8]) {
    redis::cmd("SET").arg(key(code)).arg(value).exec_async(connection).await.unwrap();
}

async fn assert_invalid(store: &impl ChallengeStore, code: &CodeDigest, attempt: &Attempt, what: &str) {
    let wrong = Attempt::new(Some(WRONG), attempt.ticket(), attempt.at());
    let none = Attempt::new(None, attempt.ticket(), attempt.at());
    for attempt in [attempt, &wrong, &none] {
        let error = store.redeem(code, attempt).await.expect_err(what);
        assert_eq!(error.kind(), StoreErrorKind::InvalidRecord, "{what}");
    }
    assert_eq!(store.restore(code, attempt.ticket()).await.expect_err(what).kind(), StoreErrorKind::InvalidRecord);
    assert_eq!(store.insert(code, &binding()).await.unwrap(), Inserted::Occupied, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_this_crate_did_not_write_is_an_error_and_stays_as_it_is() {
    let Some(redis) = Redis::start() else { return };
    let (store, mut connection) = (store(redis.port()), connect(&redis).await);
    let (code, attempt) = (bind(&store).await, attempt());
    let valid = get(&mut connection, &code).await;
    assert_eq!(redeem(&store, &code, &attempt).await, Found::First);
    let redeemed = get(&mut connection, &code).await;
    let with = |record: &[u8], from: &str, to: &str| {
        let text = String::from_utf8(record.to_vec()).unwrap();
        assert!(text.contains(from), "{text} without {from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let (dashes, ticket) = ("-".repeat(32), &redeemed[95..127]);
    let ticket = str::from_utf8(ticket).unwrap();

    for (what, value) in [
        ("nothing", Vec::new()),
        ("text", b"S256".to_vec()),
        ("long garbage", vec![b'a'; 100_000]),
        ("bytes of all kinds", (0..=255).collect()),
        ("JSON", br#"{"method":"none"}"#.to_vec()),
        ("an older version", with(&valid, "pkce1", "pkce0")),
        ("a later version", with(&valid, "pkce1", "pkce2")),
        ("an unknown method", with(&valid, " S256 ", " S512 ")),
        ("a method in other letters", with(&valid, " S256 ", " s256 ")),
        ("no method", with(&valid, " S256 ", "      ")),
        ("no challenge, and a proof", with(&valid, " S256 ", " none ")),
        ("a challenge, and no proof", [&valid[..12], "-".repeat(43).as_bytes(), &valid[55..]].concat()),
        ("another writing of the proof", [&valid[..54], b"t", &valid[55..]].concat()),
        ("no time", [&valid[..56], "-".repeat(20).as_bytes(), &valid[76..]].concat()),
        ("a time of more than 64 bits", [&valid[..56], b"18446744073709551616", &valid[76..]].concat()),
        ("a time of twenty nines", [&valid[..56], b"99999999999999999999", &valid[76..]].concat()),
        ("a life that ends after 64 bits", [&valid[..56], b"18446744073709491616", &valid[76..]].concat()),
        ("redeemed at more than 64 bits", [&redeemed[..128], b"18446744073709551616", &redeemed[148..]].concat()),
        ("redeemed at twenty nines", [&redeemed[..128], b"99999999999999999999", &redeemed[148..]].concat()),
        ("no life", with(&valid, " 060000 ", " 000000 ")),
        ("a life of more than ten minutes", with(&valid, " 060000 ", " 600001 ")),
        ("a longer grant", [&valid[..], b"x"].concat()),
        ("a shorter grant", valid[..valid.len() - 1].to_vec()),
        ("no grant where one was", valid[..HEADER].to_vec()),
        ("a grant where none was", with(&valid, " 0000000005 ", " ---------- ")),
        ("a cut header", valid[..HEADER - 1].to_vec()),
        ("a ticket without a time", with(&valid, &dashes, ticket)),
        ("a time without a ticket", with(&redeemed, ticket, &dashes)),
        ("a ticket in capitals", with(&redeemed, ticket, &"A".repeat(32))),
        ("another ticket's half", [&redeemed[..95], &b"-"[..], &redeemed[96..]].concat()),
    ] {
        set(&mut connection, &code, &value).await;
        assert_invalid(&store, &code, &attempt, what).await;
        assert_eq!(get(&mut connection, &code).await, value, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_type_is_an_error_and_stays_as_it_is() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    for make in [["HSET", "method", "none"], ["ZADD", "1", "none"]] {
        let code = code();
        redis.ask(&[make[0], &key(&code), make[1], make[2]]).unwrap();
        let before = redis.ask(&["DUMP", &key(&code)]).unwrap();
        assert_invalid(&store, &code, &attempt(), make[0]).await;
        assert_eq!(redis.ask(&["DUMP", &key(&code)]).unwrap(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_time_that_there_is_can_be_read() {
    let Some(redis) = Redis::start() else { return };
    let (store, mut connection) = (store(redis.port()), connect(&redis).await);
    let code = bind(&store).await;
    let valid = get(&mut connection, &code).await;
    set(&mut connection, &code, &[&valid[..56], b"18446744073709491615", &valid[76..]].concat()).await;
    let last = Attempt::new(attempt().proof().copied(), attempt().ticket(), Timestamp::from_epoch_millis(u64::MAX));
    assert_eq!(redeem(&store, &code, &last).await, Found::First);
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::Again);
    store.restore(&code, last.ticket()).await.unwrap();
    assert_eq!(redeem(&store, &code, &attempt()).await, Found::First);
}

/// The script and the parser read one format: what the script marks, the parser accepts.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_byte_is_altered_an_invalid_record_is_not_written_to() {
    let Some(redis) = Redis::start() else { return };
    let (store, mut connection) = (store(redis.port()), connect(&redis).await);
    let (code, attempt) = (bind(&store).await, attempt());
    let free = get(&mut connection, &code).await;
    assert_eq!(redeem(&store, &code, &attempt).await, Found::First);
    let redeemed = get(&mut connection, &code).await;
    let (mut errors, mut others) = (0, 0);
    for record in [free, redeemed] {
        for place in 0..HEADER {
            for byte in *b"0a-Z \n\xff" {
                let mut altered = record.clone();
                altered[place] = byte;
                set(&mut connection, &code, &altered).await;
                match store.redeem(&code, &attempt).await {
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::InvalidRecord, "{}", words(&error));
                        assert_eq!(get(&mut connection, &code).await, altered, "byte {place} as {byte}");
                        errors += 1;
                    }
                    Ok(_) => others += 1,
                }
            }
        }
    }
    assert!(errors > 1_000 && others > 100, "{errors} errors, {others} others");
}

/// The core goes by the times in the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_was_made_to_stay_for_ever_expires_by_its_own_times() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    let code = code();
    assert_eq!(store.insert(&code, &living(Duration::from_millis(300))).await.unwrap(), Inserted::Recorded);
    assert_eq!(redis.ask(&["PERSIST", &key(&code)]).unwrap(), "1");
    tokio::time::sleep(Duration::from_millis(350)).await;
    let Redemption::First(binding) = store.redeem(&code, &attempt()).await.unwrap() else { panic!("not marked") };
    assert!(binding.is_expired(Timestamp::now()));
}

//! What an operator reads: one sentence for each fault, and no secret.

use pkce_core::store::{ChallengeStore, CodeDigest};
use pkce_test_servers::Redis;

use crate::support::{PROOF, attempt, binding, code, key, living, store, words};

const UNAVAILABLE: &str = "the challenge store is unavailable: ";
const SCRIPTS: &str = "a command that the scripts call (GET, GETRANGE, SETRANGE, STRLEN, EXISTS)";

/// The errors of all verbs, for a code that is bound if it can be.
async fn errors(store: &impl ChallengeStore) -> Vec<String> {
    let (code, attempt) = (code(), attempt());
    let results = [
        store.insert(&code, &binding()).await.map(|_| ()),
        store.insert(&code, &living(std::time::Duration::from_secs(61))).await.map(|_| ()),
        store.redeem(&code, &attempt).await.map(|_| ()),
        store.restore(&code, attempt.ticket()).await,
        store.restore(&CodeDigest::of(b"unknown"), attempt.ticket()).await,
    ];
    let errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let ticket = attempt.ticket().as_bytes().map(|byte| format!("{byte:02x}")).concat();
    let proof = PROOF.as_bytes().map(|byte| format!("{byte:02x}")).concat();
    for error in &errors {
        let shown = format!("{} {error:?}", words(error));
        for secret in [&key(&code), &ticket, &proof, "alice", "pkce1", "-_v7-_v7"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    errors.iter().map(words).collect()
}

fn assert_only(errors: &[String], sentence: &str) {
    let expected = format!("{UNAVAILABLE}{sentence}");
    assert!(!errors.is_empty() && errors.iter().all(|error| *error == expected), "{errors:?} instead of {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_command_is_named() {
    for (renamed, sentence) in [
        ("SET", "Redis does not know the command SET: was it renamed? (ERR)".to_owned()),
        ("EVALSHA", "Redis does not know the command EVALSHA: was it renamed? (ERR)".to_owned()),
        ("EVAL", "Redis does not know the command EVAL: was it renamed? (ERR)".to_owned()),
        ("GETRANGE", format!("Redis does not know {SCRIPTS}: was it renamed? (ERR)")),
        ("SETRANGE", format!("Redis does not know {SCRIPTS}: was it renamed? (ERR)")),
        ("STRLEN", format!("Redis does not know {SCRIPTS}: was it renamed? (ERR)")),
        ("EXISTS", format!("Redis does not know {SCRIPTS}: was it renamed? (ERR)")),
    ] {
        let Some(redis) = Redis::start_with(&["--rename-command", renamed, &format!("X{renamed}")]) else { return };
        assert_only(&errors(&store(redis.port())).await, &sentence);
    }
    // The one command that is sent by itself and called by a script too.
    let Some(redis) = Redis::start_with(&["--rename-command", "GET", "XGET"]) else { return };
    let errors = errors(&store(redis.port())).await;
    assert_eq!(errors[0], format!("{UNAVAILABLE}Redis does not know the command GET: was it renamed? (ERR)"));
    assert_only(&errors[1..], &format!("Redis does not know {SCRIPTS}: was it renamed? (ERR)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_user_may_not_run_is_named() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    for (forbidden, sentence) in [
        ("set", "the Redis user may not run SET (NOPERM)".to_owned()),
        ("evalsha", "the Redis user may not run EVALSHA (NOPERM)".to_owned()),
        ("getrange", format!("the Redis user may not run {SCRIPTS} (ERR)")),
        ("strlen", format!("the Redis user may not run {SCRIPTS} (ERR)")),
    ] {
        redis.ask(&["ACL", "SETUSER", "default", &format!("-{forbidden}")]).unwrap();
        assert_only(&errors(&store).await, &sentence);
        redis.ask(&["ACL", "SETUSER", "default", &format!("+{forbidden}")]).unwrap();
    }
    redis.ask(&["ACL", "SETUSER", "default", "resetkeys", "~other:*"]).unwrap();
    assert_only(&errors(&store).await, "the Redis user may not access the store's keys (NOPERM)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_missing_or_wrong_is_named() {
    let Some(redis) = Redis::start_with(&["--requirepass", "secret"]) else { return };
    assert_only(
        &errors(&store(redis.port())).await,
        "Redis requires a password, and the connection sent none (NOAUTH)",
    );
    for protocol in ["resp2", "resp3"] {
        let url = format!("redis://:wrong@127.0.0.1:{}/?protocol={protocol}", redis.port());
        let client = redis::Client::open(url).unwrap();
        let store = pkce_redis::RedisStore::new(pkce_redis::ReconnectingConnection::with_client(client));
        let errors = errors(&store).await;
        assert!(errors[0].contains("Redis rejected the user name or the password"), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_write_says_why() {
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
    let few = "Redis accepts no writes because it has fewer replicas than min-replicas-to-write (NOREPLICAS)";
    assert_only(&errors(&store).await, few);
    redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).unwrap();

    redis.ask(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    assert_only(&errors(&store).await, "the connection leads to a replica, which accepts no writes (READONLY)");
    redis.ask(&["CONFIG", "SET", "replica-serve-stale-data", "no"]).unwrap();
    let errors = errors(&store).await;
    assert!(
        errors.iter().any(|error| error.ends_with("a replica that has lost its master (MASTERDOWN)")),
        "{errors:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_says_that_it_does_not_have_the_key() {
    let Some(redis) = Redis::start_with(&["--cluster-enabled", "yes"]) else { return };
    let store = store(redis.port());
    assert_only(&errors(&store).await, "no node of the Redis Cluster serves the slot of the key (CLUSTERDOWN)");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_named_by_its_fault() {
    let Some(mut redis) = Redis::start() else { return };
    let store = store(redis.port());
    redis.kill();
    let errors = errors(&store).await;
    assert!(errors[0].starts_with(&format!("{UNAVAILABLE}the connection to Redis failed: ")), "{errors:?}");
    assert!(errors[0].contains("refused"), "{errors:?}");
}

#[test]
fn debug_shows_neither_the_connection_nor_a_key() {
    let debug = format!("{:?}", store(1));
    assert_eq!(debug, "RedisStore { prefix: Prefix(\"pkce:\"), replicas: None, .. }");
}

//! Several processes that redeem the same codes.

use std::process::{Command, Stdio};
use std::{env, iter};

use pkce_core::Timestamp;
use pkce_core::store::{Attempt, ChallengeStore as _, CodeDigest, Inserted};
use pkce_test_servers::Redis;

use crate::support::{Found, PROOF, binding, redeem, store, ticket};

const CODES: usize = 1_000;
const PROCESSES: usize = 4;
/// This test is started again for each process, with the port of the server.
const TEST: &str = "processes::four_processes_that_redeem_the_same_codes_serve_each_once";
const PORT: &str = "PKCE_REDEEMER_PORT";
const MINE: &str = "served: ";

fn nth(code: usize) -> CodeDigest {
    CodeDigest::of(code.to_string().as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_that_redeem_the_same_codes_serve_each_once() {
    if let Ok(port) = env::var(PORT) {
        return redeem_all(port.parse().unwrap()).await; // This process is one of the four.
    }
    let Some(redis) = Redis::start() else { return };
    let store = store(redis.port());
    for code in 0..CODES {
        assert_eq!(store.insert(&nth(code), &binding()).await.unwrap(), Inserted::Recorded);
    }
    let redeemer = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", TEST, "--nocapture"]);
        command.env(PORT, redis.port().to_string()).stdout(Stdio::piped()).spawn().unwrap()
    };
    let redeemers: Vec<_> = iter::repeat_with(redeemer).take(PROCESSES).collect();
    let (mut times, mut shares) = (vec![0; CODES], Vec::new());
    for redeemer in redeemers {
        let said = redeemer.wait_with_output().unwrap();
        assert!(said.status.success());
        let said = String::from_utf8(said.stdout).unwrap();
        let mine = said.lines().find_map(|line| line.split_once(MINE)).expect("a list of codes").1;
        let mine: Vec<usize> = mine.split_whitespace().map(|code| code.parse().unwrap()).collect();
        for code in &mine {
            times[*code] += 1;
        }
        shares.push(mine.len());
    }
    assert!(times.iter().all(|times| *times == 1), "{times:?}");
    println!("{CODES} codes, served by {PROCESSES} processes: {shares:?}");
}

async fn redeem_all(port: u16) {
    let store = store(port);
    let redeemers: Vec<_> = (0..CODES)
        .map(|code| {
            let store = store.clone();
            tokio::spawn(async move {
                let attempt = Attempt::new(Some(PROOF), ticket(), Timestamp::now());
                (code, redeem(&store, &nth(code), &attempt).await)
            })
        })
        .collect();
    let mut mine = String::from(MINE);
    for redeemer in redeemers {
        match redeemer.await.unwrap() {
            (code, Found::First) => mine.extend([code.to_string(), " ".to_owned()]),
            (_, Found::Again) => {}
            (code, found) => panic!("code {code}: {found:?}"),
        }
    }
    println!("{mine}");
}

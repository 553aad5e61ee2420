//! `redeem-crowd STORE CROWD CODES up|down`: says `ready`, waits for a line, redeems all codes of the crowd, many at once,
//! from the first to the last or the other way round, and says which of them were its own.
#![expect(clippy::print_stdout, reason = "it is what it is for")]

use std::io;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use fixture_host::StoreUrl;
use pkce_core::Timestamp;
use pkce_core::store::{Attempt, Redemption, Ticket};
use pkce_tests::{Result, code_of_crowd, proof_of_crowd};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many at once.
const ABREAST: usize = 16;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("STORE, CROWD, CODES and up or down are wanted");
    let (url, crowd, codes): (StoreUrl, String, usize) = (next()?.parse()?, next()?, next()?.parse()?);
    let is_up = next()? == "up";
    let store = url.open().await?;
    println!("ready");
    io::stdin().read_line(&mut String::new())?;

    let abreast = Arc::new(Semaphore::new(ABREAST));
    let mut attempts: JoinSet<Result<Option<usize>>> = JoinSet::new();
    for step in 0..codes {
        let nth = if is_up { step } else { codes - 1 - step };
        let (store, place) = (Arc::clone(&store), Arc::clone(&abreast).acquire_owned().await?);
        let (code, proof) = (code_of_crowd(&crowd, nth), proof_of_crowd(&crowd, nth));
        attempts.spawn(async move {
            let _place = place;
            let now = Timestamp::from_epoch_millis(u64::try_from(UNIX_EPOCH.elapsed()?.as_millis())?);
            let attempt = Attempt::new(Some(proof), Ticket::generate()?, now);
            match store.redeem(&code, &attempt).await? {
                Redemption::First(_) => Ok(Some(nth)),
                Redemption::Again { .. } => Ok(None),
                found => Err(format!("{found:?}").into()),
            }
        });
    }
    for own in attempts.join_all().await {
        if let Some(nth) = own? {
            println!("{nth}");
        }
    }
    Ok(())
}

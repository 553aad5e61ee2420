//! The store contract suite: checks in a test that your [`ChallengeStore`] does what the core relies on.
//!
//! Enable the feature `contract` in the dev-dependencies of your crate, and write one test:
//!
//! ```no_run
//! # use pkce_core::store::ChallengeStore;
//! # async fn doc(my_store: impl ChallengeStore) {
//! // #[tokio::test(flavor = "multi_thread")] async fn my_store_keeps_the_contract()
//! pkce_core::contract::check(my_store).await.assert_passed();
//! # }
//! ```
//!
//! Servers share a store. Give the suite a second connection, and every other call goes through it:
//!
//! ```no_run
//! # use pkce_core::store::ChallengeStore;
//! # use pkce_core::contract::Contract;
//! # async fn doc(my_store: impl ChallengeStore, as_another_server_sees_it: impl ChallengeStore) {
//! let report = Contract::new(my_store).also_through(as_another_server_sees_it).live_codes(10_000).check().await;
//! println!("{report}");
//! report.assert_passed();
//! # }
//! ```
//!
//! # What is checked
//!
//! 1. *insert* never overwrites a live record, redeemed or not.
//! 2. *redeem* is granted once, to the right proof. A wrong, missing or superfluous proof changes nothing.
//! 3. *replay*: a redeemed code is remembered with its ticket and time. The same call sent twice is one redemption.
//! 4. *restore* acts for the ticket that redeemed the code, and for no other. It creates nothing.
//! 5. *fidelity*: every part of a binding, every ticket and every time comes back byte for byte.
//! 6. *isolation*: codes that are similar, numerous or bound to the same binding do not affect each other.
//! 7. *clocks*: a code is live until its end, whatever the clocks of the servers show within five seconds.
//! 8. *expiry*: nothing is forgotten before it expires. Afterwards nothing is revived or prolonged.
//! 9. *race*: all of that holds while many callers act at the same time.
//! 10. *cancelled*: a call that is dropped while it waits either happened or did not. It delays no other call, and no
//!     connection or lock is lost with it.
//!
//! The suite accepts whatever the contract leaves open. A record may vanish or stay once it has expired. An insert over an
//! expired record, and a second insert of the same binding, may be `Recorded` or `Occupied`.
//! An error from the store is a failure, because the suite is for a healthy store.
//!
//! # Inconclusive
//!
//! A race proves something only if its calls overlapped. Each call notes on one logical clock when it began and when it
//! ended. A race is repeated until the winning call has overlapped with another one in enough rounds, and is
//! *inconclusive* if it runs out of time before. A store in memory needs a multi-threaded runtime with two workers and two
//! idle cores for that. The suite sees calls and not the store's own connections: a pool of one connection puts calls
//! into a queue that the suite saw overlap. A case that depends on real time is inconclusive if the machine was too slow.
//!
//! # Dropped calls
//!
//! Each verb is polled once, twice and so on, left alone for about as long as the store's calls take, and dropped.
//! What was sent may still arrive then, so no case checks at once whether it happened. The next call, through the next
//! handle, finds one or the other, and that must stay true. Then up to two thousand calls are dropped within a second, and
//! eight callers at once must be answered within two seconds (the core's default time-out) or ten times as long as
//! before. A store that answers at the first poll has nothing to drop.
//!
//! # What the suite cannot see
//!
//! The suite makes calls and reads results. It does not find:
//!
//! * *Lives that are cut after the suite has ended.* Codes with a life of ten minutes are watched for five seconds, or as
//!   long as the suite takes. A store that forgets everything, or every redeemed code, after a minute passes, unless
//!   [`long_life`](Contract::long_life) is set to more than a minute.
//! * *A life that ends less than 200 ms early*, or 500 ms on a busy machine. Codes are read 500, 350 and 200 ms before
//!   their end. A result that comes less than 150 ms before the end is ignored. The case is inconclusive if the first
//!   one is.
//! * *Records that stay for ever.* An expired record may stay, so the suite cannot tell a late sweep from none, nor a
//!   restore that takes the time to live away (`PERSIST` in Redis, a `SET` without `KEEPTTL`).
//! * *More than it does*: a code burned by the 301st wrong proof, a code that can be restored 130 times only,
//!   a grant cut at a megabyte ([`large_grant`](Contract::large_grant)), the ten thousandth code evicted
//!   ([`live_codes`](Contract::live_codes)), the last of five thousand permits lost with dropped calls.
//! * *Keys that are hashed to 64 bits*, and other collisions that nobody finds by chance.
//! * *Waits that only faults reach.* A call is dropped where a healthy store waits, and not during a reconnect or a retried
//!   transaction.
//! * *Some interleavings.* A race finds a fault with a good chance, not for certain. A window that opens once in a million
//!   calls passes, and so does one between two processes if both handles share something in this one.
//! * *Faults*: a server that dies, a replica that is promoted, a failing disk, a record that somebody changed. Test
//!   yourself what happens then, and document what may be lost.
//! * *Clocks and time zones*: the suite runs on one machine, with one clock and one time zone. A database whose clock is
//!   ahead forgets early. A date without a zone is right where the zone is UTC, and wrong elsewhere.
//! * *What a store writes elsewhere*: secrets in its logs, errors or metrics.
//!
//! # What it costs
//!
//! About five seconds, because some cases have to wait. A store that takes milliseconds for a call needs ten to thirty
//! seconds more, and on a busy machine the races take until they find two idle cores. All codes are random, so the store
//! may be in use and need not be empty. Nothing is deleted; everything expires within ten minutes. The suite needs a tokio
//! runtime with its timer enabled.

use crate::store::ChallengeStore;

mod bound;
mod callers;
mod cancelled;
mod cancelled_many;
mod case;
mod clocks;
mod cut;
mod expect;
mod expiry;
mod fidelity;
mod insert;
mod isolation;
mod long_life;
mod near;
mod probe;
mod race;
mod race_insert;
mod race_redeem;
mod race_restore;
mod redeem;
mod replay;
mod report;
mod restore;
mod sample;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use case::Case;
use long_life::LongLives;
use probe::Probe;
pub use report::{Finding, Outcome, Report};

/// Checks a store with the default settings.
pub async fn check(store: impl ChallengeStore) -> Report {
    Contract::new(store).check().await
}

type Handle = Arc<dyn ChallengeStore>;

/// The suite and its settings.
#[must_use = "nothing is checked before `check` is awaited"]
pub struct Contract {
    handles: Vec<Handle>,
    settings: Settings,
    real_time: bool,
    long_life: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    racers: usize,
    contested_rounds: usize,
    race_time: Duration,
    patience: Duration,
    live_codes: usize,
    large_grant: usize,
}

impl Contract {
    /// Creates the suite for a store. An `Arc` of a store is a store too.
    pub fn new(store: impl ChallengeStore) -> Self {
        let settings = Settings {
            racers: 8,
            contested_rounds: 50,
            race_time: Duration::from_secs(60),
            patience: Duration::from_secs(30),
            live_codes: 1000,
            // A little more than 2^17, the largest of the lengths that are tried one by one.
            large_grant: 128 * 1024 + 251,
        };
        Self { handles: vec![Arc::new(store)], settings, real_time: true, long_life: Duration::from_secs(5) }
    }

    /// Adds another handle to the same records, such as a second server's connection. Calls go through all handles in turn.
    pub fn also_through(mut self, store: impl ChallengeStore) -> Self {
        self.handles.push(Arc::new(store));
        self
    }

    /// Sets how many callers race each other: at least two, 8 by default.
    pub fn racers(mut self, racers: usize) -> Self {
        self.settings.racers = racers.max(2);
        self
    }

    /// Sets how many rounds of a race must have been contested: at least one, 50 by default. A round is contested if the
    /// call that won it overlapped with another.
    pub fn contested_rounds(mut self, rounds: usize) -> Self {
        self.settings.contested_rounds = rounds.max(1);
        self
    }

    /// Sets how long one race may take to be contested that often: 60 seconds by default, which only a busy machine
    /// needs.
    pub fn race_time(mut self, race_time: Duration) -> Self {
        self.settings.race_time = race_time;
        self
    }

    /// Sets how long the store may leave all calls of a case unanswered: 30 seconds by default. A store that blocks its
    /// thread for good is reported too, but keeps the runtime from shutting down.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// Sets how many codes are live at once: 1000 by default.
    pub fn live_codes(mut self, live_codes: usize) -> Self {
        self.settings.live_codes = live_codes;
        self
    }

    /// Sets the length of the largest grant in bytes. Default: 131 323, which is 128 KiB and 251 bytes. Longer grants are
    /// not checked.
    pub fn large_grant(mut self, bytes: usize) -> Self {
        self.settings.large_grant = bytes;
        self
    }

    /// Sets for how long codes with a life of ten minutes are watched: five seconds by default, at most nine and a half
    /// minutes. They are bound first and looked at when all other cases are over, so the suite takes at least this long.
    ///
    /// A store that keeps every record for one minute only is found with 61 seconds, and not with five.
    pub fn long_life(mut self, watched: Duration) -> Self {
        self.long_life = watched.min(Duration::from_secs(570));
        self
    }

    /// Leaves out the *expiry* cases, which take about five seconds of real time.
    pub fn without_real_time(mut self) -> Self {
        self.real_time = false;
        self
    }

    /// Runs every case and reports all of them, whatever the store does.
    pub async fn check(self) -> Report {
        let Self { handles, settings, real_time, long_life } = self;
        let handles = handles.into();
        let probe = || Probe::new(&handles, settings);

        let long_lives = if real_time { Some(LongLives::begin(probe()).await) } else { None };
        // Before the others, which would keep a store busy that has to answer in time here.
        let mut waiting = JoinSet::new();
        for (nth, case) in expiry::CASES.iter().enumerate().filter(|_| real_time) {
            let probe = probe();
            waiting.spawn(async move { (nth, case.find(probe).await) });
        }
        let mut expiry: Vec<_> = waiting.join_all().await;
        expiry.sort_by_key(|(nth, _)| *nth);
        let mut findings = Vec::new();
        for case in STEADY.into_iter().flatten() {
            findings.push(case.find(probe()).await);
        }
        findings.extend(expiry.into_iter().map(|(_, finding)| finding));

        // One at a time and after the others, so that the racers have all workers.
        let mut races = Vec::new();
        for case in RACES.into_iter().flatten() {
            races.push(case.find(probe()).await);
        }
        if let Some(long_lives) = long_lives {
            findings.extend(long_lives.end(long_life).await);
        }
        findings.extend(races);

        // Last: a store that lost a connection or a lock with a dropped call answers no other call.
        for case in CANCELLED.into_iter().flatten() {
            findings.push(case.find(probe()).await);
        }
        Report::new(findings)
    }
}

const STEADY: [&[Case]; 7] =
    [insert::CASES, redeem::CASES, replay::CASES, restore::CASES, fidelity::CASES, isolation::CASES, clocks::CASES];

const RACES: [&[Case]; 3] = [race_insert::CASES, race_redeem::CASES, race_restore::CASES];

const CANCELLED: [&[Case]; 2] = [cancelled::CASES, cancelled_many::CASES];

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("handles", &self.handles.len())
            .field("settings", &self.settings)
            .field("real_time", &self.real_time)
            .field("long_life", &self.long_life)
            .finish()
    }
}

//! The store contract suite: whether a [`ChallengeStore`] does what the core relies on, for the tests of your own store.
//!
//! In a test of your crate, with the feature `contract` switched on for tests only:
//!
//! ```no_run
//! # use pkce_core::store::ChallengeStore;
//! # async fn doc(my_store: impl ChallengeStore) {
//! // #[tokio::test(flavor = "multi_thread")] async fn my_store_keeps_the_contract()
//! pkce_core::contract::check(my_store).await.assert_passed();
//! # }
//! ```
//!
//! Servers share a store: give the suite a second connection, and every other call goes through it.
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
//! 2. *redeem* is granted once, to the right proof; a wrong, missing or superfluous proof changes nothing.
//! 3. *replay*: a redeemed code is remembered with its ticket and time; the same call sent twice is one redemption.
//! 4. *restore* acts for the ticket that redeemed the code, for no other and for no older one, and creates nothing.
//! 5. *fidelity*: every part of a binding, every ticket and every time comes back octet for octet.
//! 6. *isolation*: codes that are nearly the same, and very many codes, do not touch each other.
//! 7. *clocks*: a code is live until its end, also if it was issued by a clock that is four seconds ahead, or long ago.
//! 8. *expiry*: nothing is forgotten before it expires; afterwards nothing is revived or prolonged.
//! 9. *race*: all of that holds while many callers are at it at once.
//! 10. *cancelled*: a call that is dropped at any wait happened or it did not, holds up no other, and takes no
//!     connection and no lock with it.
//!
//! What the contract leaves open is left open: a record may vanish or stay once it is expired, an insert over an
//! expired record may count either way, and so may a second insert of the very same binding.
//! An error is a failure: the suite is for a healthy store.
//!
//! # Inconclusive
//!
//! A race proves something only if its calls really overlapped. Each call notes on one logical clock when it began
//! and when it ended; a race goes on, round by round, until the call that won has overlapped with another often enough,
//! and is *inconclusive* if its time is over before. A store in memory needs a multi-threaded runtime with two workers for
//! that, and an idle core for each. The suite sees calls, not the store's own connections: a pool of one connection
//! lines up what overlapped here. A case that depends on real time is inconclusive if the machine was too slow for it.
//!
//! # Dropped calls
//!
//! Each verb is polled once, twice and so on, left alone for a moment as long as the store's calls take, and dropped.
//! What was sent may still arrive then, so no case looks whether it happened. The next call, through the next handle,
//! finds one or the other, and that must stay true: an insert that is `Recorded`, or turned away by a whole
//! record; a redeem that is the first, or learns of the dropped one's ticket. Then up to two thousand calls are dropped
//! within a second, and eight callers at once must be answered within the two seconds that the core waits by default, or
//! ten times as long as before. A store that answers in the first poll has nothing to drop.
//!
//! # What the suite cannot see
//!
//! It makes calls and reads answers. What it does not make or cannot read, it does not check:
//!
//! * *Lives cut short later than it waits.* Codes with a life of ten minutes are watched for five seconds, or as long
//!   as the suite takes. A store that forgets everything after a minute passes, unless
//!   [`long_life`](Contract::long_life) says so.
//! * *An end that comes less than 200 ms early*, or 500 ms on a busy machine. Clocks and machine are given 150 ms, so an
//!   answer that comes later than that before the end says nothing. Half a second before the end must be looked at, or
//!   the case is inconclusive; the looks 350 and 200 ms before it count if they come in time.
//! * *What happens after more than it does*: a code burned by the hundred-and-first wrong proof, a grant cut at a
//!   megabyte ([`large_grant`](Contract::large_grant)), the ten thousandth code evicted
//!   ([`live_codes`](Contract::live_codes)), the last of five thousand permits lost with dropped calls.
//! * *Waits that only faults reach.* A call is dropped where a healthy store waits: not in the middle of a reconnect or of
//!   a transaction that is tried again.
//! * *Some interleavings.* A race is shown with a good chance, not for certain. A window that opens once in a million
//!   calls passes, and so does one between two processes if both handles share something in this one.
//! * *Faults*: a server that dies, a replica that is promoted, a disk that lies, a record that somebody changed. What was
//!   acknowledged and is lost then is for your own tests, and for your documentation.
//! * *Clocks*: it runs on one machine with one clock. A database whose clock is ahead forgets early.
//! * *What a store writes elsewhere*: secrets in its logs, errors or metrics.
//! * *Room*: whether what is expired is ever deleted.
//!
//! # What it costs
//!
//! About five seconds, all of them for the cases that wait; with milliseconds per call ten seconds more; on a machine
//! that is busy otherwise, as long as the races take to find two idle cores. All codes are random, so the store may be in
//! use and need not be empty; nothing is deleted, everything expires within ten minutes. It wants a tokio runtime with its
//! timer enabled.

mod bound;
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

use crate::store::ChallengeStore;
use case::Case;
use long_life::LongLives;
use probe::Probe;
pub use report::{Finding, Outcome, Report};

/// Checks a store with the default settings: [`Contract::new`] and [`Contract::check`] in one.
pub async fn check(store: impl ChallengeStore) -> Report {
    Contract::new(store).check().await
}

type Handle = Arc<dyn ChallengeStore>;

/// The suite, and how thorough it is.
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
    /// The suite for this store. An `Arc` of a store is a store too.
    pub fn new(store: impl ChallengeStore) -> Self {
        let settings = Settings {
            racers: 8,
            contested_rounds: 50,
            race_time: Duration::from_secs(60),
            patience: Duration::from_secs(30),
            live_codes: 1000,
            // A little more than where columns and messages end.
            large_grant: 64 * 1024 + 251,
        };
        Self { handles: vec![Arc::new(store)], settings, real_time: true, long_life: Duration::from_secs(5) }
    }

    /// Another handle to the same records, such as a second server's connection. Calls go through all handles in turn.
    pub fn also_through(mut self, store: impl ChallengeStore) -> Self {
        self.handles.push(Arc::new(store));
        self
    }

    /// How many callers race each other, at least two: 8 by default.
    pub fn racers(mut self, racers: usize) -> Self {
        self.settings.racers = racers.max(2);
        self
    }

    /// How many rounds of a race must have been contested, at least one: 50 by default. A round is contested if the
    /// call that won it overlapped with another.
    pub fn contested_rounds(mut self, rounds: usize) -> Self {
        self.settings.contested_rounds = rounds.max(1);
        self
    }

    /// How long one race may take to be contested that often: 60 seconds by default, which only a busy machine takes.
    pub fn race_time(mut self, race_time: Duration) -> Self {
        self.settings.race_time = race_time;
        self
    }

    /// How long the store may go without answering any call of a case: 30 seconds by default. A store that blocks its
    /// thread for good is reported too, but keeps the runtime from shutting down.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings.patience = patience;
        self
    }

    /// How many codes are live at once: 1000 by default.
    pub fn live_codes(mut self, live_codes: usize) -> Self {
        self.settings.live_codes = live_codes;
        self
    }

    /// How many octets the largest grant has: 65 787 by default, 251 more than 64 KiB. What is longer is not checked.
    pub fn large_grant(mut self, octets: usize) -> Self {
        self.settings.large_grant = octets;
        self
    }

    /// How long codes with a life of ten minutes are watched at the least, live ones and redeemed ones: five seconds by
    /// default, and nine and a half minutes at the most. They are bound first and looked at when the rest is over, so a
    /// longer time is what the suite then takes.
    ///
    /// A store that keeps every record for one minute only, whatever its end, is found with 61 seconds and not with five.
    pub fn long_life(mut self, watched: Duration) -> Self {
        self.long_life = watched.min(Duration::from_secs(570));
        self
    }

    /// Leaves out the *expiry* cases, which take about five seconds of real time. What they check is then not checked.
    pub fn without_real_time(mut self) -> Self {
        self.real_time = false;
        self
    }

    /// Runs every case. Whatever the store does, all of them are reported.
    pub async fn check(self) -> Report {
        let Self { handles, settings, real_time, long_life } = self;
        let handles = handles.into();
        let probe = || Probe::new(&handles, settings);

        let long_lives = if real_time { Some(LongLives::begin(probe()).await) } else { None };
        let mut waiting = JoinSet::new();
        for (nth, case) in expiry::CASES.iter().enumerate().filter(|_| real_time) {
            let probe = probe();
            waiting.spawn(async move { (nth, case.find(probe).await) });
        }
        let mut findings = Vec::new();
        for case in STEADY.into_iter().flatten() {
            findings.push(case.find(probe()).await);
        }
        let mut expiry: Vec<_> = waiting.join_all().await;
        expiry.sort_by_key(|(nth, _)| *nth);
        findings.extend(expiry.into_iter().map(|(_, finding)| finding));

        // One at a time and after the others, so that the racers have the workers to themselves.
        let mut races = Vec::new();
        for case in RACES.into_iter().flatten() {
            races.push(case.find(probe()).await);
        }
        if let Some(long_lives) = long_lives {
            findings.extend(long_lives.end(long_life).await);
        }
        findings.extend(races);

        // Last: a store that lost a connection or a lock with a dropped call answers nobody any more.
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

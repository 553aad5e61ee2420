//! A race: calls that begin together, and whether they overlapped.

use std::hint;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};
use tokio::time::sleep;

use super::case::{Step, died};
use super::probe::Probe;
use super::report::Outcome;

/// What one racer does, once the race begins.
pub(super) type Racer<T> = Pin<Box<dyn Future<Output = Step<T>> + Send>>;

/// Ticks whenever a call begins or ends, on any thread.
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// How long a racer waits for the others. It spins, because a sleeper wakes too late to meet a call of a microsecond.
/// It gives up, because there may be fewer idle cores than workers.
const PATIENCE: Duration = Duration::from_micros(80);

/// A call that was answered, with its begin and end on the logical clock.
pub(super) struct Lap<T> {
    pub(super) answer: T,
    began: u64,
    ended: u64,
}

impl<T> Lap<T> {
    pub(super) async fn of(call: impl Future<Output = Step<T>>) -> Step<Self> {
        let began = CLOCK.fetch_add(1, Ordering::SeqCst);
        let answer = call.await;
        let ended = CLOCK.fetch_add(1, Ordering::SeqCst);
        Ok(Self { answer: answer?, began, ended })
    }

    pub(super) const fn overlaps<U>(&self, other: &Lap<U>) -> bool {
        self.began < other.ended && other.began < self.ended
    }
}

/// Starts all racers at once. Returns their laps in the order of the racers.
pub(super) async fn race<T: Send + 'static>(racers: Vec<Racer<T>>) -> Step<Vec<Lap<T>>> {
    run(racers.into_iter().map(|racer| Box::pin(Lap::of(racer)) as Racer<Lap<T>>).collect()).await
}

/// As [`race`], for racers that make several calls and time them themselves.
pub(super) async fn run<T: Send + 'static>(racers: Vec<Racer<T>>) -> Step<Vec<T>> {
    let start = Arc::new(Start::new(racers.len()));
    let mut running = JoinSet::new();
    for (nth, racer) in racers.into_iter().enumerate() {
        let start = Arc::clone(&start);
        running.spawn(async move {
            start.line_up();
            (nth, racer.await)
        });
    }
    let mut done = Vec::with_capacity(running.len());
    while let Some(lap) = running.join_next().await {
        let (nth, lap) = lap.map_err(died)?;
        done.push((nth, lap?));
    }
    done.sort_unstable_by_key(|(nth, _)| *nth);
    Ok(done.into_iter().map(|(_, lap)| lap).collect())
}

/// The starting line. Racers start in groups, as many at once as there are workers.
struct Start {
    racers: usize,
    workers: usize,
    arrived: AtomicUsize,
    released: AtomicUsize,
}

impl Start {
    fn new(racers: usize) -> Self {
        Self { racers, workers: workers(), arrived: AtomicUsize::new(0), released: AtomicUsize::new(0) }
    }

    fn line_up(&self) {
        let place = self.arrived.fetch_add(1, Ordering::SeqCst);
        let group = (place / self.workers + 1).saturating_mul(self.workers).min(self.racers);
        if place + 1 == group {
            self.released.fetch_max(group, Ordering::SeqCst);
            return;
        }
        let since = Instant::now();
        while self.released.load(Ordering::SeqCst) <= place {
            if since.elapsed() > PATIENCE {
                // Start all that wait: better a few that overlap than none.
                self.released.fetch_max(self.arrived.load(Ordering::SeqCst), Ordering::SeqCst);
            }
            hint::spin_loop();
        }
    }
}

/// Counts the rounds of a race that were contested.
///
/// Rounds are counted and not calls: when the operating system stops one caller halfway, all others overlap with it, but
/// at the same place.
pub(super) struct Tally {
    enough: usize,
    contested: usize,
    rounds: u32,
    began: Instant,
    race_time: Duration,
    quick: Arc<AtomicBool>,
    _keepers: JoinSet<()>,
}

/// A race goes on for this part of its time even if it was contested often enough. A store in memory answers a thousand
/// more rounds in it, a remote one none.
const THOROUGH: u32 = 100;

/// If none of this many rounds was contested on a single thread, none will be.
const HOPELESS: u32 = 20;

impl Tally {
    pub(super) fn of(probe: &Probe) -> Self {
        let settings = probe.settings();
        let quick = Arc::new(AtomicBool::new(true));
        Self {
            enough: settings.contested_rounds,
            contested: 0,
            rounds: 0,
            began: Instant::now(),
            race_time: settings.race_time,
            _keepers: (0..workers()).map(|_| keep_awake(Arc::clone(&quick))).collect(),
            quick,
        }
    }

    pub(super) fn wants_more(&self) -> bool {
        let elapsed = self.began.elapsed();
        let enough = self.contested >= self.enough && elapsed >= self.race_time / THOROUGH;
        let hopeless = self.contested == 0 && self.rounds >= HOPELESS && workers() == 1;
        !enough && !hopeless && elapsed < self.race_time
    }

    pub(super) fn add(&mut self, contested: bool) {
        self.contested += usize::from(contested);
        self.rounds = self.rounds.saturating_add(1);
        self.quick.store(self.began.elapsed() / self.rounds < QUICK, Ordering::Relaxed);
    }

    pub(super) fn verdict(self) -> Step {
        let Self { enough, contested, rounds, .. } = self;
        if contested >= enough {
            return Ok(());
        }
        let workers = workers();
        Err(Outcome::inconclusive(&format!(
            "calls overlapped in {contested} of {rounds} rounds, and must in {enough}: it takes a multi-threaded runtime \
             with at least two workers (this one has {workers}) and an idle core for each"
        )))
    }
}

/// A round that takes longer waits for something outside of this process.
const QUICK: Duration = Duration::from_millis(3);

/// Keeps a worker from going to sleep between two quick rounds. The operating system gives threads that never sleep a
/// core each. A thread that is woken for every round arrives when the race is over.
async fn keep_awake(quick: Arc<AtomicBool>) {
    loop {
        if quick.load(Ordering::Relaxed) {
            // First to other threads: on a busy machine the worker that is waited for may be one of them.
            thread::yield_now();
            yield_now().await;
        } else {
            sleep(QUICK).await;
        }
    }
}

fn workers() -> usize {
    Handle::current().metrics().num_workers().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lap(began: u64, ended: u64) -> Lap<()> {
        Lap { answer: (), began, ended }
    }

    #[test]
    fn calls_overlap_only_if_each_began_before_the_other_ended() {
        for (one, other, overlap) in
            [(lap(0, 2), lap(1, 3), true), (lap(0, 3), lap(1, 2), true), (lap(0, 1), lap(2, 3), false)]
        {
            assert_eq!(one.overlaps(&other), overlap);
            assert_eq!(other.overlaps(&one), overlap);
        }
    }

    #[tokio::test]
    async fn on_one_thread_calls_that_do_not_wait_never_overlap() {
        let racers = (0..4).map(|nth| Box::pin(async move { Ok(nth) }) as Racer<i32>).collect();
        let laps = race(racers).await.unwrap();
        assert_eq!(laps.iter().map(|lap| lap.answer).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(laps.iter().enumerate().all(|(nth, lap)| laps[..nth].iter().all(|other| !lap.overlaps(other))));
    }
}

//! What the clones of a [`Renewed`](crate::Renewed) share: the connection in use, and the next one while it is made.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisError, RedisResult};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::probe::Probe;
use crate::sign::Sign;

/// How long an attempt to connect may take. The calls that wait for it are given up sooner; it is for the next ones.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// How long a connection that answers *some* calls is left alone after an attempt to replace it.
///
/// One master of a Cluster hangs, say: a new connection helps when another has followed it, and not before.
const REST: Duration = Duration::from_secs(5);

type Connecting<C> = Pin<Box<dyn Future<Output = RedisResult<C>> + Send>>;
type Connect<C> = dyn Fn() -> Connecting<C> + Send + Sync;
type Made<C> = Option<RedisResult<Arc<Link<C>>>>;

pub(crate) struct Renewal<C> {
    connect: Box<Connect<C>>,
    state: Mutex<State<C>>,
}

struct State<C> {
    link: Option<Arc<Link<C>>>,
    connecting: Option<Attempt<C>>,
    /// When the last attempt to connect ended.
    attempted: Option<Instant>,
}

/// An attempt to connect, under way.
struct Attempt<C> {
    begun: Instant,
    made: watch::Receiver<Made<C>>,
}

impl<C> Attempt<C> {
    /// Not if its task panicked, its runtime is gone, or nobody drives that.
    fn is_under_way(&self) -> bool {
        self.made.has_changed().is_ok() && self.begun.elapsed() <= LONGEST_CONNECT
    }
}

/// One connection, and how many answers came through it.
pub(crate) struct Link<C> {
    connection: C,
    answers: AtomicU64,
}

impl<C: Clone> Link<C> {
    pub(crate) fn connection(&self) -> C {
        self.connection.clone()
    }

    /// To be asked before a call, and told after it.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}

impl<C> Renewal<C> {
    pub(crate) fn new(connect: Box<Connect<C>>) -> Self {
        Self { connect, state: Mutex::new(State { link: None, connecting: None, attempted: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        // Nothing in here leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_link(&self) -> bool {
        self.state().link.is_some()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Renewal<C> {
    /// The connection in use; the next one if there is none.
    ///
    /// Whoever waits here may give up: the attempt is nobody's own.
    pub(crate) async fn link(self: &Arc<Self>) -> RedisResult<Arc<Link<C>>> {
        let mut made = {
            let mut state = self.state();
            match &state.link {
                Some(link) => return Ok(Arc::clone(link)),
                None => self.connect(&mut state, None)?,
            }
        };
        match made.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(made)) => made.clone(),
            // Its task panicked, or the runtime that it ran on is gone.
            _ => Err(io::Error::new(io::ErrorKind::NotConnected, "the attempt to connect was cut short").into()),
        }
    }

    /// What this command showed of this link, which had brought so many `answers` when it was sent.
    pub(crate) fn settle(self: &Arc<Self>, link: &Arc<Link<C>>, answers: u64, sign: Sign, command: Option<&Cmd>) {
        match sign {
            Sign::Answered => _ = link.answers.fetch_add(1, Ordering::Relaxed),
            Sign::Nothing => {}
            Sign::Silent | Sign::Closed | Sign::Replica => self.renew(link, answers, sign, command.and_then(Probe::of)),
        }
    }

    fn renew(self: &Arc<Self>, link: &Arc<Link<C>>, answers: u64, sign: Sign, probe: Option<Probe>) {
        let mut state = self.state();
        if !state.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            return; // a late fault of an old connection says nothing of the new one
        }
        let has_answered = link.answers() != answers;
        let has_rested = state.attempted.is_none_or(|attempted| attempted.elapsed() >= REST);
        if has_answered && (probe.is_none() || !has_rested && sign != Sign::Replica) {
            return;
        }
        if !has_answered && sign != Sign::Silent {
            state.link = None;
        }
        // The call has its own fault to report; the next one will say that there is no runtime.
        _ = self.connect(&mut state, probe);
    }

    /// The attempt that is under way, or a new one.
    fn connect(self: &Arc<Self>, state: &mut State<C>, probe: Option<Probe>) -> RedisResult<watch::Receiver<Made<C>>> {
        if let Some(attempt) = state.connecting.as_ref().filter(|attempt| attempt.is_under_way()) {
            return Ok(attempt.made.clone());
        }
        let runtime = Handle::try_current()
            .map_err(|_| RedisError::from((ErrorKind::Client, "a renewed connection is made in a Tokio runtime")))?;
        let (sender, receiver) = watch::channel(None);
        let renewal = Arc::clone(self);
        // Deliberately not in the caller's future: the caller that has waited longest is the next to give up.
        runtime.spawn(async move {
            let made = match timeout(LONGEST_CONNECT, renewal.make(probe)).await {
                Ok(made) => made.map(|connection| Arc::new(Link { connection, answers: AtomicU64::new(0) })),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()),
            };
            let mut state = renewal.state();
            if let Ok(link) = &made {
                state.link = Some(Arc::clone(link));
            }
            state.connecting = None;
            state.attempted = Some(Instant::now());
            drop(state);
            sender.send_replace(Some(made));
        });
        state.connecting = Some(Attempt { begun: Instant::now(), made: receiver.clone() });
        Ok(receiver)
    }

    /// A connection that is better than the one in use, if one is.
    async fn make(&self, probe: Option<Probe>) -> RedisResult<C> {
        let mut connection = (self.connect)().await?;
        // A Cluster's client that was made while a master hangs also keeps the calls to the others waiting when it is asked
        // for that one. The old one does not.
        if let Some(probe) = probe
            && self.has_link()
            && !probe.is_answered_by(&mut connection).await
            && self.has_link()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a new connection is not answered either").into());
        }
        Ok(connection)
    }
}

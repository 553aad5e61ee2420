//! What the clones of a [`ReconnectingConnection`](crate::ReconnectingConnection) share: the connection in use, and the
//! next one while it is made.

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

use crate::call_outcome::CallOutcome;
use crate::probe::Probe;

/// How long an attempt to connect may take.
const LONGEST_CONNECT: Duration = Duration::from_secs(10);

/// The shortest time between two attempts to replace a connection that answers *some* calls.
///
/// While one master of a Cluster hangs, a new connection helps only after another master has taken over.
const PAUSE: Duration = Duration::from_secs(5);

/// The shortest time between two attempts while the server accepts no writes. Every call fails until the address
/// moves, and each would try to reconnect.
const PAUSE_WHILE_DEMOTED: Duration = Duration::from_millis(250);

type Connecting<C> = Pin<Box<dyn Future<Output = RedisResult<C>> + Send>>;
type Connect<C> = dyn Fn() -> Connecting<C> + Send + Sync;
type ConnectResult<C> = RedisResult<Arc<LiveConnection<C>>>;

pub(crate) struct Reconnector<C> {
    connect: Box<Connect<C>>,
    state: Mutex<State<C>>,
}

struct State<C> {
    live: Option<Arc<LiveConnection<C>>>,
    connecting: Option<PendingConnect<C>>,
    /// When the last attempt to replace a connection began or ended.
    attempted: Option<Instant>,
}

/// An attempt to connect, in a task of its own.
struct PendingConnect<C> {
    begun: Instant,
    result: watch::Receiver<Option<ConnectResult<C>>>,
}

impl<C> PendingConnect<C> {
    /// False if its task panicked, or if its runtime is gone or does not run.
    fn is_under_way(&self) -> bool {
        self.result.has_changed().is_ok() && self.begun.elapsed() <= LONGEST_CONNECT
    }
}

/// A connection, and the number of calls that it answered.
pub(crate) struct LiveConnection<C> {
    connection: C,
    answers: AtomicU64,
}

impl<C: Clone> LiveConnection<C> {
    pub(crate) fn connection(&self) -> C {
        self.connection.clone()
    }

    /// To be read before a call, and passed to [`Reconnector::settle`] after it.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}

impl<C> Reconnector<C> {
    pub(crate) fn new(connect: Box<Connect<C>>) -> Self {
        Self { connect, state: Mutex::new(State { live: None, connecting: None, attempted: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        // Nothing that holds the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_connected(&self) -> bool {
        self.state().live.is_some()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> Reconnector<C> {
    /// The connection in use, or the next one if there is none.
    ///
    /// Dropping this future does not end the attempt to connect.
    pub(crate) async fn live(self: &Arc<Self>) -> ConnectResult<C> {
        let mut result = {
            let mut state = self.state();
            match &state.live {
                Some(live) => return Ok(Arc::clone(live)),
                None => self.connect(&mut state, None)?,
            }
        };
        match result.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(result)) => result.clone(),
            // Its task panicked, or its runtime is gone.
            _ => Err(io::Error::new(io::ErrorKind::NotConnected, "the attempt to connect was cut short").into()),
        }
    }

    /// Replaces the connection if the outcome of this call shows that it is no good.
    ///
    /// `answers` is what [`LiveConnection::answers`] was before the call.
    pub(crate) fn settle(
        self: &Arc<Self>,
        live: &Arc<LiveConnection<C>>,
        answers: u64,
        outcome: CallOutcome,
        command: Option<&Cmd>,
    ) {
        match outcome {
            CallOutcome::Answered => _ = live.answers.fetch_add(1, Ordering::Relaxed),
            CallOutcome::NotSent => {}
            CallOutcome::Unanswered | CallOutcome::Closed | CallOutcome::Demoted => {
                self.replace(live, answers, outcome, command.and_then(Probe::of));
            }
        }
    }

    fn replace(
        self: &Arc<Self>,
        live: &Arc<LiveConnection<C>>,
        answers: u64,
        outcome: CallOutcome,
        probe: Option<Probe>,
    ) {
        let mut state = self.state();
        if !state.live.as_ref().is_some_and(|current| Arc::ptr_eq(current, live)) {
            return; // a late fault of an old connection says nothing of the new one
        }
        let has_paused = |pause| state.attempted.is_none_or(|attempted| attempted.elapsed() >= pause);
        // Other calls were answered in the meantime: the connection stays until there is a better one.
        let has_answered = live.answers() != answers;
        let may_connect = match outcome {
            CallOutcome::Demoted => has_paused(PAUSE_WHILE_DEMOTED),
            _ => !has_answered || probe.is_some() && has_paused(PAUSE),
        };
        if !may_connect {
            return;
        }
        if !has_answered && outcome != CallOutcome::Unanswered {
            state.live = None;
        }
        state.attempted = Some(Instant::now());
        // The call reports its own fault. The next one will report that there is no runtime.
        _ = self.connect(&mut state, probe);
    }

    /// The attempt that is under way, or a new one.
    fn connect(
        self: &Arc<Self>,
        state: &mut State<C>,
        probe: Option<Probe>,
    ) -> RedisResult<watch::Receiver<Option<ConnectResult<C>>>> {
        if let Some(pending) = state.connecting.as_ref().filter(|pending| pending.is_under_way()) {
            return Ok(pending.result.clone());
        }
        let runtime = Handle::try_current()
            .map_err(|_| RedisError::from((ErrorKind::Client, "a reconnecting connection needs a Tokio runtime")))?;
        let (sender, receiver) = watch::channel(None);
        let reconnector = Arc::clone(self);
        // Deliberately not in the caller's future: the caller that has waited longest is the next to give up.
        runtime.spawn(async move {
            let result = match timeout(LONGEST_CONNECT, reconnector.make(probe)).await {
                Ok(made) => made.map(|connection| Arc::new(LiveConnection { connection, answers: AtomicU64::new(0) })),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "connecting took too long").into()),
            };
            let mut state = reconnector.state();
            if let Ok(live) = &result {
                state.live = Some(Arc::clone(live));
            }
            state.connecting = None;
            // Unless this was the first connection: that one may be replaced at once.
            state.attempted = state.attempted.map(|_| Instant::now());
            drop(state);
            sender.send_replace(Some(result));
        });
        state.connecting = Some(PendingConnect { begun: Instant::now(), result: receiver.clone() });
        Ok(receiver)
    }

    /// A new connection, if it is better than the one in use.
    async fn make(&self, probe: Option<Probe>) -> RedisResult<C> {
        let mut connection = (self.connect)().await?;
        // A Cluster's client that was made while a master hangs delays the calls to all other masters when it is asked
        // for that one. The client in use does not.
        if let Some(probe) = probe
            && self.is_connected()
            && !probe.is_answered_by(&mut connection).await
            && self.is_connected()
        {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "a new connection is not answered either").into());
        }
        Ok(connection)
    }
}

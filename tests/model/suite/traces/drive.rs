//! Carries out a trace: the requests are futures of the real core, whose calls of the store wait for the next step.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use pkce_core::adapter::{Body, Request};
use pkce_core::store::{
    Attempt, Binding, ChallengeStore, CodeDigest, Inserted, Redemption, StoreError, Ticket as RealTicket,
};
use pkce_core::{
    AuthorizationCode, CodeChallenge, CodeVerifier, MemoryStore, Pkce, Policy, Reason as RealReason, Settle, Timestamp,
};
use pkce_model::protocol::{
    Caller, Clock, Command, End, Phase, Proof, Protocol, Reason, Reply, State, Step, Ticket, Verb,
};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Of the two servers; the store in memory has that of the first.
#[derive(Clone)]
pub(crate) struct Clocks(Arc<[AtomicU64; 2]>, u64);

impl Clocks {
    pub(crate) fn new() -> Self {
        let now = u64::try_from(UNIX_EPOCH.elapsed().unwrap_or_default().as_millis()).unwrap_or_default();
        Self(Arc::new([AtomicU64::new(now), AtomicU64::new(now)]), now)
    }

    pub(crate) fn memory_store(&self) -> Arc<dyn ChallengeStore> {
        Arc::new(MemoryStore::builder().clock(self.of(0)).build())
    }

    fn of(&self, server: usize) -> impl Fn() -> Timestamp + Send + Sync + 'static {
        let clocks = Arc::clone(&self.0);
        move || Timestamp::from_epoch_millis(clocks[server].load(Ordering::SeqCst))
    }

    /// The code is bound at the time of `Live`.
    fn moment(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Early => self.1 - 10_000,
            Clock::Live => self.1,
            Clock::Expired => self.1 + 60_000,
        }
    }

    fn set(&self, to: [Clock; 2]) {
        for (own, clock) in self.0.iter().zip(to) {
            own.store(self.moment(clock), Ordering::SeqCst);
        }
    }
}

/// A call of the store, as the core makes it.
#[derive(Clone)]
enum Call {
    Insert(CodeDigest, Binding),
    Redeem(CodeDigest, Attempt),
    Restore(CodeDigest, RealTicket),
}

/// What the store replied to it.
enum Replied {
    Insert(Inserted),
    Redeem(Redemption),
    Restore,
}

type Pending = oneshot::Sender<Result<Replied, StoreError>>;

/// What a request does next.
enum Event {
    Calls(Call, Pending),
    AtHost,
    Over(End),
}

/// The store as a request sees it.
struct Puppet(mpsc::UnboundedSender<Event>);

impl Puppet {
    async fn call(&self, call: Call) -> Result<Replied, StoreError> {
        let (sender, reply) = oneshot::channel();
        self.0.send(Event::Calls(call, sender)).ok();
        match reply.await {
            Ok(reply) => reply,
            // It never comes: the time-out ends the call.
            Err(_) => pending().await,
        }
    }
}

#[async_trait]
impl ChallengeStore for Puppet {
    async fn insert(&self, code: &CodeDigest, binding: &Binding) -> Result<Inserted, StoreError> {
        match self.call(Call::Insert(*code, binding.clone())).await? {
            Replied::Insert(inserted) => Ok(inserted),
            _ => panic!("a reply to another call"),
        }
    }

    async fn redeem(&self, code: &CodeDigest, attempt: &Attempt) -> Result<Redemption, StoreError> {
        match self.call(Call::Redeem(*code, *attempt)).await? {
            Replied::Redeem(redemption) => Ok(redemption),
            _ => panic!("a reply to another call"),
        }
    }

    async fn restore(&self, code: &CodeDigest, ticket: RealTicket) -> Result<(), StoreError> {
        match self.call(Call::Restore(*code, ticket)).await? {
            Replied::Restore => Ok(()),
            _ => panic!("a reply to another call"),
        }
    }
}

/// A request that has begun.
struct Running {
    task: JoinHandle<()>,
    events: mpsc::UnboundedReceiver<Event>,
    host: Option<oneshot::Sender<Settle>>,
    time_out: Arc<Notify>,
    pending: Option<Pending>,
    /// The reply that waits to be delivered.
    reply: Option<Replied>,
}

/// A trace under way.
pub(crate) struct Driver {
    protocol: Protocol,
    policy: Policy,
    state: State,
    store: Arc<dyn ChallengeStore>,
    clocks: Clocks,
    code: String,
    verifier: CodeVerifier,
    running: HashMap<usize, Running>,
    calls: HashMap<(usize, Key), Call>,
    tickets: HashMap<Ticket, RealTicket>,
    binding: Option<Binding>,
    replays: Arc<AtomicUsize>,
    told: usize,
}

/// Which of the calls of a request.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Insert,
    Redeem(Ticket),
    Restore(Ticket),
}

impl Key {
    fn of(verb: Verb) -> Self {
        match verb {
            Verb::Insert => Self::Insert,
            Verb::Redeem(ticket, ..) => Self::Redeem(ticket),
            Verb::Restore(ticket) => Self::Restore(ticket),
        }
    }
}

const OTHER_VERIFIER: &str = "another-verifier-0123456789-0123456789-0123";

impl Driver {
    pub(crate) fn new(protocol: &Protocol, store: Arc<dyn ChallengeStore>, clocks: Clocks, start: State) -> Self {
        let mut policy = Policy::new();
        if !protocol.has_challenge() || protocol.callers.contains(&Caller::Without) {
            policy = policy.allow_missing_challenge();
        }
        if protocol.burns {
            policy = policy.burn_on_mismatch();
        }
        clocks.set(start.clocks);
        Self {
            protocol: protocol.clone(),
            policy,
            state: start,
            store,
            clocks,
            code: AuthorizationCode::generate().unwrap().as_str().to_owned(),
            verifier: CodeVerifier::generate().unwrap(),
            running: HashMap::new(),
            calls: HashMap::new(),
            tickets: HashMap::new(),
            binding: None,
            replays: Arc::default(),
            told: 0,
        }
    }

    /// From now on the model is another one than that of the core's policy.
    pub(crate) fn expect_of(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Takes one step. An error says how the core or the store differs from the model.
    pub(crate) async fn follow(&mut self, step: Step) -> Result<(), String> {
        let next = self.protocol.after(&self.state, step);
        let responding = match step {
            Step::Begin(nth) => {
                let running = self.begin(nth);
                self.running.insert(nth, running);
                Some(nth)
            }
            Step::Execute(command) => {
                self.execute(command).await?;
                None
            }
            Step::Deliver(nth) => {
                let running = self.running.get_mut(&nth).ok_or("it has not begun")?;
                let (reply, pending) = (running.reply.take(), running.pending.take());
                pending.ok_or("nobody waits")?.send(Ok(reply.ok_or("no reply")?)).ok();
                Some(nth)
            }
            Step::TimeOut(nth) => {
                let running = self.running.get_mut(&nth).ok_or("it has not begun")?;
                (running.reply, running.pending) = (None, None);
                running.time_out.notify_one();
                Some(nth)
            }
            Step::Lose(nth) => {
                let running = self.running.get_mut(&nth).ok_or("it has not begun")?;
                running.pending.take().ok_or("nobody waits")?.send(Err(StoreError::unavailable("lost"))).ok();
                Some(nth)
            }
            Step::Resend(nth) => {
                self.running.get_mut(&nth).ok_or("it has not begun")?.reply = None;
                None
            }
            Step::Vanish(nth) => {
                let running = self.running.remove(&nth).ok_or("it has not begun")?;
                running.task.abort();
                let _ = running.task.await;
                None
            }
            Step::HostServes(nth) | Step::HostRefuses(nth) => {
                let settle = if step == Step::HostServes(nth) { Settle::Keep } else { Settle::Restore };
                let host = self.running.get_mut(&nth).and_then(|running| running.host.take());
                host.ok_or("the host does not run")?.send(settle).ok();
                Some(nth)
            }
            Step::Tick(_) | Step::SetBack(_) | Step::Forget => {
                self.clocks.set(next.clocks);
                None
            }
        };
        if let Some(nth) = responding {
            self.compare(nth, next.requests[nth].phase).await?;
        }
        let told = usize::from(
            responding.is_some_and(|nth| next.requests[nth].phase == Phase::Over(End::Rejected(Reason::Replayed))),
        );
        self.told += told;
        let replays = self.replays.load(Ordering::SeqCst);
        self.state = next;
        if replays == self.told { Ok(()) } else { Err(format!("{replays} replays, not {}", self.told)) }
    }

    /// Starts the request at its server.
    fn begin(&self, nth: usize) -> Running {
        let (sender, events) = mpsc::unbounded_channel();
        let (host, response) = oneshot::channel();
        let time_out = Arc::new(Notify::new());
        let (timer, replays) = (Arc::clone(&time_out), Arc::clone(&self.replays));
        let builder = Pkce::builder(Puppet(sender.clone())).policy(self.policy.clone());
        let builder = builder.timer(move |_| {
            let timer = Arc::clone(&timer);
            async move { timer.notified().await }
        });
        let builder = builder.on_replay(move |_| {
            replays.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        let task = if nth == 0 {
            let issued = self.clocks.moment(Clock::Live);
            let pkce = builder.clock(move || Timestamp::from_epoch_millis(issued)).build();
            tokio::spawn(bind(pkce, self.code.clone(), self.verifier.challenge(), self.protocol.clone(), sender))
        } else {
            let server = if self.protocol.store == pkce_model::Store::Memory { 0 } else { Protocol::server(nth) };
            let pkce = builder.clock(self.clocks.of(server)).build();
            tokio::spawn(redeem(pkce, self.body(nth), sender, response))
        };
        Running { task, events, host: Some(host), time_out, pending: None, reply: None }
    }

    /// The body of a token request.
    fn body(&self, nth: usize) -> String {
        let caller = self.protocol.caller(nth);
        let client = if caller == Caller::OtherClient { "another" } else { "client" };
        let verifier = match caller {
            Caller::Wrong => format!("&code_verifier={OTHER_VERIFIER}"),
            Caller::Right | Caller::OtherClient if self.protocol.has_challenge() => {
                format!("&code_verifier={}", self.verifier.as_str())
            }
            _ => String::new(),
        };
        format!("grant_type=authorization_code&code={}&client_id={client}{verifier}", self.code)
    }

    /// Lets the store carry out a command, and compares its reply.
    async fn execute(&mut self, command: Command) -> Result<(), String> {
        let expected = self.protocol.execute(&mut self.state.clone(), command);
        let call = self.calls.get(&(command.request, Key::of(command.verb))).ok_or("there was no such call")?.clone();
        let replied = match &call {
            Call::Insert(code, binding) => self.store.insert(code, binding).await.map(Replied::Insert),
            Call::Redeem(code, attempt) => self.store.redeem(code, attempt).await.map(Replied::Redeem),
            Call::Restore(code, ticket) => self.store.restore(code, *ticket).await.map(|()| Replied::Restore),
        };
        let replied = replied.map_err(|error| format!("the store failed: {error:?}"))?;
        let reply = match &replied {
            Replied::Insert(Inserted::Recorded) => Reply::Recorded,
            Replied::Insert(Inserted::Occupied) => Reply::Occupied,
            Replied::Redeem(Redemption::First(_)) => Reply::First,
            Replied::Redeem(Redemption::Refused(_)) => Reply::Refused,
            Replied::Redeem(Redemption::Unknown) => Reply::Unknown,
            Replied::Redeem(Redemption::Again { ticket, .. }) => {
                let known = self.tickets.iter().find(|(_, real)| *real == ticket);
                Reply::Again(*known.ok_or("redeemed by a ticket of nobody")?.0)
            }
            Replied::Restore => Reply::Restored,
        };
        if Some(reply) != expected {
            return Err(format!("the store replied {reply:?}, not {expected:?}"));
        }
        if !command.is_stray
            && let Some(running) = self.running.get_mut(&command.request)
        {
            running.reply = Some(replied);
        }
        Ok(())
    }

    /// Waits for what the request does next, and compares it.
    async fn compare(&mut self, nth: usize, expected: Phase) -> Result<(), String> {
        let running = self.running.get_mut(&nth).ok_or("it has not begun")?;
        let event = timeout(Duration::from_secs(30), running.events.recv()).await;
        match (event.map_err(|_| format!("it does nothing, not {expected:?}"))?.ok_or("its task has ended")?, expected)
        {
            (Event::AtHost, Phase::AtHost(_)) => Ok(()),
            (Event::Over(end), Phase::Over(expected)) if end == expected => Ok(()),
            (Event::Calls(call, pending), expected) => {
                running.pending = Some(pending);
                let verb = expected.verb().ok_or_else(|| format!("it calls the store, not {expected:?}"))?;
                self.compare_call(&call, verb)?;
                self.calls.insert((nth, Key::of(verb)), call);
                Ok(())
            }
            (Event::AtHost, expected) => Err(format!("the host runs, not {expected:?}")),
            (Event::Over(end), expected) => Err(format!("{end:?}, not {expected:?}")),
        }
    }

    fn compare_call(&mut self, call: &Call, expected: Verb) -> Result<(), String> {
        match (call, expected) {
            (Call::Insert(_, binding), Verb::Insert) => {
                self.binding = Some(binding.clone());
                Ok(())
            }
            (Call::Redeem(_, attempt), Verb::Redeem(ticket, proof, at)) => {
                let bound = self.binding.as_ref().and_then(Binding::proof);
                let is_bound = attempt.proof() == bound;
                if is_bound != (proof == self.protocol.bound_proof())
                    || attempt.proof().is_none() != (proof == Proof::None)
                    || attempt.at().as_epoch_millis() != self.clocks.moment(at)
                {
                    return Err(format!("another attempt than {expected:?}"));
                }
                self.compare_ticket(attempt.ticket(), ticket)
            }
            (Call::Restore(_, real), Verb::Restore(ticket)) => self.compare_ticket(*real, ticket),
            _ => Err(format!("another call than {expected:?}")),
        }
    }

    /// Each of the model's tickets is one of the core's, and no two are the same.
    fn compare_ticket(&mut self, real: RealTicket, ticket: Ticket) -> Result<(), String> {
        let is_burned = (real == RealTicket::BURNED) == (ticket == Ticket::BURNED);
        let is_known = self.tickets.iter().find(|(_, other)| **other == real).is_none_or(|(known, _)| *known == ticket);
        let same = *self.tickets.entry(ticket).or_insert(real) == real;
        if is_burned && is_known && same { Ok(()) } else { Err(format!("another ticket than {ticket:?}")) }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}

/// The authorization request.
async fn bind(
    pkce: Pkce,
    code: String,
    challenge: CodeChallenge,
    protocol: Protocol,
    events: mpsc::UnboundedSender<Event>,
) {
    let mut bind =
        if protocol.has_challenge() { pkce.bind(&code, challenge) } else { pkce.bind_without_challenge(&code) };
    if protocol.has_client() {
        bind = bind.client_id("client");
    }
    let end = if bind.await.is_ok() { End::Bound } else { End::NotBound };
    events.send(Event::Over(end)).ok();
}

/// A token request, as an adapter handles it.
async fn redeem(pkce: Pkce, body: String, events: mpsc::UnboundedSender<Event>, host: oneshot::Receiver<Settle>) {
    let request = Request::new("POST", Body::Complete(body.as_bytes()))
        .header("content-type", b"application/x-www-form-urlencoded");
    let end = match pkce.judge(&request).await {
        Ok((_, reservation)) => {
            events.send(Event::AtHost).ok();
            let Ok(settle) = host.await else { return };
            pkce.settle(reservation, settle).await;
            if settle == Settle::Keep { End::Served } else { End::RefusedByHost }
        }
        Err(rejection) => End::Rejected(reason(rejection.reason())),
    };
    events.send(Event::Over(end)).ok();
}

fn reason(reason: RealReason) -> Reason {
    match reason {
        RealReason::CodeUnknown => Reason::Unknown,
        RealReason::CodeExpired => Reason::Expired,
        RealReason::VerifierMismatch => Reason::Mismatch,
        RealReason::VerifierWithheld => Reason::Withheld,
        RealReason::VerifierUnexpected => Reason::Unexpected,
        RealReason::ClientMismatch => Reason::OtherClient,
        RealReason::CodeReplayed => Reason::Replayed,
        RealReason::CodeRedeemed => Reason::Redeemed,
        RealReason::CodeBurned => Reason::Burned,
        RealReason::StoreUnavailable | RealReason::StoreTimedOut => Reason::Unavailable,
        RealReason::StoreContractBroken => Reason::ContractBroken,
        other => panic!("the model has no {other:?}"),
    }
}

//! The clients: honest ones, and others.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fixture_host::StoreUrl;
use pkce_core::store::{Attempt, ChallengeStore, CodeDigest, Redemption, Ticket};
use pkce_core::{AuthorizationCode, CodeVerifier, Pkce, Policy, Timestamp};
use pkce_tests::{Connection, Result};
use playground::{CALLBACK, CLIENT, Wire};
use serde::Serialize;
use tokio::time::sleep;

use crate::chance::Chance;
use crate::code::{Code, http_request};
use crate::tally::Tally;

/// How long a client asks again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many served codes are kept, to be presented again.
const KEPT: usize = 2000;

/// All clients, and the authorization endpoint that binds their codes.
pub(crate) struct Clients {
    pkce: Pkce,
    store: Arc<dyn ChallengeStore>,
    wires: Vec<Wire>,
    /// Connections that may be used again, by server.
    idle: Vec<Mutex<Vec<Connection>>>,
    /// How many codes are still to be bound.
    left: AtomicU64,
    served: Mutex<VecDeque<Code>>,
    tally: Mutex<Tally>,
}

/// What the example servers bind with a code.
#[derive(Serialize)]
struct Grant<'a> {
    id: &'a str,
    client_id: &'a str,
    subject: &'a str,
    scope: Option<&'a str>,
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Tokens,
    Rejected,
    /// 503, or no response.
    Unclear,
}

/// What became of a client that asked until it knew.
#[derive(Clone, Copy)]
struct Asked {
    outcome: Outcome,
    had_a_fault: bool,
}

impl Clients {
    pub(crate) async fn new(store: &str, wires: Vec<Wire>, codes: u64) -> Result<Self> {
        let store = store.parse::<StoreUrl>()?.open().await?;
        let policy = Policy::new().code_lifetime(Duration::from_mins(10));
        Ok(Self {
            pkce: Pkce::builder(Arc::clone(&store)).policy(policy).build(),
            store,
            idle: wires.iter().map(|_| Mutex::default()).collect(),
            wires,
            left: AtomicU64::new(codes),
            served: Mutex::default(),
            tally: Mutex::default(),
        })
    }

    pub(crate) fn tally(&self) -> Tally {
        *self.tally.lock().unwrap()
    }

    fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.tally.lock().unwrap());
    }

    /// Plays one code after the other until none is left.
    pub(crate) async fn work(&self, seed: u64) {
        let mut chance = Chance::new(seed);
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            let code = self.bind().await;
            let tokens = self.play(&code, &mut chance).await;
            self.count(|tally| {
                tally.codes += 1;
                tally.served += u64::from(tokens > 0);
                tally.twice += u64::from(tokens > 1);
            });
            if tokens > 0 {
                let mut served = self.served.lock().unwrap();
                served.push_back(code);
                if served.len() > KEPT {
                    served.pop_front();
                }
            }
            if chance.below(10) == 0 {
                self.replay(&mut chance).await;
            }
        }
    }

    /// Binds a new code. One that could not be bound never leaves.
    async fn bind(&self) -> Code {
        loop {
            let (Ok(code), Ok(verifier)) = (AuthorizationCode::generate(), CodeVerifier::generate()) else { continue };
            let code = code.as_str().to_owned();
            let grant = Grant { id: &code, client_id: CLIENT, subject: "alice", scope: None };
            let bind = self.pkce.bind(&code, verifier.challenge()).grant(&grant);
            if bind.client_id(CLIENT).redirect_uri(CALLBACK).await.is_ok() {
                return Code { code, verifier: verifier.as_str().to_owned() };
            }
            self.count(|tally| tally.unbound += 1);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that happens to a code. Returns how often it gave tokens.
    async fn play(&self, code: &Code, chance: &mut Chance) -> u64 {
        match chance.below(100) {
            // The client alone.
            0..55 => u64::from(self.alone(code, chance).await),
            // Others try before and meanwhile.
            55..75 => {
                let server = self.any(chance);
                self.hostile(code, server, chance.below(3)).await;
                let (first, second) = (self.any(chance), self.any(chance));
                let others = (chance.below(3), chance.below(3));
                let (is_served, (), ()) = tokio::join!(
                    self.alone(code, chance),
                    self.hostile(code, first, others.0),
                    self.hostile(code, second, others.1)
                );
                u64::from(is_served)
            }
            // The host refuses the client's first request, and the client asks again.
            75..85 => {
                let body = code.request(CLIENT, Some(&code.verifier)) + "&scope=a&scope=b";
                self.ask(self.any(chance), &body).await;
                let asked = self.until_known(code, self.any(chance)).await;
                self.count(|tally| match asked.outcome {
                    Outcome::Tokens => tally.refused_then_served += 1,
                    Outcome::Rejected => tally.refused_then_rejected += 1,
                    Outcome::Unclear => {}
                });
                u64::from(asked.outcome == Outcome::Tokens)
            }
            // Three requests with the right verifier at once.
            85..95 => {
                let servers = [self.any(chance), self.any(chance), self.any(chance)];
                let asked = tokio::join!(
                    self.until_known(code, servers[0]),
                    self.until_known(code, servers[1]),
                    self.until_known(code, servers[2])
                );
                let all = [asked.0, asked.1, asked.2];
                all.into_iter().map(|asked| u64::from(asked.outcome == Outcome::Tokens)).sum()
            }
            // The client hangs up, and asks again. Whatever the first request got, nobody has seen it.
            _ => {
                let server = self.any(chance);
                let body = http_request(&code.request(CLIENT, Some(&code.verifier)));
                if let Some(wire) = self.wires.get(server)
                    && let Ok(mut connection) = Connection::open(*wire).await
                {
                    let _ = connection.send(body.as_bytes()).await;
                    sleep(Duration::from_micros(chance.below(3000))).await;
                    self.count(|tally| tally.requests += 1);
                    drop(connection);
                }
                u64::from(self.until_known(code, server).await.outcome == Outcome::Tokens)
            }
        }
    }

    /// The client that nobody competes with. Returns whether it was served.
    async fn alone(&self, code: &Code, chance: &mut Chance) -> bool {
        let asked = self.until_known(code, self.any(chance)).await;
        let mut is_lost = asked.outcome == Outcome::Rejected && self.is_lost(code).await;
        if asked.outcome == Outcome::Rejected && !is_lost && !asked.had_a_fault {
            // A master that was replaced has the code until it learns that it is a replica, and may be whom this program asks.
            sleep(PATIENCE).await;
            is_lost = self.is_lost(code).await;
        }
        self.count(|tally| match asked.outcome {
            Outcome::Tokens => tally.honest_served += 1,
            Outcome::Rejected if is_lost => tally.honest_lost += 1,
            Outcome::Rejected if asked.had_a_fault => tally.honest_rejected_after_a_fault += 1,
            Outcome::Rejected => tally.honest_rejected += 1,
            Outcome::Unclear => {}
        });
        asked.outcome == Outcome::Tokens
    }

    /// Returns whether the store has no record of this code, which has not expired. An attempt without a proof changes nothing.
    async fn is_lost(&self, code: &Code) -> bool {
        loop {
            let Ok(ticket) = Ticket::generate() else { continue };
            let attempt = Attempt::new(None, ticket, Timestamp::now());
            match self.store.redeem(&CodeDigest::of(code.code.as_bytes()), &attempt).await {
                Ok(found) => return found == Redemption::Unknown,
                Err(_) => sleep(Duration::from_millis(30)).await,
            }
        }
    }

    /// Asks one server after the other until the response is a final one.
    async fn until_known(&self, code: &Code, mut server: usize) -> Asked {
        let (began, body) = (Instant::now(), code.request(CLIENT, Some(&code.verifier)));
        let mut had_a_fault = false;
        loop {
            let outcome = self.ask(server, &body).await;
            if outcome != Outcome::Unclear {
                return Asked { outcome, had_a_fault };
            }
            had_a_fault = true;
            if began.elapsed() > PATIENCE {
                self.count(|tally| tally.gave_up += 1);
                return Asked { outcome, had_a_fault };
            }
            server = (server + 1) % self.wires.len();
            sleep(Duration::from_millis(30)).await;
        }
    }

    /// Without the verifier, with a wrong one, or with the right one as another client.
    async fn hostile(&self, code: &Code, server: usize, manner: u64) {
        let body = match manner {
            0 => code.request(CLIENT, None),
            1 => code.request(CLIENT, Some("a-guess-a-guess-a-guess-a-guess-a-guess-a-guess")),
            _ => code.request("another", Some(&code.verifier)),
        };
        let is_served = self.ask(server, &body).await == Outcome::Tokens;
        self.count(|tally| {
            tally.hostile += 1;
            tally.hostile_served += u64::from(is_served);
        });
    }

    /// Presents a code again that was served some time ago. Tokens now are tokens twice.
    async fn replay(&self, chance: &mut Chance) {
        let old = {
            let served = self.served.lock().unwrap();
            let nth = chance.below(served.len().max(1) as u64);
            usize::try_from(nth).ok().and_then(|nth| served.get(nth).cloned())
        };
        let Some(old) = old else { return };
        let outcome = self.ask(self.any(chance), &old.request(CLIENT, Some(&old.verifier))).await;
        self.count(|tally| {
            tally.replays += 1;
            tally.twice += u64::from(outcome == Outcome::Tokens);
        });
    }

    fn any(&self, chance: &mut Chance) -> usize {
        usize::try_from(chance.below(self.wires.len() as u64)).unwrap_or_default()
    }

    async fn ask(&self, server: usize, body: &str) -> Outcome {
        let outcome = match self.exchange(server, body).await {
            Ok(200) => Outcome::Tokens,
            Ok(503) => {
                self.count(|tally| tally.unavailable += 1);
                Outcome::Unclear
            }
            Ok(400) => Outcome::Rejected,
            Ok(status) => {
                eprintln!("an unexpected status: {status}");
                Outcome::Unclear
            }
            Err(_) => {
                self.count(|tally| tally.broken += 1);
                Outcome::Unclear
            }
        };
        self.count(|tally| tally.requests += 1);
        outcome
    }

    async fn exchange(&self, server: usize, body: &str) -> io::Result<u16> {
        let (Some(wire), Some(idle)) = (self.wires.get(server), self.idle.get(server)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let kept = idle.lock().unwrap().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(*wire).await?,
        };
        connection.send(http_request(body).as_bytes()).await?;
        let answer = connection.answer("POST").await?;
        if !answer.is_last {
            idle.lock().unwrap().push(connection);
        }
        Ok(answer.status)
    }
}

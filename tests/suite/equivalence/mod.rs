//! Thousands of odd requests, the same ones to both servers: what they answer differs in nothing that is theirs to say.

mod odd;
mod random;

use pkce_core::{CodeVerifier, MemoryStore, Pkce, Policy};
use pkce_tests::{Adapter, Answer, Connection, Result, Server};
use serde_json::{Value, json};

use odd::Odd;
use random::Random;

const SEED: u64 = 0x7636;
const TOKEN_REQUESTS: usize = 2500;
const AUTHORIZATION_REQUESTS: usize = 1500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_servers_answer_odd_token_requests_alike() -> Result<()> {
    for (nth, policy) in
        [Policy::new(), Policy::new().accept_json().allow_plain().allow_missing_challenge()].into_iter().enumerate()
    {
        let mut random = Random::new(SEED + nth as u64);
        let mut pair = Pair::start(&policy);
        let mut statuses = std::collections::BTreeMap::new();
        for _ in 0..TOKEN_REQUESTS / 2 {
            let (code, verifier) = pair.bind(&mut random).await?;
            let odd = odd::token_request(&mut random, &code, &verifier);
            *statuses.entry(pair.alike(&odd, SEED).await?).or_insert(0) += 1;
        }
        // Otherwise the requests were not odd enough, or too odd.
        for status in [200, 204, 400, 401, 405, 413] {
            assert!(statuses.get(&status).is_some_and(|times| *times >= 5), "{status} is too rare: {statuses:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_servers_answer_odd_authorization_requests_alike() -> Result<()> {
    for (nth, policy) in [Policy::new(), Policy::new().allow_plain().allow_missing_challenge()].into_iter().enumerate()
    {
        let mut random = Random::new(SEED + 100 + nth as u64);
        let mut pair = Pair::start(&policy);
        let mut statuses = std::collections::BTreeMap::new();
        for _ in 0..AUTHORIZATION_REQUESTS / 2 {
            let odd = odd::authorization_request(&mut random);
            *statuses.entry(pair.alike(&odd, SEED).await?).or_insert(0) += 1;
        }
        for status in [200, 303, 400, 405] {
            assert!(statuses.get(&status).is_some_and(|times| *times >= 5), "{status} is too rare: {statuses:?}");
        }
    }
    Ok(())
}

/// Both servers, with the same codes in a store of their own each.
struct Pair {
    servers: [(Server, Pkce); 2],
    connections: [Option<Connection>; 2],
    codes: usize,
}

impl Pair {
    fn start(policy: &Policy) -> Self {
        let start = |adapter| Server::with(adapter, MemoryStore::new(), policy.clone());
        Self { servers: [start(Adapter::Axum), start(Adapter::Actix)], connections: [None, None], codes: 0 }
    }

    /// A new code, and now and then an old one, which may be redeemed.
    async fn bind(&mut self, random: &mut Random) -> Result<(String, CodeVerifier)> {
        if random.one_in(8) && self.codes > 0 {
            return Ok((format!("code-{}", self.codes), known_verifier(self.codes)?));
        }
        self.codes += 1;
        let (code, verifier) = (format!("code-{}", self.codes), known_verifier(self.codes)?);
        let grant = json!({
            "id": code, "client_id": "spa", "redirect_uri": playground::CALLBACK, "subject": "alice", "scope": "a b",
        });
        for (_, pkce) in &self.servers {
            pkce.bind(&code, verifier.challenge()).grant(&grant).await?;
        }
        Ok((code, verifier))
    }

    async fn alike(&mut self, odd: &Odd, seed: u64) -> Result<u16> {
        let [(axum, _), (actix, _)] = &self.servers;
        let [axum_connection, actix_connection] = &mut self.connections;
        let (axum, actix) = tokio::join!(ask(axum, axum_connection, odd), ask(actix, actix_connection, odd));
        let told = |error| format!("seed {seed:#x}: {error}\n{odd}");
        let (axum, actix) = (axum.map_err(told)?, actix.map_err(told)?);
        assert_eq!(
            comparable(&axum),
            comparable(&actix),
            "seed {seed:#x}: axum on the left, Actix on the right\n{odd}"
        );
        Ok(axum.status)
    }
}

fn known_verifier(nth: usize) -> Result<CodeVerifier> {
    Ok(format!("verifier-{nth:-<40}").parse()?)
}

async fn ask(server: &Server, kept: &mut Option<Connection>, odd: &Odd) -> std::io::Result<Answer> {
    let reused = match kept.take() {
        Some(open) if !odd.wants_a_connection_of_its_own => exchange(open, odd).await.ok(),
        _ => None,
    };
    // A server may hang up between two requests without a word; every client tries again.
    let (open, answer) = match reused {
        Some(exchanged) => exchanged,
        None => exchange(Connection::open(server.wire).await?, odd).await?,
    };
    if !answer.is_last && !odd.wants_a_connection_of_its_own {
        *kept = Some(open);
    }
    Ok(answer)
}

async fn exchange(mut open: Connection, odd: &Odd) -> std::io::Result<(Connection, Answer)> {
    open.send(&odd.octets).await?;
    let answer = open.answer(odd.method).await?;
    Ok((open, answer))
}

/// What is to be the same: all but the date, the order of the headers, and what concerns the connection. Names that the
/// servers draw at random are left out.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "connection" | "keep-alive" | "transfer-encoding"))
        .cloned()
        .collect();
    headers.sort();
    let mut body = answer.text();
    if let Some((before, rest)) = body.split_once("name=\"transaction\" value=\"") {
        body = format!("{before}{}", rest.get(43..).unwrap_or_default());
    }
    if let Ok(Value::Object(mut members)) = serde_json::from_str(&body) {
        for drawn in ["access_token", "refresh_token"] {
            if let Some(token) = members.get_mut(drawn) {
                *token = json!(token.as_str().map(str::len));
                body = json!(members).to_string();
            }
        }
    }
    (answer.status, headers, body)
}

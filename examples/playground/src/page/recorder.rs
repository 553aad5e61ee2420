//! What the authorization server got and what it said.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::page::operator_log::Log;

/// How many exchanges are kept; beyond that the oldest give way.
const KEPT: usize = 200;
/// The longest body, in octets: above what the server under it accepts.
const LONGEST: usize = 64 * 1024;
/// How much of a body is shown, in characters.
const SHOWN: usize = 2048;

/// The last exchanges.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Default)]
struct Recorded {
    exchanges: VecDeque<Exchange>,
    next: u64,
}

struct Exchange {
    number: u64,
    request: Value,
    answer: Value,
    log: Log,
}

impl Recorder {
    /// All, the oldest first.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.lock().exchanges.iter().map(Exchange::shown).collect()
    }

    /// Those in which this value stands, the oldest first, each after its preflight. None for a value that is too short
    /// to be a secret.
    pub(crate) fn with(&self, value: &str) -> Vec<Value> {
        let (mut found, mut before) = (Vec::new(), None);
        for shown in self.all() {
            if value.len() >= 20 && shown.to_string().contains(value) {
                found.extend(before.take().filter(|before| is_preflight(before, &shown)));
                found.push(shown);
            } else {
                before = Some(shown);
            }
        }
        found
    }

    fn open(&self, request: Value, log: Log) -> u64 {
        let mut recorded = self.lock();
        let number = recorded.next;
        recorded.next += 1;
        if recorded.exchanges.len() == KEPT {
            recorded.exchanges.pop_front();
        }
        recorded.exchanges.push_back(Exchange { number, request, answer: Value::Null, log });
        number
    }

    fn close(&self, number: u64, answer: Value) {
        let mut recorded = self.lock();
        if let Some(exchange) = recorded.exchanges.iter_mut().find(|exchange| exchange.number == number) {
            exchange.answer = answer;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    fn shown(&self) -> Value {
        json!({ "request": self.request, "answer": self.answer, "log": self.log.lines() })
    }
}

/// Whether the browser asked with this whether it may send that.
fn is_preflight(before: &Value, shown: &Value) -> bool {
    let target = |exchange: &Value| exchange.pointer("/request/target").cloned();
    before.pointer("/request/method") == Some(&Value::from("OPTIONS")) && target(before) == target(shown)
}

/// The middleware: keeps what goes in and what comes out, and changes neither.
pub(crate) async fn record(State(recorder): State<Recorder>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let log = Log::default();
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let seen = json!({
        "method": parts.method.as_str(), "target": target, "headers": headers(&parts.headers), "body": text(&body),
        "length": body.len(),
    });
    let number = recorder.open(seen, log.clone());

    let response = log.listen(next.run(Request::from_parts(parts, Body::from(body)))).await;
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_GATEWAY.into_response() };
    // The library would add it behind us.
    if !body.is_empty() && !parts.headers.contains_key(CONTENT_LENGTH) {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    let said = json!({
        "status": parts.status.as_u16(), "phrase": parts.status.canonical_reason(), "headers": headers(&parts.headers),
        "body": text(&body), "length": body.len(),
    });
    recorder.close(number, said);
    Response::from_parts(parts, Body::from(body))
}

fn headers(headers: &HeaderMap) -> Vec<(&str, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).chars().take(SHOWN).collect()
}

//! A record in Redis, against a reader of its own, through `RedisStore` and a connection that replies with the bytes.
//!
//! The input: one byte that says what the script replied, and the record.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use pkce_core::Timestamp;
use pkce_core::store::{Attempt, ChallengeStore as _, CodeDigest, Inserted, Proof, Redemption, Ticket};
use pkce_redis::RedisStore;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, Pipeline, RedisFuture, Value};

/// Replies to every command with this value, and keeps what a `SET` wrote.
#[derive(Clone)]
struct Echo(Arc<Mutex<(Value, Vec<u8>)>>);

impl ConnectionLike for Echo {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let arguments: Vec<_> = command.args_iter().collect();
        if let [Arg::Simple(b"SET"), _, Arg::Simple(record), ..] = arguments[..] {
            state.1 = record.to_vec();
        }
        let reply = state.0.clone();
        async { Ok(reply) }.boxed()
    }

    fn req_packed_commands<'a>(&'a mut self, _: &'a Pipeline, _: usize, _: usize) -> RedisFuture<'a, Vec<Value>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn get_db(&self) -> i64 {
        0
    }
}

thread_local! {
    // Each thread has its own: a test harness runs several.
    static ECHO: (Echo, RedisStore<Echo>) = {
        let echo = Echo(Arc::new(Mutex::new((Value::Nil, Vec::new()))));
        (echo.clone(), RedisStore::new(echo))
    };
}

const NOW: u64 = 1_767_225_600_500;

pub(crate) fn check(bytes: &[u8]) {
    compare(bytes, <[u8]>::to_vec);
}

/// Reads capitals as small letters.
pub(crate) fn planted(bytes: &[u8]) {
    compare(bytes, |record| {
        let mut folded = record.to_vec();
        if let Some(ticket) = folded.get_mut(95..127) {
            ticket.make_ascii_lowercase();
        }
        folded
    });
}

fn compare(bytes: &[u8], seen: impl Fn(&[u8]) -> Vec<u8>) {
    let Some((marked, record)) = bytes.split_first() else { return };
    let (echo, store) = ECHO.with(Clone::clone);
    let reply = |value| echo.0.lock().unwrap_or_else(PoisonError::into_inner).0 = value;
    reply(match marked {
        b'0' | b'1' => Value::Array(vec![Value::Int(i64::from(marked - b'0')), Value::BulkString(seen(record))]),
        b'n' => Value::Nil,
        b'i' => Value::Int(-1),
        _ => Value::BulkString(record.to_vec()),
    });
    let attempt = Attempt::new(
        Some(Proof::from_bytes([0xfb; 32])),
        Ticket::from_bytes([7; 16]),
        Timestamp::from_epoch_millis(NOW),
    );
    let code = CodeDigest::from_bytes([1; 32]);
    let Some(redeemed) = store.redeem(&code, &attempt).now_or_never() else { panic!("nothing waits") };
    let (redemption, binding) = match &redeemed {
        Ok(Redemption::Unknown) => return assert_eq!(*marked, b'n'),
        Ok(found @ (Redemption::First(binding) | Redemption::Refused(binding) | Redemption::Again { binding, .. })) => {
            (found, binding)
        }
        Err(_) => return,
    };
    assert!(matches!(marked, b'0' | b'1'));

    // Another reader: fields between blanks.
    let Some((header, grant)) = record.split_at_checked(149) else { panic!("a short record") };
    let Ok(header) = std::str::from_utf8(header) else { panic!("the header is text") };
    let fields: Vec<&str> = header.strip_suffix('\n').unwrap_or_default().split_ascii_whitespace().collect();
    let [magic, method, proof, issued_at, life, length, ticket, at] = fields[..] else {
        panic!("{} fields", fields.len())
    };
    assert_eq!(magic, "pkce1");
    assert_eq!(method, binding.method_str());
    let bound = URL_SAFE_NO_PAD.decode(proof).ok();
    assert_eq!(binding.proof().map(|proof| proof.as_bytes().to_vec()), bound.filter(|_| method != "none"));
    assert_eq!(issued_at.parse(), Ok(binding.issued_at().as_epoch_millis()));
    assert_eq!(life.parse(), Ok(binding.lifetime().as_millis()));
    match binding.grant() {
        Some(kept) => assert_eq!((length.parse(), &**kept), (Ok(grant.len()), grant)),
        None => assert_eq!((length, grant), ("----------", &b""[..])),
    }
    // The script replies with the record as it was before.
    let hexadecimal = |ticket: Ticket| format!("{:032x}", u128::from_be_bytes(*ticket.as_bytes()));
    let unmarked = ticket.bytes().chain(at.bytes()).all(|byte| byte == b'-');
    let is_presented = binding.proof() == attempt.proof();
    match *redemption {
        Redemption::First(_) if unmarked => assert!(is_presented),
        Redemption::First(_) => assert_eq!(ticket, hexadecimal(attempt.ticket())),
        Redemption::Again { ticket: found, at: time, .. } => {
            assert_eq!((ticket, at.parse()), (&*hexadecimal(found), Ok(time.as_epoch_millis())));
        }
        _ => assert!(unmarked && !is_presented),
    }

    // What is read is what would be written, but for the mark.
    reply(Value::Okay);
    let inserted = store.insert(&code, binding).now_or_never();
    assert!(matches!(inserted, Some(Ok(Inserted::Recorded))));
    let written = echo.0.lock().unwrap_or_else(PoisonError::into_inner).1.clone();
    assert_eq!(written.get(..95), record.get(..95));
    assert_eq!(written.get(149..), record.get(149..));
}

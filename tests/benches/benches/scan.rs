//! The scan of a token request, beside reading its body into a struct of strings.
#![expect(clippy::unwrap_used, reason = "the request is known to be right")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use pkce_benches::paired::{batch, ratio};
use pkce_benches::report::{self, Target};
use pkce_benches::requests::{TokenForm, body, code};
use pkce_core::adapter::token::{self, TokenRequest};
use pkce_core::adapter::{Body, Request};
use pkce_core::{Policy, Reason};

/// From the facts that an adapter hands over to a code and a verifier.
fn scan<'a>(body: &'a [u8], policy: &Policy) -> Result<TokenRequest<'a>, Reason> {
    let request = Request::new("POST", Body::Complete(body));
    token::read(&request.header("content-type", b"application/x-www-form-urlencoded"), policy)
}

fn deserialise(body: &[u8]) -> TokenForm {
    serde_urlencoded::from_bytes(body).unwrap()
}

fn criteria(criterion: &mut Criterion) {
    let (body, policy) = (body(&code(1)), Policy::new());
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("token::read", |bencher| bencher.iter(|| scan(black_box(body.as_bytes()), &policy)));
    group.bench_function("serde_urlencoded", |bencher| bencher.iter(|| deserialise(black_box(body.as_bytes()))));
    group.finish();
}

fn targets() {
    let (body, policy) = (body(&code(1)), Policy::new());
    assert!(matches!(scan(body.as_bytes(), &policy), Ok(TokenRequest::CodeGrant(_))));
    let ours = || batch(1_000, || scan(black_box(body.as_bytes()), &policy));
    let theirs = || batch(1_000, || deserialise(black_box(body.as_bytes())));
    report::target("scan of a token request / serde_urlencoded", ratio(1_001, ours, theirs), Target::AtMost(0.2));
}

criterion_group!(benches, criteria);

fn main() {
    benches();
    if report::is_measuring() {
        targets();
    }
    Criterion::default().configure_from_args().final_summary();
}

//! Every response to a request for the metadata is an event, by both adapters.
//!
//! A program of its own, in which every thread has a subscriber, as `pkce-core/tests/events.rs` is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServiceResponse;
use actix_web::error::ErrorServiceUnavailable;
use actix_web::test::{TestRequest, call_service, init_service, try_call_service};
use actix_web::{App, web};
use axum::body::Body;
use axum::http::{Request, Response};
use pkce_actix::Metadata;
use pkce_core::{MemoryStore, Pkce};
use pkce_tests::{Adapter, actix_documents, axum_documents};
use pkce_tower::MetadataLayer;
use tokio::runtime::Builder;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// What the host is asked for, and the events.
const EVENTS: [(&str, &[&str]); 12] = [
    ("text", &["DEBUG advertised"]),
    ("", &["WARN signed", "DEBUG advertised"]),
    ("stream", &["WARN signed", "DEBUG advertised"]),
    ("missing", &["WARN untouched: its status is not 200"]),
    ("moved", &["WARN untouched: its status is not 200"]),
    ("gzip", &["WARN untouched: it has a content encoding"]),
    ("html", &["WARN untouched: it is not a JSON object"]),
    ("array", &["WARN untouched: it is not a JSON object"]),
    ("malformed", &["WARN untouched: it is not a JSON object"]),
    ("large", &["WARN untouched: it is larger than 1 MiB"]),
    ("flood", &["ERROR failed: it is larger than 1 MiB"]),
    ("break", &["ERROR failed: its body broke off"]),
];

#[test]
fn every_response_for_the_metadata_is_an_event_on_axum() {
    every_response_is_an_event(Adapter::Axum);
}

#[test]
fn every_response_for_the_metadata_is_an_event_on_actix() {
    every_response_is_an_event(Adapter::Actix);
}

fn every_response_is_an_event(adapter: Adapter) {
    for method in ["GET", "HEAD", "POST"] {
        for (asked, expected) in EVENTS {
            let expected = if method == "POST" { &[] } else { expected };
            assert_eq!(
                events(respond(adapter, method, &format!("/metadata?do={asked}"))),
                expected,
                "{method} {asked}"
            );
        }
    }
}

async fn respond(adapter: Adapter, method: &str, target: &str) {
    match adapter {
        Adapter::Axum => {
            let request = Request::builder().method(method).uri(target).body(Body::empty()).unwrap();
            let Ok(response) = axum_documents(pkce()).oneshot(request).await;
            _ = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        }
        Adapter::Actix => {
            let app = init_service(App::new().service(actix_documents(pkce()))).await;
            let request = TestRequest::with_uri(target).method(method.parse().unwrap());
            let response = call_service(&app, request.to_request()).await;
            _ = actix_web::body::to_bytes(response.into_body()).await;
        }
    }
}

#[test]
fn a_host_that_fails_without_a_response_is_an_event() {
    let failed = ["ERROR failed: the host failed"];
    let on_tower = async {
        let host = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>("down"));
        assert!(MetadataLayer::new(pkce()).layer(host).oneshot(Request::new(Body::empty())).await.is_err());
    };
    assert_eq!(events(on_tower), failed);
    let on_actix = async {
        let host = web::resource("/").wrap_fn(|_, _| ready(Err::<ServiceResponse, _>(ErrorServiceUnavailable("down"))));
        let app = init_service(App::new().service(host.wrap(Metadata::new(pkce())))).await;
        assert!(try_call_service(&app, TestRequest::get().to_request()).await.is_err());
    };
    assert_eq!(events(on_actix), failed);
}

fn pkce() -> Pkce {
    Pkce::new(MemoryStore::new())
}

/// The events of the metadata while this is done, each as "LEVEL outcome: why".
fn events(work: impl Future<Output = ()>) -> Vec<String> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || Log(Arc::clone(&writer)))
        .finish();
    let runtime = Builder::new_current_thread().build().unwrap();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let of_metadata = log.lines().filter_map(|line| {
        let (level, fields) = line.split_once(" pkce: endpoint=\"metadata\" outcome=\"")?;
        Some(format!("{} {}", level.trim(), fields.replace("\" why=\"", ": ").trim_end_matches(['"', ' '])))
    });
    of_metadata.collect()
}

struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

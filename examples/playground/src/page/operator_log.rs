//! What the operator reads in the log, for one request.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

tokio::task_local! {
    /// The log of the request that this task answers.
    static LOG: Log;
}

/// The events of one request, as a `tracing` subscriber prints them.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Value>>>);

impl Log {
    /// Listens while a request is answered.
    pub(crate) async fn listen<F: Future>(self, answering: F) -> F::Output {
        LOG.scope(self, answering).await
    }

    /// What was heard until now.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, line: Value) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// Hears the events with the target `pkce`.
pub(crate) struct OperatorLog;

impl<S: Subscriber> Layer<S> for OperatorLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        if about.target() != "pkce" {
            return;
        }
        let mut fields = Fields { line: format!("{} pkce:", about.level()), reason: None };
        event.record(&mut fields);
        // An event of no request is nobody's.
        let _ = LOG.try_with(|log| log.add(json!({ "line": fields.line, "reason": fields.reason })));
    }
}

struct Fields {
    line: String,
    reason: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "reason" {
            self.reason = Some(value.to_owned());
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.line, " {}={value:?}", field.name());
    }
}

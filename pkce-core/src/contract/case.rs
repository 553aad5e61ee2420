//! A case of the suite, and how it is run: a store that panics or hangs fails this case and no other.

use std::any::Any;
use std::pin::Pin;

use tokio::task::JoinError;
use tokio::time::timeout;

use super::probe::Probe;
use super::report::{Finding, Outcome};

/// The result of a step: its value, or the outcome of the case that ends here.
pub(super) type Step<T = ()> = Result<T, Outcome>;

pub(super) type Run = fn(Probe) -> Pin<Box<dyn Future<Output = Step> + Send>>;

/// A sentence that must be true of the store, and the steps that check it.
pub(super) struct Case {
    family: &'static str,
    name: &'static str,
    run: Run,
}

impl Case {
    pub(super) const fn new(family: &'static str, name: &'static str, run: Run) -> Self {
        Self { family, name, run }
    }

    pub(super) async fn find(&self, probe: Probe) -> Finding {
        let steps = (self.run)(probe.clone());
        Finding::new(self.family, self.name, Outcome::of(guarded(&probe, steps).await))
    }
}

/// Takes the steps. A panic or a hang of the store is an outcome.
pub(super) async fn guarded<T: Send + 'static>(
    probe: &Probe,
    steps: impl Future<Output = Step<T>> + Send + 'static,
) -> Step<T> {
    let patience = probe.settings().patience;
    let mut steps = tokio::spawn(steps);
    loop {
        // Not a limit for the whole case: a store that is slow and still answers is not wrong.
        let answers = probe.answers();
        match timeout(patience, &mut steps).await {
            Ok(Ok(step)) => return step,
            Ok(Err(broken)) => return Err(died(broken)),
            Err(_) if probe.answers() == answers => {
                steps.abort();
                return Err(Outcome::failed("an answer", format!("none within {patience:?}")));
            }
            Err(_) => {}
        }
    }
}

/// Returns the outcome of a case whose task ended without one.
pub(super) fn died(broken: JoinError) -> Outcome {
    match broken.try_into_panic() {
        Ok(panic) => Outcome::failed("an answer", format!("a panic: {}", message(&*panic))),
        Err(broken) => Outcome::inconclusive(&broken),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

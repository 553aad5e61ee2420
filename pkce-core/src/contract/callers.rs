//! Several callers who share the work of a case, so that a slow store can be asked thousands of times.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::case::{Step, died};

/// How many callers share the work.
const CALLERS: usize = 8;

/// Makes the calls for every item, and returns what they gave, in any order.
pub(super) async fn share<T, U, C>(items: Vec<T>, call: impl Fn(T) -> C + Clone + Send + 'static) -> Step<Vec<U>>
where
    T: Send + 'static,
    U: Send + 'static,
    C: Future<Output = Step<U>> + Send,
{
    let items = Arc::new(Mutex::new(items.into_iter()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (items, call) = (Arc::clone(&items), call.clone());
        callers.spawn(async move {
            let mut done = Vec::new();
            loop {
                let item = items.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(item) = item else { return Step::Ok(done) };
                done.push(call(item).await?);
            }
        });
    }
    let mut all = Vec::new();
    while let Some(done) = callers.join_next().await {
        all.extend(done.map_err(died)??);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::report::Outcome;

    #[tokio::test]
    async fn every_item_is_taken_once() {
        let mut seen = share((0..100).collect(), |item| async move { Ok(item) }).await.unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_first_failure_is_the_outcome() {
        let seen = share((0..100).collect(), |item| async move {
            if item == 50 { Err(Outcome::failed("less", "50")) } else { Ok(()) }
        });
        assert_eq!(seen.await, Err(Outcome::failed("less", "50")));
    }
}

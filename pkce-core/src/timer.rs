//! Something that can wait: the core has no runtime of its own.

use std::pin::Pin;
use std::time::Duration;

/// A boxed future, as a [`Timer`] or a [`ChallengeStore`](crate::ChallengeStore) gives out.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A runtime's timer. The adapters lend tokio's.
pub trait Timer: Send + Sync + 'static {
    /// Resolves once so much time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

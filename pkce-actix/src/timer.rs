//! tokio's timer, lent to the core for [`Policy::store_timeout`](crate::Policy::store_timeout).

use std::time::Duration;

use actix_web::rt::time;
use pkce_core::{BoxFuture, Timer};

/// tokio's timer, for a [`Pkce`](crate::Pkce) that no layer or extractor of this crate is given: they lend it themselves.
///
/// A call of the store that takes time needs a tokio runtime with its timer enabled then.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is its own only value")]
pub struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(time::sleep(duration))
    }
}

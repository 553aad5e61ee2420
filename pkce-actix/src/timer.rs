//! tokio's timer, lent to the core for [`Policy::store_timeout`](crate::Policy::store_timeout).

use std::time::Duration;

use actix_web::rt::time;
use pkce_core::{BoxFuture, Timer};

#[derive(Debug)]
pub(crate) struct TokioTimer;

impl Timer for TokioTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(time::sleep(duration))
    }
}

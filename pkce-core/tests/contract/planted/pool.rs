//! What a store shares among its callers: connections, and a queue.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Deliberately without a guard for the connections: whoever takes one must live to give it back.
pub(super) struct Pool {
    connections: AtomicUsize,
    numbers: AtomicUsize,
    served: AtomicUsize,
}

/// More than the suite drops calls one after the other, so that only very many find the end of them.
impl Default for Pool {
    fn default() -> Self {
        Self { connections: AtomicUsize::new(200), numbers: AtomicUsize::new(0), served: AtomicUsize::new(0) }
    }
}

impl Pool {
    pub(super) async fn take(&self) {
        let less = |connections: usize| connections.checked_sub(1);
        while self.connections.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err() {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn give_back(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn draw_a_number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }

    /// The next one is served when this is dropped.
    pub(super) fn serve(&self) -> impl Drop {
        Turn(self)
    }
}

struct Turn<'a>(&'a Pool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.served.fetch_add(1, Ordering::SeqCst);
    }
}

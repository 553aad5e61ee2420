//! Threads and futures in orders that `shuttle` chooses: at random, and by its PCT scheduler.

mod hang_up;
mod history;
mod memory_store;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many orders are tried by each of the two schedulers.
const ORDERS: usize = 1_000;
/// How many times a thread is overtaken at a place that matters.
const DEPTH: usize = 3;

/// Tries the test in many orders.
fn in_many_orders(test: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(test.clone(), ORDERS);
    shuttle::check_pct(test, ORDERS, DEPTH);
}

/// Whether the random scheduler and the PCT scheduler find an order in which the test fails.
fn is_caught(test: impl Fn() + Send + Sync + Clone + 'static) -> [bool; 2] {
    let fails = |run: &dyn Fn()| catch_unwind(AssertUnwindSafe(run)).is_err();
    let (random, pct) = (test.clone(), test);
    [
        fails(&|| shuttle::check_random(random.clone(), ORDERS)),
        fails(&|| shuttle::check_pct(pct.clone(), ORDERS, DEPTH)),
    ]
}

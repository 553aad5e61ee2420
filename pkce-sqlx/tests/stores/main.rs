//! The stores, on real databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]
#![expect(clippy::print_stdout, reason = "what was measured is told")]

mod changed;
mod clocks;
mod contract;
mod crash;
mod database;
mod documented;
mod dropped;
mod durability;
mod expired;
mod faults;
mod full;
mod operators;
mod pair;
mod pool;
mod sample;
mod secrets;
mod sql_mode;
mod statements;
mod switch_over;
mod table;
mod tampered;

//! The stores, on real databases.
#![expect(clippy::panic, reason = "a test that cannot go on fails")]

mod contract;
mod crash;
mod database;
mod documented;
mod durability;
mod expired;
mod faults;
mod full;
mod sample;
mod secrets;
mod statements;
mod table;
mod tampered;

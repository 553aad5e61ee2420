//! Real servers for tests: Redis alone, with Sentinel and as a Cluster, PostgreSQL, MariaDB, Prometheus, a proxy that breaks
//! connections, and a browser.
//!
//! Each listens on loopback at a free port, keeps throw-away data in a directory of its own, and is gone with its data
//! when it is dropped or when the process of the test ends, however it ends. None of them runs as root, but for Prometheus if
//! the test does: it lies in the folder of the build, which may be closed to everybody else.
//!
//! A test that cannot have its server says so on stderr and is skipped. With `PKCE_REQUIRE_SERVERS=1` it fails.
//!
//! All calls block.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot set up its servers fails")]
#![expect(clippy::missing_panics_doc, reason = "every call panics if the machine does not do what it asks")]

mod chrome_driver;
mod cluster;
mod home;
mod mariadb;
mod port;
mod postgres;
mod process;
mod program;
mod prometheus;
mod proxy;
mod redis;
mod sentinel;
mod server;

pub use chrome_driver::ChromeDriver;
pub use cluster::RedisCluster;
pub use mariadb::MariaDb;
pub use postgres::Postgres;
pub use program::{find, lacks, say};
pub use prometheus::Prometheus;
pub use proxy::Proxy;
pub use redis::{REDIS_SERVER, Redis};
pub use sentinel::{MASTER, Sentinel};

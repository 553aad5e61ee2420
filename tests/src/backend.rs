//! A real Redis or database under the example servers.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::{env, fs, process};

use pkce_test_servers::{MariaDb, Postgres, Redis, RedisCluster};

/// Which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A single Redis that writes every command to its log.
    Redis,
    /// Three masters and three replicas.
    RedisCluster,
    /// `PostgreSQL`.
    Postgres,
    /// `MariaDB`.
    MariaDb,
    /// A file.
    Sqlite,
}

/// One that runs; it goes when it is dropped.
#[derive(Debug)]
pub enum Backend {
    /// See [`Kind::Redis`].
    Redis(Redis),
    /// See [`Kind::RedisCluster`].
    RedisCluster(RedisCluster),
    /// See [`Kind::Postgres`].
    Postgres(Postgres),
    /// See [`Kind::MariaDb`].
    MariaDb(MariaDb),
    /// See [`Kind::Sqlite`].
    Sqlite(File),
}

/// A file that goes when it is dropped, with what `SQLite` keeps beside it.
#[derive(Debug)]
pub struct File(PathBuf);

impl Backend {
    /// Starts one; `None` if this machine cannot, which is said on stderr.
    pub fn start(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Redis => Self::Redis(Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"])?),
            Kind::RedisCluster => Self::RedisCluster(RedisCluster::start()?),
            Kind::Postgres => Self::Postgres(Postgres::start()?),
            Kind::MariaDb => Self::MariaDb(MariaDb::start()?),
            Kind::Sqlite => Self::Sqlite(File::new()),
        })
    }

    /// One that the tests of this process share, until the process ends; of `SQLite`, one of its own.
    pub fn shared(kind: Kind) -> Option<Arc<Self>> {
        static SHARED: [OnceLock<Option<Arc<Backend>>>; 4] = [const { OnceLock::new() }; 4];
        let start = || Self::start(kind).map(Arc::new);
        let shared = match kind {
            Kind::Redis => SHARED.first(),
            Kind::RedisCluster => SHARED.get(1),
            Kind::Postgres => SHARED.get(2),
            Kind::MariaDb => SHARED.get(3),
            Kind::Sqlite => None,
        };
        shared.map_or_else(start, |shared| shared.get_or_init(start).clone())
    }

    /// What `--store` is given.
    pub fn url(&self) -> String {
        match self {
            Self::Redis(redis) => redis.url(),
            Self::RedisCluster(cluster) => {
                let nodes: Vec<String> =
                    cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
                format!("redis+cluster://{}", nodes.join(","))
            }
            Self::Postgres(postgres) => postgres.url(),
            Self::MariaDb(mariadb) => mariadb.url(),
            Self::Sqlite(file) => format!("sqlite://{}", file.0.display()),
        }
    }

    /// The same by way of a proxy, where there is one server to stand before.
    pub fn url_at(&self, port: u16) -> String {
        match self {
            Self::Redis(_) => format!("redis://127.0.0.1:{port}"),
            Self::Postgres(postgres) => postgres.url_at(port),
            Self::MariaDb(mariadb) => mariadb.url_at(port),
            Self::RedisCluster(_) | Self::Sqlite(_) => unimplemented_for(self),
        }
    }

    /// Where it listens, if it is one server.
    pub fn port(&self) -> u16 {
        match self {
            Self::Redis(redis) => redis.port(),
            Self::Postgres(postgres) => postgres.port(),
            Self::MariaDb(mariadb) => mariadb.port(),
            Self::RedisCluster(_) | Self::Sqlite(_) => unimplemented_for(self),
        }
    }

    /// `SIGKILL`; of a cluster, to one of its masters.
    pub fn kill(&mut self) {
        match self {
            Self::Redis(redis) => redis.kill(),
            Self::RedisCluster(cluster) => {
                let victim = cluster.masters().first().copied().unwrap();
                cluster.node(victim).kill();
            }
            Self::Postgres(postgres) => postgres.kill(),
            Self::MariaDb(mariadb) => mariadb.kill(),
            Self::Sqlite(_) => unimplemented_for(self),
        }
    }

    /// Starts it again with what it had; a cluster goes on with the replica.
    pub fn restart(&mut self) {
        match self {
            Self::Redis(redis) => redis.restart(),
            Self::RedisCluster(cluster) => cluster.wait_until_whole(),
            Self::Postgres(postgres) => postgres.restart(),
            Self::MariaDb(mariadb) => mariadb.restart(),
            Self::Sqlite(_) => unimplemented_for(self),
        }
    }

    /// It accepts connections and answers nothing any more.
    pub fn pause(&self) {
        match self {
            Self::Redis(redis) => redis.pause(),
            Self::RedisCluster(cluster) => cluster.nodes().iter().for_each(Redis::pause),
            Self::Postgres(postgres) => postgres.pause(),
            Self::MariaDb(mariadb) => mariadb.pause(),
            Self::Sqlite(_) => unimplemented_for(self),
        }
    }

    /// It goes on.
    pub fn resume(&self) {
        match self {
            Self::Redis(redis) => redis.resume(),
            Self::RedisCluster(cluster) => cluster.nodes().iter().for_each(Redis::resume),
            Self::Postgres(postgres) => postgres.resume(),
            Self::MariaDb(mariadb) => mariadb.resume(),
            Self::Sqlite(_) => unimplemented_for(self),
        }
    }
}

fn unimplemented_for(backend: &Backend) -> ! {
    panic!("no test asks that of {backend:?}")
}

impl File {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pkce-sqlite-{}-{}.db", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(env::temp_dir().join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for beside in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(beside);
            let _ = fs::remove_file(path);
        }
    }
}

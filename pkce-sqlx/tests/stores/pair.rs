//! A primary, its replica, and an address that leads to the one or the other.

use std::time::Duration;

use pkce_core::store::CodeDigest;
use pkce_test_servers::{MariaDb, Postgres, Proxy};
use tokio::time::sleep;

use crate::database::Database;
use crate::pool::Pool;

pub(crate) struct Pair {
    /// At the address that moves, with a table.
    pub(crate) database: Database,
    address: Proxy,
    primary: Server,
    replica: Server,
}

enum Server {
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl Server {
    fn port(&self) -> u16 {
        match self {
            Self::Postgres(server) => server.port(),
            Self::MariaDb(server) => server.port(),
        }
    }

    /// A connection of the administrator's.
    async fn administrator(&self) -> Pool {
        let database = match self {
            Self::Postgres(server) => Database::at("PostgreSQL", server.url()),
            Self::MariaDb(server) => Database::at("MariaDB", server.url()),
        };
        database.pool_of(1).await
    }
}

impl Pair {
    /// `None` if it is not installed here.
    pub(crate) async fn postgres() -> Option<Self> {
        let primary = Postgres::start()?;
        let replica = primary.start_standby()?;
        let database = Database::at("PostgreSQL", primary.url());
        Some(Self::of(database, Server::Postgres(primary), Server::Postgres(replica)).await)
    }

    /// `None` if it is not installed here. With a user who is no administrator, because those may write to a replica.
    pub(crate) async fn mariadb() -> Option<Self> {
        let primary = MariaDb::start_with(&["--log-bin=binary", "--server-id=1"])?;
        let replica = MariaDb::start_with(&["--log-bin=binary", "--server-id=2"])?;
        let mut database = Database::at("MariaDB", primary.url());
        database.pool_of(1).await.send("CREATE USER clerk").await;
        database.address = database.address.replace("root@", "clerk@");
        let port = primary.port();
        let replica = Server::MariaDb(replica);
        let administrator = replica.administrator().await;
        administrator
            .send(&format!(
                "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'root',
                 MASTER_LOG_FILE = 'binary.000001', MASTER_LOG_POS = 4"
            ))
            .await;
        administrator.send("START SLAVE").await;
        Some(Self::of(database, Server::MariaDb(primary), replica).await)
    }

    async fn of(mut database: Database, primary: Server, replica: Server) -> Self {
        let address = database.by_proxy();
        database.store().await;
        Self { database, address, primary, replica }
    }

    /// Waits until the replica has the row of this code.
    pub(crate) async fn is_replicated(&self, code: &CodeDigest) {
        let (replica, table) = (self.replica.administrator().await, &self.database.table);
        let tables = format!("SELECT COUNT(*) FROM information_schema.tables WHERE table_name = '{table}'");
        let row = self.database.literal(code.as_bytes());
        let rows = format!("SELECT COUNT(*) FROM {table} WHERE code_digest = {row}");
        while replica.number(&tables).await == 0 || replica.number(&rows).await == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The primary accepts no writes any more, and its connections stay open.
    pub(crate) async fn demote(&self) {
        let primary = self.primary.administrator().await;
        match &self.primary {
            Server::Postgres(_) => {
                primary.send("ALTER SYSTEM SET default_transaction_read_only = on").await;
                primary.send("SELECT pg_reload_conf()").await;
            }
            Server::MariaDb(_) => drop(primary.send("SET GLOBAL read_only = 1").await),
        }
    }

    /// The primary is killed and started again as a replica.
    pub(crate) fn restart_demoted(&mut self) {
        match &mut self.primary {
            Server::Postgres(server) => server.restart_as_standby(),
            Server::MariaDb(server) => server.restart_read_only(),
        }
    }

    /// The replica becomes the primary, and the address leads to it.
    pub(crate) async fn promote(&self) {
        let replica = self.replica.administrator().await;
        match &self.replica {
            Server::Postgres(_) => drop(replica.send("SELECT pg_promote()").await),
            Server::MariaDb(_) => drop(replica.send("STOP SLAVE").await),
        }
        self.address.lead_to(self.replica.port());
    }

    /// How many connections the old primary has had since it was started.
    pub(crate) async fn connections_of_primary(&self) -> i64 {
        let primary = self.primary.administrator().await;
        match &self.primary {
            Server::Postgres(_) => {
                primary.number("SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'").await
            }
            Server::MariaDb(_) => {
                let connections = "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.GLOBAL_STATUS
                    WHERE VARIABLE_NAME = 'CONNECTIONS'";
                primary.number(connections).await
            }
        }
    }
}

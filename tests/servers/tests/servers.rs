//! The servers start, are killed, come back and go.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use pkce_test_servers::{MariaDb, Postgres, Proxy, Redis, RedisCluster};

#[test]
fn a_redis_comes_back_at_its_port_and_goes_when_dropped() {
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"]) else { return };
    assert_eq!(redis.ask(&["SET", "a", "b"]).unwrap(), "OK");
    let port = redis.port();
    redis.kill();
    assert!(redis.ask(&["PING"]).is_err());
    redis.restart();
    assert_eq!((redis.port(), redis.ask(&["GET", "a"]).unwrap().as_str()), (port, "b"));
    drop(redis);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_cluster_replaces_a_master_that_is_killed() {
    let Some(mut cluster) = RedisCluster::start() else { return };
    let victim = cluster.masters()[0];
    cluster.node(victim).kill();
    cluster.wait_until_whole();
    let masters = cluster.masters();
    assert!(masters.len() == 3 && !masters.contains(&victim));
}

#[test]
fn a_postgres_comes_back_at_its_port() {
    let Some(mut postgres) = Postgres::start() else { return };
    postgres.restart();
    assert!(TcpStream::connect(("127.0.0.1", postgres.port())).is_ok());
    assert!(postgres.log().contains("database system was not properly shut down"), "{}", postgres.log());
}

#[test]
fn a_mariadb_comes_back_at_its_port() {
    let Some(mut mariadb) = MariaDb::start_with(&["--general-log", "--general-log-file=general"]) else { return };
    mariadb.restart();
    assert!(TcpStream::connect(("127.0.0.1", mariadb.port())).is_ok());
    assert!(mariadb.file("general").contains("mariadbd"));
}

#[test]
fn a_proxy_forwards_hangs_loses_answers_and_cuts() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(redis.port());
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream
    };
    let mut stream = connect();
    assert_eq!(say(&mut stream, "INCR n"), ":1\r\n");
    proxy.hang();
    assert_eq!(say(&mut stream, "INCR n"), "");
    assert_eq!(say(&mut connect(), "PING"), "");
    proxy.resume();
    assert_eq!(say(&mut stream, "PING"), ":2\r\n+PONG\r\n");
    proxy.lose_answers();
    assert_eq!(say(&mut stream, "INCR n"), "");
    proxy.resume();
    assert_eq!(say(&mut connect(), "GET n"), "$1\r\n3\r\n");
    proxy.lose_an_answer();
    assert_eq!(say(&mut connect(), "INCR n"), "");
    assert_eq!(say(&mut connect(), "GET n"), "$1\r\n4\r\n");
    let mut stream = connect();
    assert_eq!(say(&mut stream, "PING"), "+PONG\r\n");
    proxy.cut();
    assert_eq!(say(&mut stream, "PING"), "");
}

#[test]
fn a_proxy_swallows_what_goes_to_a_server_that_vanished() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(redis.port());
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream
    };
    let mut stream = connect();
    assert_eq!(say(&mut stream, "INCR n"), ":1\r\n");
    proxy.vanish();
    assert_eq!(say(&mut stream, "INCR n"), "");
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(say(&mut connect(), "INCR n"), ":2\r\n");
}

/// What comes back until nothing has come for the time of the socket's read timeout. A signal, which ends a read that has a
/// timeout, does not end this.
fn say(stream: &mut TcpStream, command: &str) -> String {
    let _ = stream.write_all(format!("{command}\r\n").as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

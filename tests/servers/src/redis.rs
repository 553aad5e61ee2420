//! Redis.

use std::env;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

/// Names another server program than `redis-server`: another version of Redis, or Valkey.
pub const REDIS_SERVER: &str = "PKCE_REDIS_SERVER";

/// The arguments of the next start.
type Arguments = Arc<Mutex<Vec<String>>>;

/// A Redis of its own for a test. It writes nothing to the disk unless told to.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    arguments: Arguments,
}

impl Redis {
    /// Starts one; `None` if this machine has none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with further arguments, such as `["--maxmemory", "2mb"]`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Self::start_at(port::free, arguments)
    }

    /// The server program; `None` if this machine has none.
    pub fn program() -> Option<PathBuf> {
        env::var_os(REDIS_SERVER).map_or_else(|| program::find("redis-server"), |program| Some(program.into()))
    }

    /// Starts a node of a Cluster.
    pub(crate) fn start_node(arguments: &[&str]) -> Option<Self> {
        Self::start_at(port::free_for_a_node, arguments)
    }

    fn start_at(free_port: fn() -> u16, arguments: &[&str]) -> Option<Self> {
        let (program, home) = (Self::program()?, Home::new("redis"));
        // The folder of the build, where `tests/run` installs other servers, may be closed to the user that runs them.
        let own = home.join("server");
        fs::copy(program, &own).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let arguments = Arc::new(Mutex::new(arguments));
        let further = Arc::clone(&arguments);
        let command = move |home: &Home, port: u16| {
            let mut words = home.command(&own);
            words.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(str::to_owned));
            words.push(home.path().to_str().unwrap().to_owned());
            words.extend(["--port".to_owned(), port.to_string()]);
            words.extend(further.lock().unwrap().iter().cloned());
            words
        };
        // An error is an answer, too: that a password is missing, say.
        let is_ready = |port, _: &str| match ask(port, &["PING"]) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::Other && !error.to_string().starts_with("LOADING"),
        };
        let server = Server::start(home, free_port, command, is_ready);
        Some(Self { server, arguments })
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// Kills it by `SIGKILL`.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again at the same port with the data that it has written. Kills it first, if it runs.
    pub fn restart(&mut self) {
        self.server.restart();
    }

    /// Restarts it with further arguments, such as `["--replicaof", "127.0.0.1", "6379"]`.
    pub fn restart_with(&mut self, arguments: &[&str]) {
        self.arguments.lock().unwrap().extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self.restart();
    }

    /// Stops it: it accepts connections and answers nothing.
    pub fn pause(&self) {
        self.server.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.server.signal("CONT");
    }

    /// Sends one command and returns the reply, if that is a line or a string.
    ///
    /// # Errors
    ///
    /// If it cannot be asked, and, with its text, if it answers with an error.
    pub fn ask(&self, words: &[&str]) -> io::Result<String> {
        ask(self.port(), words)
    }
}

pub(crate) fn ask(port: u16, words: &[&str]) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        write!(request, "${}\r\n{word}\r\n", word.len())?;
    }
    stream.write_all(&request)?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("-", error)) => Err(io::Error::other(error.to_owned())),
        Some(("$", length)) => {
            let mut text = vec![0; length.parse().unwrap_or(0)];
            answer.read_exact(&mut text)?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Some((_, text)) => Ok(text.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

//! Redis.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

/// A Redis of one's own. It writes nothing to the disk unless told to.
#[derive(Debug)]
pub struct Redis(Server);

impl Redis {
    /// Starts one; `None` if this machine has none.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one with further arguments, such as `["--maxmemory", "2mb"]`.
    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        Self::start_at(port::free, arguments)
    }

    /// Starts a node of a Cluster.
    pub(crate) fn start_node(arguments: &[&str]) -> Option<Self> {
        Self::start_at(port::free_for_a_node, arguments)
    }

    fn start_at(free_port: fn() -> u16, arguments: &[&str]) -> Option<Self> {
        let program = program::find("redis-server")?;
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let command = move |home: &Home, port: u16| {
            let mut words = home.command(&program);
            words.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(str::to_owned));
            words.push(home.path().to_str().unwrap().to_owned());
            words.extend(["--port".to_owned(), port.to_string()]);
            words.extend(arguments.iter().cloned());
            words
        };
        let is_ready = |port, _: &str| ask(port, &["PING"]).is_ok_and(|said| said == "PONG");
        Some(Self(Server::start(Home::new("redis"), free_port, command, is_ready)))
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// `SIGKILL`.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Starts it again at the same port with the data that it had written; kills it before, if it runs.
    pub fn restart(&mut self) {
        self.0.restart();
    }

    /// It accepts connections and answers nothing any more.
    pub fn pause(&self) {
        self.0.signal("STOP");
    }

    /// It goes on.
    pub fn resume(&self) {
        self.0.signal("CONT");
    }

    /// Sends one command and gives the answer, if that is a line or a string.
    ///
    /// # Errors
    ///
    /// When it cannot be asked, and with the text of an error that it answers.
    pub fn ask(&self, words: &[&str]) -> io::Result<String> {
        ask(self.port(), words)
    }
}

fn ask(port: u16, words: &[&str]) -> io::Result<String> {
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

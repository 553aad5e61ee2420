//! Prometheus.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::home::Home;
use crate::port;
use crate::program;
use crate::server::Server;

/// A Prometheus of one's own.
#[derive(Debug)]
pub struct Prometheus(Server);

impl Prometheus {
    /// Starts one with this configuration and, in the same folder, these files, by their names; `None` if this machine
    /// has none.
    pub fn start(configuration: &str, files: &[(&str, &str)]) -> Option<Self> {
        let program = program::find("prometheus")?;
        let home = Home::new("prometheus");
        for (name, text) in files.iter().chain(&[("prometheus.yml", configuration)]) {
            fs::write(home.join(name), text).unwrap();
        }
        let command = move |home: &Home, port: u16| {
            let file = |name: &str| home.join(name).to_str().unwrap().to_owned();
            vec![
                program.to_str().unwrap().to_owned(),
                format!("--config.file={}", file("prometheus.yml")),
                format!("--storage.tsdb.path={}", file("data")),
                format!("--web.listen-address=127.0.0.1:{port}"),
            ]
        };
        let is_ready = |port, _: &str| get(port, "/-/ready").is_ok_and(|said| said.contains("Ready"));
        Some(Self(Server::start(home, port::free, command, is_ready)))
    }

    /// The body of the answer to a GET.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    pub fn get(&self, target: &str) -> io::Result<String> {
        get(self.0.port(), target)
    }
}

/// By HTTP 1.0, so that the body comes in one piece and ends with the connection.
fn get(port: u16, target: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {target} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(body.to_owned())
}

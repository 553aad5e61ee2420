//! A client that takes next to no time itself.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::requests::{TOKENS, token_request};

/// Some connections, kept alive, with one request under way on each.
#[derive(Debug)]
pub struct Client {
    connections: Vec<TcpStream>,
    response: Vec<u8>,
}

impl Client {
    /// Connects so many times, and finds out with the first request how long a response is.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub fn connect(server: SocketAddr, connections: usize, code: &str) -> io::Result<Self> {
        let connect = |_| {
            let connection = TcpStream::connect(server)?;
            connection.set_nodelay(true)?;
            Ok(connection)
        };
        let mut connections: Vec<_> = (0..connections).map(connect).collect::<io::Result<_>>()?;
        let response = first_response(&mut connections, code)?;
        Ok(Self { connections, response })
    }

    /// Sends the requests, as many at a time as there are connections, and takes a response to each. It sleeps until the
    /// next one has arrived.
    ///
    /// # Errors
    ///
    /// When one is not answered by a 200.
    pub fn send(&mut self, requests: &[Vec<u8>]) -> io::Result<()> {
        for requests in requests.chunks(self.connections.len()) {
            for (connection, request) in self.connections.iter_mut().zip(requests) {
                connection.write_all(request)?;
            }
            for (connection, _) in self.connections.iter_mut().zip(requests) {
                connection.read_exact(&mut self.response)?;
                expect_ok(&self.response)?;
            }
        }
        Ok(())
    }

    /// Sends the requests, the next one on each connection as soon as the last one is answered, and gives the time that
    /// each took. It never sleeps, so that the server never has to wake it.
    ///
    /// # Errors
    ///
    /// When one is not answered by a 200.
    pub fn send_without_sleep(&mut self, requests: &[Vec<u8>]) -> io::Result<Vec<Duration>> {
        let mut waiting = requests.iter();
        let mut times = Vec::with_capacity(requests.len());
        let mut sent: Vec<Option<Instant>> = vec![None; self.connections.len()];
        self.connections.iter().try_for_each(|connection| connection.set_nonblocking(true))?;
        while times.len() < requests.len() {
            for (connection, sent) in self.connections.iter_mut().zip(&mut sent) {
                if let Some(at) = *sent {
                    match connection.read(&mut self.response) {
                        Ok(length) if length == self.response.len() => expect_ok(&self.response)?,
                        // It came in parts, which is rare.
                        Ok(length) => {
                            connection.set_nonblocking(false)?;
                            connection.read_exact(self.response.get_mut(length..).unwrap_or_default())?;
                            connection.set_nonblocking(true)?;
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                        Err(error) => return Err(error),
                    }
                    times.push(at.elapsed());
                    *sent = None;
                }
                if let Some(request) = waiting.next() {
                    *sent = Some(Instant::now());
                    connection.write_all(request)?;
                }
            }
        }
        self.connections.iter().try_for_each(|connection| connection.set_nonblocking(false))?;
        Ok(times)
    }
}

/// All are of the length of the first: the only header that changes is the date.
fn first_response(connections: &mut [TcpStream], code: &str) -> io::Result<Vec<u8>> {
    let mut response = vec![0; 4096];
    let mut length = 0;
    let connection = connections.first_mut().ok_or(ErrorKind::InvalidInput)?;
    connection.write_all(&token_request(code))?;
    while !response.get(..length).is_some_and(|so_far| so_far.ends_with(TOKENS.as_bytes())) {
        let read = connection.read(response.get_mut(length..).unwrap_or_default())?;
        if read == 0 {
            return Err(io::Error::other(String::from_utf8_lossy(&response).trim_end_matches('\0').to_owned()));
        }
        length += read;
        expect_ok(&response)?;
    }
    response.truncate(length);
    Ok(response)
}

fn expect_ok(response: &[u8]) -> io::Result<()> {
    if response.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(response).into_owned()))
    }
}

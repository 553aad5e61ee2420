//! A client that takes next to no time itself.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::requests::{TOKENS, issue_request, token_request};

/// Some connections, kept alive, with one request under way on each.
#[derive(Debug)]
pub struct Client {
    connections: Vec<TcpStream>,
    response: Vec<u8>,
}

impl Client {
    /// Connects so many times, and finds out with one request on each connection how long a response is.
    ///
    /// # Errors
    ///
    /// When that fails.
    pub fn connect(server: SocketAddr, connections: usize) -> io::Result<Self> {
        let mut client = Self { connections: Vec::new(), response: Vec::new() };
        for _ in 0..connections {
            let mut connection = TcpStream::connect(server)?;
            connection.set_nodelay(true)?;
            connection.write_all(&issue_request(&[]))?;
            client.response = first_response(&mut connection)?;
            client.connections.push(connection);
        }
        Ok(client)
    }

    /// Has the server issue these codes, and gives the token requests for them.
    ///
    /// The server does it and not the client, so that the codes lie in the cache of whoever issued them.
    ///
    /// # Errors
    ///
    /// When it is not answered by a 200.
    pub fn issue(&mut self, codes: &[String]) -> io::Result<Vec<Vec<u8>>> {
        self.send(&[issue_request(codes)])?;
        Ok(codes.iter().map(|code| token_request(code)).collect())
    }

    /// Sends the requests, as many at a time as there are connections, and takes a response to each.
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
}

/// All are of the length of the first: the only header that changes is the date.
fn first_response(connection: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut response = vec![0; 4096];
    let mut length = 0;
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

//! A connection that is kept alive, and answers with every octet.

use std::io;
use std::time::Duration;

use playground::Wire;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection that is kept alive for as long as the server agrees.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer, octet for octet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    /// The body, after chunked decoding.
    pub body: Vec<u8>,
    /// Whether the server closes the connection after it.
    pub is_last: bool,
}

impl Answer {
    /// The value of a header that stands once.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Connection {
    /// A new connection.
    pub async fn open(wire: Wire) -> io::Result<Self> {
        let stream = TcpStream::connect(wire.0).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends octets as they are, and flushes.
    pub async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }

    /// Reads the answer to a request by this method; interim answers are passed over.
    pub async fn answer(&mut self, method: &str) -> io::Result<Answer> {
        timeout(Duration::from_secs(10), self.read_answer(method)).await?
    }

    /// Says that nothing more will come, and still listens.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Hangs up at once: the server gets a reset instead of an end.
    pub fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }

    async fn read_answer(&mut self, method: &str) -> io::Result<Answer> {
        loop {
            let head = self.line_block().await?;
            let (status_line, lines) = head.split_once("\r\n").unwrap_or((&head, ""));
            let status: u16 = status_line
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .ok_or_else(|| io::Error::other(format!("not an HTTP response: {status_line}")))?;
            if status < 200 {
                continue;
            }
            let headers: Vec<(String, String)> = lines
                .split("\r\n")
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let mut answer = Answer { status, headers, body: Vec::new(), is_last: status_line.starts_with("HTTP/1.0") };
            answer.is_last |= answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            if method != "HEAD" && !matches!(status, 204 | 304) {
                answer.body = self.body(&mut answer.is_last, answer.headers.clone()).await?;
            }
            return Ok(answer);
        }
    }

    async fn body(&mut self, is_last: &mut bool, headers: Vec<(String, String)>) -> io::Result<Vec<u8>> {
        let header = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        if header("transfer-encoding").is_some() {
            let mut body = Vec::new();
            loop {
                let size = self.line().await?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                body.extend(self.octets(size).await?);
                self.line().await?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match header("content-length") {
            Some(length) => self.octets(length.parse().map_err(io::Error::other)?).await,
            None => {
                *is_last = true;
                self.stream.read_to_end(&mut self.read).await?;
                Ok(std::mem::take(&mut self.read))
            }
        }
    }

    async fn line_block(&mut self) -> io::Result<String> {
        self.until(b"\r\n\r\n").await
    }

    async fn line(&mut self) -> io::Result<String> {
        self.until(b"\r\n").await
    }

    async fn until(&mut self, end: &[u8]) -> io::Result<String> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                let rest = self.read.split_off(at + end.len());
                let mut line = std::mem::replace(&mut self.read, rest);
                line.truncate(at);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.more().await?;
        }
    }

    async fn octets(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.read.len() < count {
            self.more().await?;
        }
        let rest = self.read.split_off(count);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

//! One HTTP request on a connection of its own, octet for octet as it is written here.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Said {
    /// The status.
    pub status: u16,
    head: String,
    /// The body, as text.
    pub body: String,
}

impl Said {
    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The error code, from a JSON body or from a redirect.
    pub fn error(&self) -> Option<String> {
        if let Some(location) = self.header("location").and_then(|location| url::Url::parse(location).ok()) {
            return location.query_pairs().find(|(name, _)| name == "error").map(|(_, error)| error.into_owned());
        }
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get("error")?.as_str()?.to_owned())
    }

    /// A string member of a JSON body.
    pub fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }
}

/// A server under test.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "an address by another name")]
pub struct Wire(pub SocketAddr);

impl Wire {
    /// A GET.
    ///
    /// # Errors
    ///
    /// When the connection fails, or what comes back is not HTTP.
    pub async fn get(self, target: &str) -> io::Result<Said> {
        self.send("GET", target, &[], "").await
    }

    /// A POST of a form.
    ///
    /// # Errors
    ///
    /// When the connection fails, or what comes back is not HTTP.
    pub async fn post_form(self, target: &str, body: &str) -> io::Result<Said> {
        self.send("POST", target, &[FORM], body).await
    }

    /// Any request. A body, and every POST, has a `Content-Length`.
    ///
    /// # Errors
    ///
    /// When the connection fails, or what comes back is not HTTP.
    pub async fn send(self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Said> {
        self.send_on(TcpStream::connect(self.0).await?, method, target, headers, body).await
    }

    /// A POST of a form from another address of this machine.
    ///
    /// # Errors
    ///
    /// When this machine does not have the address, the connection fails, or what comes back is not HTTP.
    pub async fn post_form_from(
        self,
        address: Ipv4Addr,
        target: &str,
        header: (&str, &str),
        body: &str,
    ) -> io::Result<Said> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((address, 0).into())?;
        self.send_on(socket.connect(self.0).await?, "POST", target, &[FORM, header], body).await
    }

    async fn send_on(
        self,
        mut stream: TcpStream,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Said> {
        self.write(&mut stream, method, target, headers, body).await?;
        let mut answer = Vec::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await??;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("not an HTTP response"))?;
        Ok(Said { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// Sends a request and hangs up without waiting for the answer.
    ///
    /// # Errors
    ///
    /// When the connection fails, or what comes back is not HTTP.
    pub async fn hang_up(self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> io::Result<()> {
        let mut stream = TcpStream::connect(self.0).await?;
        self.write(&mut stream, method, target, headers, body).await?;
        stream.shutdown().await
    }

    async fn write(
        self,
        stream: &mut TcpStream,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<()> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.0);
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        if !body.is_empty() || method == "POST" {
            request.extend(["content-length: ", &body.len().to_string(), "\r\n"]);
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).await
    }
}

/// The header of a form.
pub const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// The header of a JSON document.
pub const JSON: (&str, &str) = ("content-type", "application/json");

//! Free ports in the place of those that a guide names.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

const HOST: &str = "127.0.0.1:";

/// The free port for each port that is named.
#[derive(Debug)]
pub(crate) struct Ports(BTreeMap<String, u16>);

impl Ports {
    /// A free port for each that is named on loopback.
    pub(crate) fn of(guide: &str) -> Self {
        let held: BTreeMap<String, TcpListener> = guide
            .split(HOST)
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
            .filter(|port| !port.is_empty())
            .map(|port| (port, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()))
            .collect();
        Self(held.into_iter().map(|(port, held)| (port, held.local_addr().unwrap().port())).collect())
    }

    /// The text with the free ports. In one pass: a free port may be one that the guide names.
    pub(crate) fn place(&self, text: &str) -> String {
        let mut pieces = text.split(HOST);
        let mut placed = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (port, rest) = piece.split_at(piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len()));
            let port = self.0.get(port).map_or_else(|| port.to_owned(), u16::to_string);
            placed.extend([HOST, &port, rest]);
        }
        placed
    }
}

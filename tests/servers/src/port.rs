//! Free ports.

use std::net::{Ipv4Addr, TcpListener};

/// A port that is free now.
pub(crate) fn free() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A free port with a free one ten thousand above, where the nodes of a Redis Cluster talk to each other.
pub(crate) fn free_for_a_node() -> u16 {
    let with_a_bus =
        |port: &u16| port.checked_add(10_000).is_some_and(|bus| TcpListener::bind((Ipv4Addr::LOCALHOST, bus)).is_ok());
    (0..1000).map(|_| free()).find(with_a_bus).unwrap()
}

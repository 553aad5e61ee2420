//! The resolver of the fetches whose URL a stranger chooses: against server-side request forgery.

use std::io;
use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves names to public addresses. The connection goes to the address that was judged: what the name resolves to the next
/// time does not matter.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PublicAddresses;

impl Default for PublicAddresses {
    fn default() -> Self {
        Self
    }
}

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().all(|address| is_public(address.ip())) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            Err(io::Error::other("the address is not public").into())
        })
    }
}

/// Whether an address is on the internet, by IANA's registries of special-purpose addresses. An IPv6 address that holds one
/// of IPv4 (mapped, NAT64, 6to4, Teredo) is none.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let special = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_documentation();
            match v4.octets() {
                // This network, multicast and reserved; carrier-grade NAT; protocol assignments; 6to4 relays; benchmarks.
                [0 | 224.., ..] | [100, 64..=127, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => false,
                _ => !special,
            }
        }
        IpAddr::V6(v6) => match v6.segments() {
            // Protocol assignments and Teredo, documentation, 6to4.
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => false,
            // All else is loopback, local, multicast, mapped, NAT64, or not assigned.
            [first, ..] => first & 0xe000 == 0x2000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_on_the_internet_are_reached() {
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:1.1.1.1",
            "::ffff:0:1.1.1.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_is_resolved_to_public_addresses_or_not_at_all() {
        for name in ["localhost", "127.0.0.1"] {
            assert!(PublicAddresses::default().resolve(name.parse().unwrap()).await.is_err(), "{name}");
        }
        assert!(PublicAddresses::default().resolve("1.1.1.1".parse().unwrap()).await.is_ok());
    }
}

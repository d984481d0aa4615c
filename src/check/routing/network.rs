//! What the machine's network consists of: interfaces, their addresses, and the
//! way to an address.

use ipvs::Name;
use std::net::IpAddr;

/// A network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's number for it.
    pub index: u32,
    /// Its name.
    pub name: Name,
    /// The kind of a virtual one, as `ip link add type` calls it; empty for the
    /// others.
    pub kind: Name,
    /// Whether it is set up (`IFF_UP`).
    pub up: bool,
    /// Whether it is `lo` (`IFF_LOOPBACK`).
    pub loopback: bool,
    /// Whether it does without ARP (`IFF_NOARP`).
    pub noarp: bool,
    /// The longest packet in bytes.
    pub mtu: u32,
    /// Of a tunnel: the other end, if it takes packets from that one alone.
    pub remote: Option<IpAddr>,
    /// Of a tunnel: the protocol of the packets in it (`IPPROTO_*`); 0 for any.
    pub inner: u8,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    /// The number of the interface.
    pub link: u32,
    /// The address.
    pub address: IpAddr,
    /// How many bits of it are the network's.
    pub prefix_len: u8,
    /// Whether the kernel does not use it: it is not known yet, or known not, to
    /// be free (`IFA_F_TENTATIVE`, `IFA_F_DADFAILED`).
    pub unusable: bool,
}

impl LinkAddress {
    /// Whether `address` is in the network of this one.
    pub fn network_contains(&self, address: &IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let host = width.saturating_sub(u32::from(self.prefix_len));
            host >= width || a >> host == b >> host
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

/// Where the kernel would send a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whether the machine itself takes it (`RTN_LOCAL`).
    pub local: bool,
    /// The number of the interface that it leaves by; 0 for none.
    pub link: u32,
    /// The router that it goes to.
    pub gateway: Option<IpAddr>,
    /// The longest packet on the way, where a route says so.
    pub mtu: Option<u32>,
}

/// A rule that changes the source of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceNat {
    /// The table that it is in.
    pub table: String,
    /// Whether it is for packets of IPVS (`iptables -m ipvs`).
    pub ipvs: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_contains_its_addresses() {
        let contains = |network: &str, address: &str| {
            let (own, prefix_len) = network.split_once('/').unwrap();
            let own = LinkAddress {
                link: 1,
                address: own.parse().unwrap(),
                prefix_len: prefix_len.parse().unwrap(),
                unusable: false,
            };
            own.network_contains(&address.parse().unwrap())
        };
        assert!(contains("10.0.0.1/24", "10.0.0.255"));
        assert!(!contains("10.0.0.1/24", "10.0.1.0"));
        assert!(contains("10.0.0.1/0", "192.0.2.1"));
        assert!(!contains("10.0.0.1/32", "10.0.0.2"));
        assert!(contains("fd00::1/64", "fd00::ffff:0:0:1"));
        assert!(!contains("fd00::1/128", "fd00::2"));
        assert!(!contains("10.0.0.1/0", "::1"));
        assert!(contains("::1/0", "fd00::2"));
    }
}

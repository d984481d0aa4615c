//! What the machine's network consists of: interfaces, their addresses, and routes.

use crate::selection::Network;
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
    /// Whether it works without ARP (`IFF_NOARP`).
    pub noarp: bool,
    /// The longest packet in bytes.
    pub mtu: u32,
    /// Of a tunnel: the other end, if it accepts packets from there only.
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
    /// Whether the kernel does not use it yet, or because another machine has it
    /// (`IFA_F_TENTATIVE`, `IFA_F_DADFAILED`).
    pub unusable: bool,
}

impl LinkAddress {
    /// Whether `address` is in the subnet of this one.
    pub fn network_contains(&self, address: &IpAddr) -> bool {
        Network::of(self.address, self.prefix_len).contains(address)
    }
}

/// Where the kernel would send a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whether the packet is for this machine (`RTN_LOCAL`).
    pub local: bool,
    /// The number of the interface that it leaves by; 0 for none.
    pub link: u32,
    /// The router that it goes to.
    pub gateway: Option<IpAddr>,
    /// The longest packet, if the route limits it.
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

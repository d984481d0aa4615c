//! rtnetlink: links, addresses and routes.
//!
//! The headers are those of netlink-packet-route. The attributes are read here,
//! the few that matter and no others: the crate reads all of them, and fails
//! on those that a newer kernel has made longer.

use super::attribute::{Values, Writer, align, find, u32_of};
use crate::model::{Link, LinkAddress, Name, Route};
use netlink_packet_core::{Emitable, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressHeader, AddressHeaderFlags};
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteHeader, RouteType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

// linux/rtnetlink.h
const RTM_GETLINK: u16 = 18;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_METRICS: u16 = 8;
const RTA_VIA: u16 = 18;
const RTAX_MTU: u16 = 2;
// linux/if_link.h
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// More bytes than any request takes.
const ROOM: usize = 64;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteRequest {
    /// All interfaces, a message each.
    Links,
    /// The addresses of all interfaces, a message each.
    Addresses,
    /// The way to an address; one message, or the errno of `connect`.
    Route(IpAddr),
}

impl RouteRequest {
    /// Appends the request to `out`; its answers carry `sequence`.
    pub fn append(self, out: &mut Vec<u8>, sequence: u32) {
        let (kind, flags) = match self {
            RouteRequest::Links => (RTM_GETLINK, NLM_F_DUMP),
            RouteRequest::Addresses => (RTM_GETADDR, NLM_F_DUMP),
            RouteRequest::Route(_) => (RTM_GETROUTE, 0),
        };
        let start = out.len();
        out.resize(start + ROOM, 0);
        let mut header = NetlinkHeader::default();
        let (outer, rest) = out[start..].split_at_mut(header.buffer_len());
        let length = outer.len() + self.fill(rest);
        header.length = u32::try_from(length).unwrap_or(u32::MAX);
        header.message_type = kind;
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = sequence;
        header.emit(outer);
        out.truncate(start + length);
    }

    /// Writes what follows the netlink header, and gives its length.
    fn fill(self, out: &mut [u8]) -> usize {
        match self {
            RouteRequest::Links => emit(&LinkHeader::default(), out),
            RouteRequest::Addresses => emit(&AddressHeader::default(), out),
            RouteRequest::Route(address) => {
                let (family, prefix_len) = match address {
                    IpAddr::V4(_) => (AddressFamily::Inet, 32),
                    IpAddr::V6(_) => (AddressFamily::Inet6, 128),
                };
                let header = RouteHeader {
                    address_family: family,
                    destination_prefix_length: prefix_len,
                    ..RouteHeader::default()
                };
                let len = emit(&header, out);
                let mut writer = Writer::new(&mut out[len..]);
                match address {
                    IpAddr::V4(address) => writer.put(RTA_DST, &address.octets()),
                    IpAddr::V6(address) => writer.put(RTA_DST, &address.octets()),
                }
                len + writer.len()
            }
        }
    }
}

fn emit(header: &impl Emitable, out: &mut [u8]) -> usize {
    header.emit(out);
    header.buffer_len()
}

/// The attributes after `header`.
fn after<'a>(header: &impl Emitable, message: &'a [u8]) -> &'a [u8] {
    message
        .get(align(header.buffer_len())..)
        .unwrap_or_default()
}

/// An interface, from `RTM_NEWLINK`.
pub fn parse_link(message: &[u8]) -> Option<Link> {
    let header = LinkHeader::parse(message).ok()?;
    let values = Values::<{ IFLA_LINKINFO as usize + 1 }>::new(after(&header, message));
    let name = |bytes| Name::cut(bytes, Name::CAPACITY);
    let has = |flag| header.flags.contains(flag);
    Some(Link {
        index: header.index,
        name: name(values.of(IFLA_IFNAME)),
        kind: name(find(values.of(IFLA_LINKINFO), IFLA_INFO_KIND).unwrap_or_default()),
        up: has(LinkFlags::Up),
        loopback: has(LinkFlags::Loopback),
        noarp: has(LinkFlags::Noarp),
        mtu: values.u32(IFLA_MTU).unwrap_or(0),
    })
}

/// An address of an interface, from `RTM_NEWADDR`; `None` also for those of
/// other families than IPv4 and IPv6.
pub fn parse_address(message: &[u8]) -> Option<LinkAddress> {
    let header = AddressHeader::parse(message).ok()?;
    let values = Values::<{ IFA_FLAGS as usize + 1 }>::new(after(&header, message));
    // Of the two ends of a point-to-point link, the local one.
    let own = match values.of(IFA_LOCAL) {
        [] => values.of(IFA_ADDRESS),
        local => local,
    };
    // The header has room for eight flags only.
    let flags = values.u32(IFA_FLAGS).unwrap_or(header.flags.bits().into());
    let unusable = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    Some(LinkAddress {
        link: header.index,
        address: ip(own)?,
        prefix_len: header.prefix_len,
        unusable: flags & u32::from(unusable.bits()) != 0,
    })
}

/// The way to an address, from the answer to [`RouteRequest::Route`].
pub fn parse_route(message: &[u8]) -> Option<Route> {
    let header = RouteHeader::parse(message).ok()?;
    let values = Values::<{ RTA_VIA as usize + 1 }>::new(after(&header, message));
    let via = values.of(RTA_VIA).get(size_of::<u16>()..).and_then(ip);
    Some(Route {
        local: header.kind == RouteType::Local,
        link: values.u32(RTA_OIF).unwrap_or(0),
        gateway: ip(values.of(RTA_GATEWAY)).or(via),
        mtu: find(values.of(RTA_METRICS), RTAX_MTU).and_then(u32_of),
    })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(octets).into())
}

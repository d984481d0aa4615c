//! rtnetlink: links, addresses and routes.
//!
//! The headers are those of netlink-packet-route. The attributes are read here,
//! the few that matter and no others: the crate reads all of them, and fails
//! on those that a newer kernel has made longer. Its whole messages would make
//! the program a quarter larger, and so each command slower.

use super::{Link, LinkAddress, Route};
use crate::selection::Network;
use ipvs::netlink::{Length, Sink, Values, Writer, align, find, u8_of, u32_of};
use ipvs::{Family, Name};
use netlink_packet_core::{Emitable, NetlinkSerializable};
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
const IFLA_INFO_DATA: u16 = 2;
// linux/if_tunnel.h
const IFLA_IPTUN_REMOTE: u16 = 3;
const IFLA_IPTUN_PROTO: u16 = 9;
const IFLA_GRE_REMOTE: u16 = 7;
// linux/if_addr.h
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// What can be asked.
#[derive(Clone, Copy, Debug)]
pub enum RouteRequest {
    /// All interfaces, a message each.
    Links,
    /// The addresses of all interfaces, a message each.
    Addresses,
    /// The routes of a family to this machine, in all tables, a message each. A
    /// kernel that does not know `NETLINK_GET_STRICT_CHK` sends others too.
    LocalRoutes(Family),
    /// The route to an address: one message, or the errno of `connect`.
    Route(IpAddr),
}

impl RouteRequest {
    fn header(&self) -> Box<dyn Emitable> {
        match *self {
            RouteRequest::Links => Box::new(LinkHeader::default()),
            RouteRequest::Addresses => Box::new(AddressHeader::default()),
            RouteRequest::LocalRoutes(family) => Box::new(RouteHeader {
                address_family: match family {
                    Family::Inet => AddressFamily::Inet,
                    Family::Inet6 => AddressFamily::Inet6,
                },
                kind: RouteType::Local,
                ..RouteHeader::default()
            }),
            RouteRequest::Route(address) => Box::new(RouteHeader {
                address_family: address.into(),
                destination_prefix_length: if address.is_ipv4() { 32 } else { 128 },
                ..RouteHeader::default()
            }),
        }
    }

    fn attributes(&self, out: &mut impl Sink) {
        match self {
            RouteRequest::Route(IpAddr::V4(address)) => out.put(RTA_DST, &address.octets()),
            RouteRequest::Route(IpAddr::V6(address)) => out.put(RTA_DST, &address.octets()),
            _ => {}
        }
    }
}

impl NetlinkSerializable for RouteRequest {
    fn message_type(&self) -> u16 {
        match self {
            RouteRequest::Links => RTM_GETLINK,
            RouteRequest::Addresses => RTM_GETADDR,
            RouteRequest::LocalRoutes(_) | RouteRequest::Route(_) => RTM_GETROUTE,
        }
    }

    fn buffer_len(&self) -> usize {
        let mut length = Length(self.header().buffer_len());
        self.attributes(&mut length);
        length.0
    }

    fn serialize(&self, buffer: &mut [u8]) {
        let header = self.header();
        let (start, rest) = buffer.split_at_mut(header.buffer_len());
        header.emit(start);
        self.attributes(&mut Writer::new(rest));
    }
}

/// The attributes after `header`.
fn after<'a>(header: &impl Emitable, message: &'a [u8]) -> &'a [u8] {
    message
        .get(align(header.buffer_len())..)
        .unwrap_or_default()
}

/// The kinds of interface that are tunnels, whose data is known.
const TUNNELS: [&[u8]; 5] = [b"ipip", b"sit", b"ip6tnl", b"gre", b"ip6gre"];

/// An interface, from `RTM_NEWLINK`.
pub fn parse_link(message: &[u8]) -> Option<Link> {
    let header = LinkHeader::parse(message).ok()?;
    let values = Values::<{ IFLA_LINKINFO as usize + 1 }>::new(after(&header, message));
    let name = |bytes| Name::cut(bytes, Name::CAPACITY);
    let has = |flag| header.flags.contains(flag);
    let info = |what| find(values.of::<IFLA_LINKINFO>(), what).unwrap_or_default();
    let kind = info(IFLA_INFO_KIND);
    let is_gre = kind.starts_with(b"gre") || kind.starts_with(b"ip6gre");
    let remote = if is_gre {
        IFLA_GRE_REMOTE
    } else {
        IFLA_IPTUN_REMOTE
    };
    let tunnel = TUNNELS
        .iter()
        .any(|name| kind.strip_suffix(b"\0").unwrap_or(kind) == *name);
    let of_tunnel = |what| find(info(IFLA_INFO_DATA), what).filter(|_| tunnel);
    Some(Link {
        index: header.index,
        name: name(values.of::<IFLA_IFNAME>()),
        kind: name(kind),
        up: has(LinkFlags::Up),
        loopback: has(LinkFlags::Loopback),
        noarp: has(LinkFlags::Noarp),
        mtu: values.u32::<IFLA_MTU>().unwrap_or(0),
        remote: of_tunnel(remote)
            .and_then(ip)
            .filter(|ip| !ip.is_unspecified()),
        inner: of_tunnel(IFLA_IPTUN_PROTO)
            .filter(|_| !is_gre)
            .and_then(u8_of)
            .unwrap_or(0),
    })
}

/// An address of an interface, from `RTM_NEWADDR`; `None` also for those of
/// other families than IPv4 and IPv6.
pub fn parse_address(message: &[u8]) -> Option<LinkAddress> {
    let header = AddressHeader::parse(message).ok()?;
    let values = Values::<{ IFA_FLAGS as usize + 1 }>::new(after(&header, message));
    // Of the two ends of a point-to-point link, the local one.
    let own = match values.of::<IFA_LOCAL>() {
        [] => values.of::<IFA_ADDRESS>(),
        local => local,
    };
    // The header has room for eight flags only.
    let flags = values
        .u32::<IFA_FLAGS>()
        .unwrap_or(header.flags.bits().into());
    let unusable = AddressHeaderFlags::Tentative | AddressHeaderFlags::Dadfailed;
    Some(LinkAddress {
        link: header.index,
        address: ip(own)?,
        prefix_len: header.prefix_len,
        unusable: flags & u32::from(unusable.bits()) != 0,
    })
}

/// The route to an address, from the answer to `RTM_GETROUTE`.
pub fn parse_route(message: &[u8]) -> Option<Route> {
    let header = RouteHeader::parse(message).ok()?;
    let values = Values::<{ RTA_VIA as usize + 1 }>::new(after(&header, message));
    let via = values.of::<RTA_VIA>().get(size_of::<u16>()..).and_then(ip);
    Some(Route {
        local: header.kind == RouteType::Local,
        link: values.u32::<RTA_OIF>().unwrap_or(0),
        gateway: ip(values.of::<RTA_GATEWAY>()).or(via),
        mtu: find(values.of::<RTA_METRICS>(), RTAX_MTU).and_then(u32_of),
    })
}

/// The addresses of a local route, from an answer to
/// `RouteRequest::LocalRoutes`; `None` for other routes.
pub fn parse_local_route(message: &[u8]) -> Option<Network> {
    let header = RouteHeader::parse(message).ok()?;
    if header.kind != RouteType::Local {
        return None;
    }
    let values = Values::<{ RTA_DST as usize + 1 }>::new(after(&header, message));
    let any = match header.address_family {
        AddressFamily::Inet => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        AddressFamily::Inet6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    let first = ip(values.of::<RTA_DST>()).unwrap_or(any);
    Some(Network::of(first, header.destination_prefix_length))
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    let octets = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs::netlink::append;
    use netlink_packet_core::NLM_F_DUMP;
    use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
    use netlink_packet_route::link::{InfoData, InfoIpTunnel, InfoKind};
    use netlink_packet_route::link::{LinkAttribute, LinkInfo, LinkMessage};
    use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
    use netlink_packet_route::route::{RouteMetric, RouteVia};

    fn sent(request: RouteRequest, flags: u16) -> Vec<u8> {
        let mut out = b"before".to_vec();
        append(&mut out, request, flags, 7);
        out.split_off(6)
    }

    /// The message after the netlink header.
    fn reply(message: &impl Emitable) -> Vec<u8> {
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    #[test]
    fn requests_byte_for_byte() {
        if cfg!(target_endian = "big") {
            return;
        }
        let header = |len, kind, flags| [len, 0, 0, 0, kind, 0, 1, flags, 7, 0, 0, 0, 0, 0, 0, 0];
        let all = [&header(32, 18, 3)[..], &[0; 16]].concat();
        assert_eq!(sent(RouteRequest::Links, NLM_F_DUMP), all);
        let all = [&header(24, 22, 3)[..], &[0; 8]].concat();
        assert_eq!(sent(RouteRequest::Addresses, NLM_F_DUMP), all);
        let local = [2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        assert_eq!(
            sent(RouteRequest::LocalRoutes(Family::Inet), NLM_F_DUMP),
            [&header(28, 26, 3)[..], &local].concat()
        );
        let to_host = [2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 1, 0, 10, 0, 0, 1];
        assert_eq!(
            sent(RouteRequest::Route([10, 0, 0, 1].into()), 0),
            [&header(36, 26, 0)[..], &to_host].concat()
        );
    }

    #[test]
    fn links_are_read() {
        let mut message = LinkMessage::default();
        assert_eq!(parse_link(&reply(&message)).unwrap().name, Name::from(""));
        message.header.index = 5;
        message.header.flags = LinkFlags::Up | LinkFlags::Noarp;
        message
            .attributes
            .push(LinkAttribute::IfName("tun5".into()));
        message.attributes.push(LinkAttribute::Mtu(1480));
        let remote = Ipv4Addr::new(10, 0, 0, 1);
        let ends = |remote: Ipv4Addr| {
            InfoData::IpTunnel(vec![
                InfoIpTunnel::Remote(remote.into()),
                InfoIpTunnel::Protocol(netlink_packet_route::IpProtocol::Ipip),
            ])
        };
        let info = |kind, remote| {
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind), LinkInfo::Data(ends(remote))])
        };
        let with = |info| {
            let mut message = message.clone();
            message.attributes.push(info);
            parse_link(&reply(&message)).unwrap()
        };
        let link = Link {
            index: 5,
            name: Name::from("tun5"),
            kind: Name::from("ipip"),
            up: true,
            loopback: false,
            noarp: true,
            mtu: 1480,
            remote: Some(remote.into()),
            inner: 4,
        };
        assert_eq!(with(info(InfoKind::IpIp, remote)), link);
        // Any other end.
        let link = Link {
            remote: None,
            ..link
        };
        assert_eq!(with(info(InfoKind::IpIp, Ipv4Addr::UNSPECIFIED)), link);
        // Data of a kind that is not known here means something else.
        let other = with(info(InfoKind::Other("vti".into()), remote));
        assert_eq!((other.remote, other.inner), (None, 0));
        assert_eq!(parse_link(&[0; 15]), None);
    }

    #[test]
    fn addresses_are_read() {
        let mut message = AddressMessage::default();
        let read = |message: &AddressMessage| parse_address(&reply(message));
        assert_eq!(read(&message), None, "no address");
        message.header.index = 3;
        message.header.prefix_len = 24;
        message.header.family = AddressFamily::Inet;
        message
            .attributes
            .push(AddressAttribute::Address([10, 0, 0, 2].into()));
        let own = LinkAddress {
            link: 3,
            address: [10, 0, 0, 2].into(),
            prefix_len: 24,
            unusable: false,
        };
        assert_eq!(read(&message), Some(own));
        message
            .attributes
            .push(AddressAttribute::Local([10, 0, 0, 1].into()));
        let own = LinkAddress {
            address: [10, 0, 0, 1].into(),
            ..own
        };
        assert_eq!(read(&message), Some(own), "of a point-to-point link");
        message.header.flags = AddressHeaderFlags::Tentative;
        assert!(read(&message).unwrap().unusable);
        // The long flags are the right ones.
        message
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Permanent));
        assert!(!read(&message).unwrap().unusable);
        assert_eq!(parse_address(&[0; 7]), None);
    }

    #[test]
    fn routes_are_read() {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        let read = |message: &RouteMessage| parse_route(&reply(message)).unwrap();
        let nothing = Route {
            local: false,
            link: 0,
            gateway: None,
            mtu: None,
        };
        assert_eq!(read(&message), nothing);
        message.header.kind = RouteType::Local;
        message.attributes.push(RouteAttribute::Oif(2));
        message
            .attributes
            .push(RouteAttribute::Metrics(vec![RouteMetric::Mtu(1400)]));
        let local = Route {
            local: true,
            link: 2,
            mtu: Some(1400),
            ..nothing
        };
        assert_eq!(read(&message), local);
        let gateway = RouteAddress::Inet(Ipv4Addr::new(10, 0, 0, 254));
        let mut by_ipv4 = message.clone();
        by_ipv4.attributes.push(RouteAttribute::Gateway(gateway));
        assert_eq!(read(&by_ipv4).gateway, Some([10, 0, 0, 254].into()));
        let via = RouteVia::Inet6(Ipv6Addr::LOCALHOST);
        message.attributes.push(RouteAttribute::Via(via));
        assert_eq!(read(&message).gateway, Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(parse_route(&[0; 11]), None);
    }

    #[test]
    fn local_routes_are_read() {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.destination_prefix_length = 24;
        let read = |message: &RouteMessage| parse_local_route(&reply(message));
        let destination = RouteAddress::Inet(Ipv4Addr::new(10, 9, 0, 0));
        message
            .attributes
            .push(RouteAttribute::Destination(destination));
        assert_eq!(read(&message), None, "no local one");
        message.header.kind = RouteType::Local;
        let network = Network::of([10, 9, 0, 0].into(), 24);
        assert_eq!(read(&message), Some(network));
        message.attributes.clear();
        message.header.destination_prefix_length = 0;
        assert!(
            read(&message).unwrap().contains(&[192, 0, 2, 1].into()),
            "the default"
        );
        message.header.address_family = AddressFamily::Bridge;
        assert_eq!(read(&message), None);
        assert_eq!(parse_local_route(&[0; 11]), None);
    }
}

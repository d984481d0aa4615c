//! What the machine says of itself, read once.
//!
//! What cannot be read is noted and left out: the checks find nothing in what is
//! not there, and whoever reads the findings is told. This module must not judge
//! what it reads.

use super::plain;
use super::routing::{self, Link, LinkAddress, Route, Routing, SourceNat};
use crate::connections::{ConnectionFilter, Connections, Network as LocalNetwork};
use crate::procfs;
use ipvs::{
    Daemon, Family, Forwarding, Info, Ipvs, Namespace, Protocol, Server, ServerKey, Service,
    ServiceKey,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses somewhere in the Internet: the way to them is the way to clients
/// that are not near. Nothing is sent there.
const AFAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
const AFAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111));

/// The address for "afar" of a family.
pub fn afar(family: Family) -> IpAddr {
    match family {
        Family::Inet => AFAR_V4,
        Family::Inet6 => AFAR_V6,
    }
}

/// What [`super::director`] looks at.
#[derive(Debug, Default)]
pub struct Facts {
    /// Services with their servers.
    pub table: Vec<(Service, Vec<Server>)>,
    /// The size of the table of connections.
    pub info: Info,
    /// The sync daemons.
    pub daemons: Vec<Daemon>,
    /// How many connections are open between a virtual address and a server. Of a
    /// packet with a mark the service is not known.
    pub open: BTreeMap<(ServiceKey, ServerKey), u64>,
    /// Links, addresses and routes.
    pub network: Network,
    /// Rules that change the source of packets, read where packets of IPVS pass
    /// them by.
    pub nat: Vec<SourceNat>,
    /// Whether iptables-legacy may have some, which cannot be read.
    pub legacy_nat: bool,
    /// Settings.
    pub settings: Settings,
    /// What could not be read, and why.
    pub unread: Vec<String>,
    /// What was too much to be read.
    pub unchecked: Vec<String>,
}

/// What [`super::real_server`] looks at.
#[derive(Debug, Default)]
pub struct HereFacts {
    /// Links, addresses and routes.
    pub network: Network,
    /// Settings.
    pub settings: Settings,
    /// Where something listens; `None` if that is not known.
    pub listening: Option<Vec<(IpAddr, u16)>>,
    /// The UDP ports that are bound, those of the kernel's tunnels among them.
    pub udp_ports: Option<BTreeSet<u16>>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// Links, addresses and routes. What is not known is not there.
#[derive(Debug, Default)]
pub struct Network {
    /// All interfaces.
    pub links: Vec<Link>,
    /// Their addresses, sorted: a director may have thousands.
    pub addresses: Vec<LinkAddress>,
    /// The way to some addresses, or the errno that the kernel has for it.
    pub ways: HashMap<IpAddr, Result<Route, i32>>,
    /// What some table of routes takes for this machine's; read where that of one
    /// address at least is in doubt.
    pub local: Vec<LocalNetwork>,
}

impl Network {
    /// Reads links, addresses and the ways to `wanted`, of which those that
    /// `is_virtual` says should be this machine's own.
    fn read(
        namespace: &Namespace,
        wanted: &[IpAddr],
        is_virtual: impl Fn(&IpAddr) -> bool,
        unread: &mut Vec<String>,
    ) -> Network {
        let mut network = Network::default();
        let mut fill = |routing: &mut Routing| -> Result<(), String> {
            let why = |what| move |error| format!("{what}: {}", plain(&error));
            network.links = routing.links().map_err(why("network interfaces"))?;
            network.addresses = routing.addresses().map_err(why("addresses"))?;
            network.addresses.sort_by_key(|own| own.address);
            let ways = routing.ways(wanted).map_err(why("routes"))?;
            let ways: HashMap<_, _> = wanted.iter().copied().zip(ways).collect();
            for family in [Family::Inet, Family::Inet6] {
                let mut doubtful = wanted.iter().filter(|address| {
                    let elsewhere = !ways[*address].is_ok_and(|way: Route| way.local);
                    Family::of(address) == family && elsewhere && is_virtual(address)
                });
                if doubtful.next().is_some() {
                    let local = routing.local_routes(family);
                    network.local.extend(local.map_err(why("local routes"))?);
                }
            }
            network.ways = ways;
            Ok(())
        };
        let result = match Routing::open(namespace) {
            Ok(mut routing) => fill(&mut routing),
            Err(error) => Err(format!(
                "network interfaces, addresses, routes: {}",
                plain(&error)
            )),
        };
        unread.extend(result.err());
        network
    }

    /// The interface with this number.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The way to `address`, if there is one.
    pub fn way(&self, address: &IpAddr) -> Option<Route> {
        self.ways.get(address).copied()?.ok()
    }

    /// Whether the kernel takes packets to `address` for this machine's; `None` if
    /// that is not known. A route decides it, not an interface: it can be in a
    /// table that only some packets are looked up in, as that of a VRF is.
    pub fn is_own(&self, address: &IpAddr) -> Option<bool> {
        let way = self.ways.get(address)?;
        let local = || self.local.iter().any(|local| local.has(address));
        Some(way.is_ok_and(|way| way.local) || local())
    }

    /// The interfaces that have `address`.
    pub fn with_address(&self, address: IpAddr) -> impl Iterator<Item = (&Link, &LinkAddress)> {
        let first = self.addresses.partition_point(|own| own.address < address);
        let own = self.addresses[first..].iter();
        let own = own.take_while(move |own| own.address == address);
        own.filter_map(|own| Some((self.link(own.link)?, own)))
    }

    /// The interface that has a network with `address` in it.
    pub fn near(&self, address: &IpAddr) -> Option<&Link> {
        let mut own = self.addresses.iter();
        let own = own.find(|own| own.address != *address && own.network_contains(address))?;
        self.link(own.link)
    }

    /// The interfaces to which others are connected: up, and neither `lo` nor
    /// without ARP.
    pub fn outside(&self) -> impl Iterator<Item = &Link> {
        let links = self.links.iter();
        links.filter(|link| link.up && !link.loopback && !link.noarp)
    }
}

/// Settings by their paths below /proc/sys.
#[derive(Debug, Default)]
pub struct Settings(HashMap<String, String>);

impl Settings {
    /// The value of a setting; `None` where there is none.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The value of a setting that is a number.
    pub fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// Whether a setting is known to be `value`.
    pub fn is(&self, path: &str, value: i64) -> bool {
        self.number(path) == Some(value)
    }

    /// Sets what is not read.
    #[cfg(test)]
    pub fn set(&mut self, path: &str, value: &str) {
        self.0.insert(path.to_owned(), value.to_owned());
    }
}

/// The settings below net/ipv4/vs that are looked at.
const VS: [&str; 15] = [
    "conn_max",
    "conntrack",
    "drop_entry",
    "drop_packet",
    "expire_nodest_conn",
    "expire_quiescent_template",
    "pmtu_disc",
    "run_estimation",
    "secure_tcp",
    "sloppy_tcp",
    "sync_persist_mode",
    "sync_ports",
    "sync_refresh_period",
    "sync_threshold",
    "sync_version",
];

/// The settings of the whole machine that are looked at.
const GLOBAL: [&str; 6] = [
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv4/conf/all/arp_ignore",
    "net/ipv4/conf/all/arp_announce",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv6/conf/all/forwarding",
];

/// The settings of an interface that are looked at, with the interface's name
/// in place of the star.
const OF_LINK: [&str; 6] = [
    "net/ipv4/conf/*/forwarding",
    "net/ipv4/conf/*/send_redirects",
    "net/ipv4/conf/*/arp_ignore",
    "net/ipv4/conf/*/arp_announce",
    "net/ipv4/conf/*/rp_filter",
    "net/ipv6/conf/*/force_forwarding",
];

fn read_settings<'a>(
    namespace: &Namespace,
    links: impl Iterator<Item = &'a Link>,
    unread: &mut Vec<String>,
) -> Settings {
    let vs = VS.iter().map(|name| format!("net/ipv4/vs/{name}"));
    let global = GLOBAL.iter().map(|path| (*path).to_owned());
    let of_links = links.flat_map(|link| {
        let name = link.name.to_string();
        OF_LINK.iter().map(move |path| path.replace('*', &name))
    });
    let paths: Vec<String> = vs.chain(global).chain(of_links).collect();
    let values = procfs::sysctls(namespace, &paths).unwrap_or_else(|error| {
        unread.push(format!("settings: {}", plain(&error)));
        Vec::new()
    });
    let mut settings = Settings::default();
    for (path, value) in paths.into_iter().zip(values) {
        match value {
            Ok(value) => drop(settings.0.insert(path, value)),
            // Not all kernels have all, nor IPv6.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let name = super::setting_name(&path);
                unread.push(format!("{name}: {}", plain(&error)));
            }
        }
    }
    settings
}

impl Facts {
    /// Reads what the checks of a director look at besides the `table`, of which
    /// there may be `only` this service.
    pub fn read(
        ipvs: &mut Ipvs,
        table: Vec<(Service, Vec<Server>)>,
        only: Option<ServiceKey>,
    ) -> Facts {
        let (mut unread, mut unchecked) = (Vec::new(), Vec::new());
        let mut note = |what: &str, error: &dyn std::fmt::Display| {
            unread.push(format!("{what}: {}", plain(&error)));
        };
        let info = ipvs.info().unwrap_or_else(|error| {
            note("size of the connection table", &error);
            Info::default()
        });
        let daemons = ipvs.daemons().unwrap_or_else(|error| {
            note("sync daemons", &error);
            Vec::new()
        });
        let namespace = &ipvs.namespace().clone();
        let (wanted, own) = addresses(&table);
        let is_virtual = |address: &_| own.contains(address);
        let network = Network::read(namespace, &wanted, is_virtual, &mut unread);
        let ways = network.ways.values().flatten();
        let ways: BTreeSet<u32> = ways.map(|way| way.link).collect();
        let used = network.links.iter();
        let used = used.filter(|link| ways.contains(&link.index));
        let settings = read_settings(namespace, used, &mut unread);
        let mut open = BTreeMap::new();
        if settings.is("net/ipv4/vs/expire_nodest_conn", 0) {
            if only.is_some() {
                unchecked.push("connections of removed servers: that takes all services".into());
            } else if let Err(error) = count_open(namespace, &mut open, &mut unchecked) {
                unread.push(format!("connections: {}", plain(&error)));
            }
        }
        let (mut nat, mut legacy_nat) = (Vec::new(), false);
        let masquerades = |server: &Server| server.config.forwarding == Forwarding::Masq;
        if settings.is("net/ipv4/vs/conntrack", 0)
            && table
                .iter()
                .flat_map(|(_, servers)| servers)
                .any(masquerades)
        {
            let mut note = |what: &str, why: String| unread.push(format!("{what}: {why}"));
            match routing::source_nat(namespace) {
                Ok(rules) => nat = rules,
                Err(error) => note("rules of NAT", plain(&error)),
            }
            match routing::legacy_nat(namespace) {
                Ok(has) => legacy_nat = has,
                Err(error) => note("tables of iptables", plain(&error)),
            }
        }
        Facts {
            table,
            info,
            daemons,
            open,
            nat,
            legacy_nat,
            network,
            settings,
            unread,
            unchecked,
        }
    }
}

/// Up to 6.12 the kernel takes a time for reading its table of connections that
/// grows with the square of their number: half a second for so many, and a
/// minute for a million.
const MOST_CONNECTIONS: u64 = 100_000;

/// The states in which both sides may wait for the other for a long time.
const OPEN: [&[u8]; 2] = [b"ESTABLISHED", b"UDP"];

/// Counts the open connections.
fn count_open(
    namespace: &Namespace,
    open: &mut BTreeMap<(ServiceKey, ServerKey), u64>,
    unchecked: &mut Vec<String>,
) -> io::Result<()> {
    let mut connections = Connections::open(namespace, ConnectionFilter::default())?;
    let mut seen = 0;
    while let Some(mut rows) = connections.next_rows()? {
        while let Some(row) = rows.next_row() {
            let Ok(row) = row else { continue };
            seen += 1;
            let protocol = Protocol::from_title(row.protocol);
            let (Some(protocol), false) = (protocol, row.is_template()) else {
                continue;
            };
            if OPEN.contains(&row.state) {
                let service = ServiceKey::Address {
                    protocol,
                    address: row.service.address,
                    port: row.service.port,
                };
                let (address, port) = (row.server.address, row.server.port);
                let server = ServerKey { address, port };
                *open.entry((service, server)).or_default() += 1;
            }
        }
        if seen >= MOST_CONNECTIONS {
            unchecked.push(format!("connections after the first {seen}"));
            break;
        }
    }
    Ok(())
}

impl Facts {
    /// Reads what everybody may read.
    pub fn without_table(namespace: &Namespace) -> Facts {
        let mut unread = vec!["services and real servers, sync daemons: no right to".to_owned()];
        Facts {
            settings: read_settings(namespace, std::iter::empty(), &mut unread),
            unread,
            ..Facts::default()
        }
    }
}

/// The addresses to which the way is wanted, each once, and the virtual ones
/// among them.
fn addresses(table: &[(Service, Vec<Server>)]) -> (Vec<IpAddr>, HashSet<IpAddr>) {
    let (mut all, mut own) = (vec![AFAR_V4, AFAR_V6], HashSet::new());
    for (service, servers) in table {
        if let ServiceKey::Address { address, .. } = service.key {
            all.push(address);
            own.insert(address);
        }
        all.extend(servers.iter().map(|server| server.key.address));
    }
    all.sort_unstable();
    all.dedup();
    (all, own)
}

impl HereFacts {
    /// Reads what the checks of a real server look at. `wanted` are the
    /// addresses to which the way is wanted, `own` the virtual one.
    pub fn read(
        namespace: &Namespace,
        protocol: Option<Protocol>,
        wanted: &[IpAddr],
        own: Option<IpAddr>,
    ) -> HereFacts {
        let mut unread = Vec::new();
        let is_virtual = |address: &_| own == Some(*address);
        let network = Network::read(namespace, wanted, is_virtual, &mut unread);
        let settings = read_settings(namespace, network.links.iter(), &mut unread);
        let mut known = |what: &str, result: io::Result<Vec<(IpAddr, u16)>>| match result {
            Ok(sockets) => Some(sockets),
            Err(error) => {
                unread.push(format!("{what}: {}", plain(&error)));
                None
            }
        };
        let udp = known("UDP sockets", sockets(namespace, Protocol::Udp));
        let listening = match protocol {
            Some(Protocol::Udp) => udp.clone(),
            Some(other) => known("listening sockets", sockets(namespace, other)),
            None => None,
        };
        HereFacts {
            network,
            settings,
            listening,
            udp_ports: udp.map(|udp| udp.into_iter().map(|(_, port)| port).collect()),
            unread,
        }
    }
}

/// Where something of `protocol` listens.
fn sockets(namespace: &Namespace, protocol: Protocol) -> io::Result<Vec<(IpAddr, u16)>> {
    let mut found = Vec::new();
    match protocol {
        Protocol::Tcp | Protocol::Udp => {
            for name in [
                protocol.name().into_owned(),
                format!("{}6", protocol.name()),
            ] {
                match procfs::net_file(namespace, &name).map(BufReader::new) {
                    Ok(lines) => read_sockets(lines, protocol, &mut found)?,
                    // A kernel without IPv6.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Protocol::Sctp => match procfs::net_file(namespace, "sctp/eps").map(BufReader::new) {
            Ok(lines) => read_sctp(lines, &mut found)?,
            // Nothing has used SCTP yet.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        },
        Protocol::Other(_) => return Err(ErrorKind::Unsupported.into()),
    }
    Ok(found)
}

/// The states (linux/tcp_states.h) of what listens, as /proc/net/tcp and udp
/// write them.
const TCP_LISTEN: &str = "0A";
const UDP_UNCONNECTED: &str = "07";

/// Reads /proc/net/tcp, tcp6, udp or udp6. TCP's sockets that listen come first.
fn read_sockets(
    lines: impl BufRead,
    protocol: Protocol,
    found: &mut Vec<(IpAddr, u16)>,
) -> io::Result<()> {
    for line in lines.lines().skip(1) {
        let line = line?;
        let mut words = line.split_ascii_whitespace().skip(1);
        let (Some(local), Some(state)) = (words.next(), words.nth(1)) else {
            continue;
        };
        match (protocol, state) {
            (Protocol::Tcp, TCP_LISTEN) | (Protocol::Udp, UDP_UNCONNECTED) => {
                found.extend(endpoint(local));
            }
            (Protocol::Tcp, _) => break,
            _ => {}
        }
    }
    Ok(())
}

/// `0100007F:0050`: each four bytes of the address as a number of this machine's
/// byte order.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::new();
    for at in (0..address.len()).step_by(8) {
        let word = u32::from_str_radix(address.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let address: IpAddr = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(octets) => Ipv4Addr::from(octets).into(),
        Err(_) => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into(),
    };
    // An IPv6 socket that is bound to an IPv4 address.
    Some((address.to_canonical(), port))
}

/// Reads /proc/net/sctp/eps: `ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS`.
fn read_sctp(lines: impl BufRead, found: &mut Vec<(IpAddr, u16)>) -> io::Result<()> {
    for line in lines.lines().skip(1) {
        let line = line?;
        let mut words = line.split_ascii_whitespace().skip(5);
        let Some(port) = words.next().and_then(|word| word.parse().ok()) else {
            continue;
        };
        let addresses = words.skip(2).filter_map(|word| word.parse().ok());
        found.extend(addresses.map(|address| (address, port)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   2: 0100007F:0051 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 1
   3: 0100007F:0052 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
";

    fn listening(text: &str, protocol: Protocol) -> Vec<String> {
        let mut found = Vec::new();
        match protocol {
            Protocol::Sctp => read_sctp(text.as_bytes(), &mut found).unwrap(),
            _ => read_sockets(text.as_bytes(), protocol, &mut found).unwrap(),
        }
        let shown = found.iter().map(|(ip, port)| format!("{ip} {port}"));
        shown.collect()
    }

    #[test]
    fn listening_sockets() {
        if cfg!(target_endian = "little") {
            assert_eq!(
                listening(TCP, Protocol::Tcp),
                ["127.0.0.1 80", "0.0.0.0 8080"]
            );
        }
        let udp = "head\n 7: 00000000000000000000000001000000:0035 0:0 07 x\n 8: junk 1 07\n 9:\n \
                   9: 0000000000000000FFFF00000100007F:0035 0:0 07 x\n";
        if cfg!(target_endian = "little") {
            assert_eq!(listening(udp, Protocol::Udp), ["::1 53", "127.0.0.1 53"]);
        }
        let sctp = "head\nffff ffff 2 10 5 8080 0 123 10.0.0.1 fd00::1\nshort\n";
        assert_eq!(
            listening(sctp, Protocol::Sctp),
            ["10.0.0.1 8080", "fd00::1 8080"]
        );
    }
}

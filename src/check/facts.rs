//! What the checks need to know about this machine, read once.
//!
//! What cannot be read is left out of the facts and reported as not read. Nothing
//! is judged here.

use super::routing::{self, Link, LinkAddress, Route, RouteAnswer, Routing, SourceNat};
use super::{Findings, setting_name};
use crate::connections::{ConnectionFilter, Connections};
use crate::procfs;
use crate::render::words::count;
use crate::selection::Network;
use anyhow::{Context, Error, Result, anyhow};
use ipvs::{
    Daemon, DaemonRole, Family, Forwarding, Info, Ipvs, Namespace, Protocol, ServerKey, ServiceKey,
    Table,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Public addresses: their routes stand for the route to remote clients. Nothing
/// is sent there.
const REMOTE_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));
const REMOTE_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111));

/// The remote address of a family.
pub fn remote(family: Family) -> IpAddr {
    match family {
        Family::Inet => REMOTE_V4,
        Family::Inet6 => REMOTE_V6,
    }
}

/// What [`super::director`] needs.
#[derive(Debug, Default)]
pub struct Facts {
    /// Services with their servers.
    pub table: Table,
    /// The size of the connection table.
    pub info: Info,
    /// The sync daemons; `None` if they could not be read.
    pub daemons: Option<Vec<Daemon>>,
    /// How many connections are open between a virtual address and a server. The
    /// kernel does not list the service of a connection with a mark.
    pub open: BTreeMap<(ServiceKey, ServerKey), u64>,
    /// Interfaces, addresses and routes.
    pub network: NetworkState,
    /// Rules that change the source of packets, read where they do not apply to
    /// packets of IPVS.
    pub nat: Vec<SourceNat>,
    /// Whether there may be such rules of iptables-legacy, which cannot be read.
    pub legacy_nat: bool,
    /// Settings of the kernel.
    pub settings: Sysctls,
}

/// What [`super::real_server`] needs.
#[derive(Debug, Default)]
pub struct LocalFacts {
    /// Interfaces, addresses and routes.
    pub network: NetworkState,
    /// Settings of the kernel.
    pub settings: Sysctls,
    /// Where something listens; `None` if that is not known.
    pub listening: Option<Vec<(IpAddr, u16)>>,
    /// The UDP ports that are bound, including those of the kernel's tunnels.
    pub udp_ports: Option<BTreeSet<u16>>,
}

/// Interfaces, addresses and routes; all of them empty if one could not be read.
#[derive(Debug, Default)]
pub struct NetworkState {
    /// All interfaces.
    pub links: Vec<Link>,
    /// Their addresses, sorted: a director may have thousands.
    pub addresses: Vec<LinkAddress>,
    /// The routes to some addresses, or the errno that the kernel has for them.
    pub routes: HashMap<IpAddr, RouteAnswer>,
    /// What any routing table holds to be local; read only where the route to a
    /// virtual address leaves that in doubt.
    pub local: Vec<Network>,
}

impl NetworkState {
    /// Reads interfaces, addresses and the routes to `wanted`. Those that
    /// `is_virtual` accepts ought to be this machine's own.
    fn read(
        namespace: &Namespace,
        wanted: &[IpAddr],
        is_virtual: impl Fn(&IpAddr) -> bool,
    ) -> Result<NetworkState> {
        let mut routing =
            Routing::open(namespace).context("network interfaces, addresses, routes")?;
        let links = routing.links().context("network interfaces")?;
        let mut addresses = routing.addresses().context("addresses")?;
        addresses.sort_by_key(|own| own.address);
        let answers = routing.routes(wanted).context("routes")?;
        let routes: HashMap<_, _> = wanted.iter().copied().zip(answers).collect();
        let is_doubtful = |address: &IpAddr| {
            let is_local = routes[address].is_ok_and(|route: Route| route.local);
            is_virtual(address) && !is_local
        };
        let mut local = Vec::new();
        for family in [Family::Inet, Family::Inet6] {
            let mut of_family = wanted.iter().filter(|ip| Family::of(ip) == family);
            if of_family.any(is_doubtful) {
                local.extend(routing.local_routes(family).context("local routes")?);
            }
        }
        Ok(NetworkState {
            links,
            addresses,
            routes,
            local,
        })
    }

    /// The interface with this number.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// Its name.
    pub fn link_name(&self, index: u32) -> String {
        let link = self.link(index);
        link.map_or_else(|| "?".into(), |link| link.name.to_string())
    }

    /// The route to `address`, if there is one.
    pub fn route(&self, address: &IpAddr) -> Option<Route> {
        self.routes.get(address).copied()?.ok()
    }

    /// Whether the kernel accepts packets to `address` as its own; `None` if that
    /// is not known. Routes decide it, not interfaces: the route can be in a table
    /// that is used for some packets only, as that of a VRF.
    pub fn is_own(&self, address: &IpAddr) -> Option<bool> {
        let route = self.routes.get(address)?;
        let is_local = || self.local.iter().any(|local| local.contains(address));
        Some(route.is_ok_and(|route| route.local) || is_local())
    }

    /// The interfaces that have `address`.
    pub fn with_address(&self, address: IpAddr) -> impl Iterator<Item = (&Link, &LinkAddress)> {
        let first = self.addresses.partition_point(|own| own.address < address);
        self.addresses[first..]
            .iter()
            .take_while(move |own| own.address == address)
            .filter_map(|own| Some((self.link(own.link)?, own)))
    }

    /// The addresses of an interface.
    pub fn addresses_of(&self, link: &Link) -> impl Iterator<Item = &LinkAddress> {
        let index = link.index;
        self.addresses.iter().filter(move |own| own.link == index)
    }

    /// The interface in whose subnet `address` is.
    pub fn near(&self, address: &IpAddr) -> Option<&Link> {
        let is_near = |own: &&LinkAddress| own.address != *address && own.network_contains(address);
        self.link(self.addresses.iter().find(is_near)?.link)
    }

    /// The interfaces that lead to other machines: up, and neither `lo` nor
    /// without ARP.
    pub fn outside(&self) -> impl Iterator<Item = &Link> {
        let links = self.links.iter();
        links.filter(|link| link.up && !link.loopback && !link.noarp)
    }
}

/// Settings of the kernel by their paths below /proc/sys.
#[derive(Debug, Default)]
pub struct Sysctls(HashMap<String, String>);

impl Sysctls {
    fn read<'a>(
        namespace: &Namespace,
        links: impl Iterator<Item = &'a Link>,
        report: &mut Findings,
    ) -> Sysctls {
        let vs = VS.iter().map(|name| format!("net/ipv4/vs/{name}"));
        let global = GLOBAL.iter().map(|path| (*path).to_owned());
        let of_links = links.flat_map(|link| {
            let name = link.name.to_string();
            OF_LINK.iter().map(move |path| path.replace('*', &name))
        });
        let paths: Vec<String> = vs.chain(global).chain(of_links).collect();
        let values = report.read(procfs::sysctls(namespace, &paths).context("settings"));
        let is_missing = |value: &io::Result<String>| {
            let error = value.as_ref().err();
            error.is_some_and(|error| error.kind() == ErrorKind::NotFound)
        };
        // Every kernel has some of them, unless /proc is not what it should be.
        if !values.is_empty() && values.iter().all(is_missing) {
            report
                .unread
                .push(anyhow!("settings: there are none in /proc/sys"));
        }
        let mut settings = Sysctls::default();
        for (path, value) in paths.into_iter().zip(values) {
            match value {
                Ok(value) => settings.set(&path, &value),
                // Not all kernels have all of them, nor IPv6.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let error = Error::new(error).context(setting_name(&path));
                    report.unread.push(error);
                }
            }
        }
        settings
    }

    /// The value of a setting; `None` where there is none.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The value of a setting that is a number, which the kernel always writes so
    /// that it can be read.
    pub fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// Whether a setting is known to be `value`.
    pub fn is(&self, path: &str, value: i64) -> bool {
        self.number(path) == Some(value)
    }

    pub(super) fn set(&mut self, path: &str, value: &str) {
        self.0.insert(path.to_owned(), value.to_owned());
    }
}

/// The settings below net/ipv4/vs that the checks need.
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

/// The settings of the whole machine that the checks need.
const GLOBAL: [&str; 6] = [
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv4/conf/all/arp_ignore",
    "net/ipv4/conf/all/arp_announce",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv6/conf/all/forwarding",
];

/// The settings of an interface that the checks need; `*` stands for its name.
const OF_LINK: [&str; 6] = [
    "net/ipv4/conf/*/forwarding",
    "net/ipv4/conf/*/send_redirects",
    "net/ipv4/conf/*/arp_ignore",
    "net/ipv4/conf/*/arp_announce",
    "net/ipv4/conf/*/rp_filter",
    "net/ipv6/conf/*/force_forwarding",
];

impl Facts {
    /// Reads what the checks of a director need besides the `table`, which is
    /// that of the `whole` director or a part of it.
    pub fn read(ipvs: &mut Ipvs, table: Table, whole: bool, report: &mut Findings) -> Facts {
        let info = ipvs.info().context("size of the connection table");
        let info = report.read(info);
        let daemons = ipvs.daemons().map(Some).context("sync daemons");
        let daemons = report.read(daemons);
        let namespace = &ipvs.namespace().clone();
        let (wanted, virtual_addresses) = addresses(&table);
        let is_virtual = |address: &_| virtual_addresses.contains(address);
        let network = report.read(NetworkState::read(namespace, &wanted, is_virtual));
        let in_use: BTreeSet<u32> = network
            .routes
            .values()
            .flatten()
            .map(|route| route.link)
            .collect();
        let links = network.links.iter();
        let links = links.filter(|link| in_use.contains(&link.index));
        let settings = Sysctls::read(namespace, links, report);
        // The kernel has none in a namespace of an unprivileged user.
        let has_vs = VS
            .iter()
            .any(|name| settings.text(&format!("net/ipv4/vs/{name}")).is_some());
        if !has_vs {
            report.unsure("settings of IPVS: this network namespace has none in net.ipv4.vs");
        }
        let mut facts = Facts {
            table,
            info,
            daemons,
            network,
            settings,
            ..Facts::default()
        };
        if facts.settings.is("net/ipv4/vs/expire_nodest_conn", 0) {
            if !whole {
                report.unsure("connections to removed servers: only --check of all services can");
            } else {
                let open = open_connections(namespace, report).context("connections");
                facts.open = report.read(open);
            }
        }
        if facts.settings.is("net/ipv4/vs/conntrack", 0) && facts.masquerades() {
            match routing::source_nat(namespace).context("NAT rules") {
                Ok(Some(rules)) => facts.nat = rules,
                Ok(None) => report.unsure("NAT rules: is nf_tables built into this kernel?"),
                Err(error) => report.unread.push(error),
            }
            facts.legacy_nat =
                report.read(routing::legacy_nat(namespace).context("tables of iptables"));
        }
        facts
    }

    /// Reads what everybody may read.
    pub fn without_table(namespace: &Namespace, report: &mut Findings) -> Facts {
        let tables = "services, real servers, sync daemons";
        report.unread.push(anyhow!("{tables}: permission denied"));
        Facts {
            settings: Sysctls::read(namespace, std::iter::empty(), report),
            ..Facts::default()
        }
    }

    fn masquerades(&self) -> bool {
        let mut servers = self.table.servers();
        servers.any(|server| server.config.forwarding == Forwarding::Masq)
    }

    /// Whether a sync daemon with this role is known to run.
    pub fn has_daemon(&self, role: DaemonRole) -> bool {
        let mut daemons = self.daemons.iter().flatten();
        daemons.any(|daemon| daemon.role == role)
    }
}

/// Up to Linux 6.12, the time to read the kernel's connection table grows with the
/// square of its size: half a second for so many, and a minute for a million.
const MOST_CONNECTIONS: u64 = 100_000;

/// The states in which both sides may wait for the other for a long time.
const OPEN: [&[u8]; 2] = [b"ESTABLISHED", b"UDP"];

/// Counts the open connections.
fn open_connections(
    namespace: &Namespace,
    report: &mut Findings,
) -> io::Result<BTreeMap<(ServiceKey, ServerKey), u64>> {
    let mut connections = Connections::open(namespace, ConnectionFilter::default())?;
    let mut open = BTreeMap::new();
    let (mut seen, mut unreadable) = (0, 0);
    while let Some(rows) = connections.next_rows()? {
        for row in rows {
            seen += 1;
            let Ok(row) = row else {
                unreadable += 1;
                continue;
            };
            let protocol = Protocol::from_kernel_name(row.protocol);
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
            report.unsure(format!("connections after the first {seen}"));
            break;
        }
    }
    if unreadable > 0 {
        let rows = count(unreadable, "row");
        report
            .unread
            .push(anyhow!("{rows} of the connection table"));
    }
    Ok(open)
}

/// The addresses whose routes are wanted, each once, and the virtual ones among
/// them.
pub(super) fn addresses(table: &Table) -> (Vec<IpAddr>, HashSet<IpAddr>) {
    let mut all = vec![REMOTE_V4, REMOTE_V6];
    let mut virtual_addresses = HashSet::new();
    for (service, servers) in &table.services {
        if let ServiceKey::Address { address, .. } = service.key {
            all.push(address);
            virtual_addresses.insert(address);
        }
        all.extend(servers.iter().map(|server| server.key.address));
    }
    all.sort_unstable();
    all.dedup();
    (all, virtual_addresses)
}

impl LocalFacts {
    /// Reads what the checks of a real server need. `wanted` are the addresses
    /// whose routes are wanted, among them the virtual one.
    pub fn read(
        namespace: &Namespace,
        protocol: Option<Protocol>,
        wanted: &[IpAddr],
        virtual_address: Option<IpAddr>,
        report: &mut Findings,
    ) -> LocalFacts {
        let is_virtual = |address: &_| virtual_address == Some(*address);
        let network = report.read(NetworkState::read(namespace, wanted, is_virtual));
        let settings = Sysctls::read(namespace, network.links.iter(), report);
        let udp = sockets(namespace, Protocol::Udp).map(Some);
        let udp = report.read(udp.context("UDP sockets"));
        let listening = match protocol {
            Some(Protocol::Udp) => udp.clone(),
            Some(other) => report.read(
                sockets(namespace, other)
                    .map(Some)
                    .context("listening sockets"),
            ),
            None => None,
        };
        LocalFacts {
            network,
            settings,
            listening,
            udp_ports: udp.map(|udp| udp.into_iter().map(|(_, port)| port).collect()),
        }
    }
}

/// Where something of `protocol` listens.
fn sockets(namespace: &Namespace, protocol: Protocol) -> io::Result<Vec<(IpAddr, u16)>> {
    let name = protocol.name();
    let files = match protocol {
        Protocol::Tcp | Protocol::Udp => vec![name.to_string(), format!("{name}6")],
        Protocol::Sctp => vec!["sctp/eps".to_owned()],
        Protocol::Other(_) => return Err(ErrorKind::Unsupported.into()),
    };
    let mut found = Vec::new();
    for file in files {
        match procfs::net_file(namespace, &file).map(BufReader::new) {
            Ok(lines) if protocol == Protocol::Sctp => read_sctp(lines, &mut found)?,
            Ok(lines) => read_sockets(lines, protocol, &mut found)?,
            // A kernel without IPv6, or nothing has used SCTP yet.
            Err(error) if error.kind() == ErrorKind::NotFound && file != *name => {}
            Err(error) => return Err(error),
        }
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
            return Err(ErrorKind::InvalidData.into());
        };
        match (protocol, state) {
            (Protocol::Tcp, TCP_LISTEN) | (Protocol::Udp, UDP_UNCONNECTED) => {
                found.push(endpoint(local).ok_or(ErrorKind::InvalidData)?);
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
        let port = words.next().and_then(|word| word.parse().ok());
        let port = port.ok_or(ErrorKind::InvalidData)?;
        for word in words.skip(2) {
            let address = word.parse().map_err(|_| ErrorKind::InvalidData)?;
            found.push((address, port));
        }
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

    fn listening(text: &str, protocol: Protocol) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        match protocol {
            Protocol::Sctp => read_sctp(text.as_bytes(), &mut found)?,
            _ => read_sockets(text.as_bytes(), protocol, &mut found)?,
        }
        let shown = found.iter().map(|(ip, port)| format!("{ip} {port}"));
        Ok(shown.collect())
    }

    #[test]
    fn listening_sockets_are_read() {
        if cfg!(target_endian = "little") {
            let sockets = listening(TCP, Protocol::Tcp).unwrap();
            assert_eq!(sockets, ["127.0.0.1 80", "0.0.0.0 8080"]);
            let udp = "head\n 7: 00000000000000000000000001000000:0035 0:0 07 x\n \
                       9: 0000000000000000FFFF00000100007F:0035 0:0 07 x\n";
            let sockets = listening(udp, Protocol::Udp).unwrap();
            assert_eq!(sockets, ["::1 53", "127.0.0.1 53"]);
        }
        let sctp = "head\nffff ffff 2 10 5 8080 0 123 10.0.0.1 fd00::1\n";
        let sockets = listening(sctp, Protocol::Sctp).unwrap();
        assert_eq!(sockets, ["10.0.0.1 8080", "fd00::1 8080"]);
    }

    #[test]
    fn lines_that_are_not_sockets_are_errors() {
        for (line, protocol) in [
            ("7:", Protocol::Tcp),
            ("7: junk 0:0 0A", Protocol::Tcp),
            ("7: 0100007F:port 0:0 07", Protocol::Udp),
            ("7: 01:0035 0:0 07", Protocol::Udp),
            ("short", Protocol::Sctp),
            ("ffff ffff 2 10 5 8080 0 123 address", Protocol::Sctp),
        ] {
            let sockets = listening(&format!("head\n{line}\n"), protocol);
            assert!(sockets.is_err(), "{line}: {sockets:?}");
        }
    }
}

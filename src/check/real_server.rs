//! The checks of a real server: this machine, for one virtual service and one
//! forwarding method.

use super::facts::{HereFacts, afar};
use super::{Finding, Findings, Kind, errno_text, on_loopback};
use crate::check::routing::Link;
use ipvs::{Family, Forwarding, Name, Namespace, Protocol, ServerKey, ServiceKey, Tunnel};
use std::net::IpAddr;

/// What this machine is to be a real server of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The virtual service.
    pub service: ServiceKey,
    /// The real server's own address and port, as the director has them; without
    /// it, those of the service.
    pub server: Option<ServerKey>,
    /// How packets come.
    pub forwarding: Forwarding,
}

impl Role {
    /// Reads what [`check`] looks at.
    pub fn read(&self, namespace: &Namespace) -> HereFacts {
        let mut wanted = vec![afar(self.service.family())];
        wanted.extend(self.virtual_address());
        wanted.extend(self.server.map(|server| server.address));
        HereFacts::read(
            namespace,
            self.service.protocol(),
            &wanted,
            self.virtual_address(),
        )
    }

    /// The virtual address; a mark has none.
    fn virtual_address(&self) -> Option<IpAddr> {
        match self.service {
            ServiceKey::Address { address, .. } => Some(address),
            ServiceKey::Fwmark { .. } => None,
        }
    }

    fn is_masqueraded(&self) -> bool {
        self.forwarding == Forwarding::Masq
    }
}

/// What is wrong on a real server.
pub fn check(role: &Role, facts: HereFacts) -> Findings {
    let (mut found, mut unchecked) = (Vec::new(), Vec::new());
    if role.is_masqueraded() {
        way_back(role, &facts, &mut found, &mut unchecked);
    } else {
        match role.virtual_address() {
            Some(address) => {
                has_address(address, &facts, &mut found);
                keeps_quiet(address, &facts, &mut found, &mut unchecked);
            }
            None => unchecked.push("the virtual addresses: the mark does not tell them".into()),
        }
    }
    if let Forwarding::Tunnel(tunnel) = role.forwarding {
        unpacks(role, tunnel, &facts, &mut found, &mut unchecked);
    }
    listens(role, &facts, &mut found, &mut unchecked);
    unchecked.push("rules of nftables and iptables".into());
    for finding in &mut found {
        finding.service = Some(role.service);
    }
    Findings::new(found, facts.unread, unchecked)
}

/// The virtual address must be this machine's, or it drops the packets.
fn has_address(address: IpAddr, facts: &HereFacts, found: &mut Vec<Finding>) {
    found.extend(on_loopback(&facts.network, address));
    if facts.network.is_own(&address) != Some(false) {
        return;
    }
    let seen = format!("no interface has {address}, and no local route leads to it");
    let length = if address.is_ipv4() { 32 } else { 128 };
    let finding = Finding::new(Kind::NoAddress, seen);
    found.push(finding.command(format!("ip address add {address}/{length} dev lo")));
}

/// Only the director may be found under the virtual address by its neighbours.
fn keeps_quiet(
    address: IpAddr,
    facts: &HereFacts,
    found: &mut Vec<Finding>,
    unchecked: &mut Vec<String>,
) {
    let network = &facts.network;
    // On an interface to others it answers whatever the settings: arp_ignore 1
    // and 2 are for the addresses of other interfaces, as IPv6 always is.
    let mut own = network.with_address(address);
    let exposed = own.find(|(link, _)| link.up && !link.loopback && !link.noarp);
    if let Some((link, own)) = exposed {
        if !(address.is_ipv4() && effective(facts, link, "arp_ignore") == Some(8)) {
            let seen = format!("{address} is on {}, where neighbours ask for it", link.name);
            let finding = Finding::new(Kind::AnswersArp, seen);
            let length = if address.is_ipv4() { 32 } else { 128 };
            let finding = finding.command(format!(
                "ip address delete {address}/{} dev {}",
                own.prefix_len, link.name
            ));
            return found
                .push(finding.command(format!("ip address add {address}/{length} dev lo")));
        }
    }
    if !address.is_ipv4() || network.is_own(&address) != Some(true) {
        return;
    }
    for (name, least, kind) in [
        ("arp_ignore", 1, Kind::AnswersArp),
        ("arp_announce", 2, Kind::AnnouncesArp),
    ] {
        let loud = network
            .outside()
            .filter(|link| effective(facts, link, name).is_some_and(|value| value < least));
        let (near, far): (Vec<&Link>, Vec<&Link>) = loud.partition(|link| {
            let mut own = network
                .addresses
                .iter()
                .filter(|own| own.link == link.index);
            own.any(|own| own.address != address && own.network_contains(&address))
        });
        if let Some(link) = near.first() {
            let value = effective(facts, link, name).unwrap_or(0);
            let seen = format!(
                "{name} of {} is {value}, its network has {address}",
                link.name
            );
            let path = format!("net/ipv4/conf/all/{name}");
            found.push(Finding::new(kind, seen).sysctl(&path, least));
        } else if let Some(link) = far.first() {
            unchecked.push(format!(
                "whether anybody on {} asks for {address} by ARP; {name} is less than {least}",
                link.name
            ));
        }
    }
}

/// The value in force: the larger one of `all` and of the interface.
fn effective(facts: &HereFacts, link: &Link, name: &str) -> Option<i64> {
    let of = |whose: &str| {
        facts
            .settings
            .number(&format!("net/ipv4/conf/{whose}/{name}"))
    };
    of("all").max(of(&link.name.to_string()))
}

/// The kinds of device that unpack what comes, and the module that brings one
/// along.
fn devices(
    tunnel: Tunnel,
    inner: Family,
    outer: Family,
) -> (&'static [&'static str], &'static str, &'static str) {
    match (tunnel, inner, outer) {
        (Tunnel::Gre { .. }, _, Family::Inet) => (&["gre"], "ip_gre", "gre0"),
        (Tunnel::Gre { .. }, _, Family::Inet6) => (&["ip6gre"], "ip6_gre", "ip6gre0"),
        (_, _, Family::Inet6) => (&["ip6tnl"], "ip6_tunnel", "ip6tnl0"),
        (_, Family::Inet, Family::Inet) => (&["ipip"], "ipip", "tunl0"),
        (_, Family::Inet6, Family::Inet) => (&["sit"], "sit", "sit0"),
    }
}

fn unpacks(
    role: &Role,
    tunnel: Tunnel,
    facts: &HereFacts,
    found: &mut Vec<Finding>,
    unchecked: &mut Vec<String>,
) {
    let inner = role.service.family();
    let outer = role
        .server
        .map_or(inner, |server| Family::of(&server.address));
    let (kinds, module, device) = devices(tunnel, inner, outer);
    let is_kind = |link: &&Link| kinds.iter().any(|kind| link.kind == Name::from(*kind));
    if facts.network.links.is_empty() {
        return;
    }
    let (protocol, version) = match inner {
        Family::Inet => (libc::IPPROTO_IPIP, 4),
        Family::Inet6 => (libc::IPPROTO_IPV6, 6),
    };
    let takes = |link: &&Link| [0, protocol].contains(&link.inner.into());
    let links = facts.network.links.iter().filter(is_kind);
    let (all, others): (Vec<&Link>, Vec<&Link>) = links.partition(takes);
    let up: Vec<&Link> = all.iter().copied().filter(|link| link.up).collect();
    match (all.first(), up.first()) {
        (None, _) => {
            let seen = match others.first() {
                None => format!("no device of type {}", kinds[0]),
                Some(link) => format!("{} does not unpack IPv{version} packets", link.name),
            };
            let mut finding = Finding::new(Kind::NoTunnel, seen);
            finding = finding.command(format!("modprobe {module}"));
            if (kinds, inner) == (&["ip6tnl"], Family::Inet) {
                // It comes for IPv6 packets alone.
                finding = finding.command(format!("ip -6 tunnel change {device} mode any"));
            }
            found.push(finding.command(format!("ip link set dev {device} up")));
        }
        (Some(down), None) => {
            let seen = format!("{} is down", down.name);
            let finding = Finding::new(Kind::TunnelDown, seen);
            found.push(finding.command(format!("ip link set dev {} up", down.name)));
        }
        (_, Some(first)) => {
            if let (Some(remote), true) = (first.remote, up.iter().all(|l| l.remote.is_some())) {
                unchecked.push(format!(
                    "whether the director is {remote}: {} takes packets from that alone",
                    first.name
                ));
            }
        }
    }
    if let (Tunnel::Gue { port, .. }, Some(bound)) = (tunnel, &facts.udp_ports) {
        if !bound.contains(&port) {
            let seen = format!("UDP port {port} is not bound");
            let version = if outer == Family::Inet6 { " -6" } else { "" };
            let module = if outer == Family::Inet6 {
                "fou6"
            } else {
                "fou"
            };
            let finding = Finding::new(Kind::NoTunnel, seen);
            let finding = finding.command(format!("modprobe {module}"));
            found.push(finding.command(format!("ip fou add port {port} gue{version}")));
        }
    }
    if inner == Family::Inet {
        // The client's packets come out of the tunnel, and the way to the client
        // is another interface.
        for link in up {
            if effective(facts, link, "rp_filter") == Some(1) {
                let seen = format!("rp_filter of {} is 1", link.name);
                // The larger value is in force, and 2 is larger than 1.
                let path = format!("net/ipv4/conf/{}/rp_filter", link.name);
                found.push(Finding::new(Kind::TunnelFiltered, seen).sysctl(&path, 2));
            }
        }
    }
}

/// The answers must pass the director: who that is, is not known here.
fn way_back(role: &Role, facts: &HereFacts, found: &mut Vec<Finding>, unchecked: &mut Vec<String>) {
    let family = role
        .server
        .map_or(role.service.family(), |s| Family::of(&s.address));
    match facts.network.ways.get(&afar(family)) {
        None => {}
        Some(Err(errno)) => {
            let why = errno_text(*errno);
            let finding = Finding::new(Kind::NoWayBack, format!("no default route: {why}"));
            found.push(finding.command("ip route add default via DIRECTOR"));
        }
        Some(Ok(way)) => {
            let device = facts.network.link(way.link);
            let device = device.map_or_else(|| "?".into(), |link| link.name.to_string());
            unchecked.push(match way.gateway {
                Some(gateway) => {
                    format!("whether {gateway}, the way to the clients, is the director")
                }
                None => format!("whether the director is on {device}, the way to the clients"),
            });
            unchecked
                .push("whether clients are neighbours: these get answers past the director".into());
        }
    }
}

/// Something must listen where the packets arrive.
fn listens(role: &Role, facts: &HereFacts, found: &mut Vec<Finding>, unchecked: &mut Vec<String>) {
    let port = match (role.is_masqueraded(), role.server) {
        (true, Some(server)) => server.port,
        _ => role.service.port(),
    };
    let (Some(protocol), false) = (role.service.protocol(), port == 0) else {
        return unchecked.push("whether something listens: the service has no port".into());
    };
    let Some(listening) = &facts.listening else {
        return;
    };
    let at = match role.is_masqueraded() {
        true => role.server.map(|server| server.address),
        false => role.virtual_address(),
    };
    let there = listening.iter().filter(|(_, p)| *p == port);
    let there: Vec<IpAddr> = there.map(|(address, _)| *address).collect();
    let reached = |address: &IpAddr| match at {
        None => !address.is_loopback(),
        // [::] takes IPv4 as well, unless it is told not to, which cannot be seen.
        Some(at) => {
            *address == at || address.is_unspecified() && (address.is_ipv6() || at.is_ipv4())
        }
    };
    if there.iter().any(reached) {
        return;
    }
    let name = if protocol == Protocol::Udp {
        "UDP".into()
    } else {
        protocol.title()
    };
    let where_to = at.map_or_else(String::new, |at| format!(" of {at}"));
    let mut seen = format!("nothing has {name} port {port}{where_to}");
    if !there.is_empty() {
        let others: Vec<String> = there.iter().map(IpAddr::to_string).collect();
        seen.push_str(&format!(", only {}", others.join(", ")));
    }
    found.push(Finding::new(Kind::NotListening, seen).command("systemctl start SERVICE"));
}

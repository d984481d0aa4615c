//! The checks of a real server: this machine, for one virtual service and one
//! forwarding method.

use super::facts::{LocalFacts, remote};
use super::routing::Link;
use super::{Finding, Findings, Fix, Kind, host, on_loopback};
use ipvs::{Errno, Family, Forwarding, Name, Namespace, ServerKey, ServiceKey, Tunnel};
use std::net::{IpAddr, SocketAddr};

/// What this machine is to be a real server of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The virtual service.
    pub service: ServiceKey,
    /// The real server's own address and port as the director knows them; if not
    /// given, those of the service.
    pub server: Option<ServerKey>,
    /// How the director forwards packets to it.
    pub forwarding: Forwarding,
}

impl Membership {
    /// Reads what [`check`] needs.
    pub fn read(&self, namespace: &Namespace, report: &mut Findings) -> LocalFacts {
        let (protocol, wanted) = (self.service.protocol(), self.addresses());
        LocalFacts::read(namespace, protocol, &wanted, self.virtual_address(), report)
    }

    /// The addresses whose routes are wanted.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let mut wanted = vec![remote(self.outer_family())];
        wanted.extend(self.virtual_address());
        wanted.extend(self.server.map(|server| server.address));
        wanted
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

    /// The family of the packets that arrive here: inside a tunnel they may be of
    /// another one.
    fn outer_family(&self) -> Family {
        let own = self.server.map(|server| Family::of(&server.address));
        own.unwrap_or(self.service.family())
    }
}

/// Reports what is wrong on a real server.
pub fn check(member: &Membership, facts: &LocalFacts, report: &mut Findings) {
    report.about = Some(member.service);
    match member.virtual_address() {
        _ if member.is_masqueraded() => way_back(member, facts, report),
        Some(address) => {
            has_address(address, facts, report);
            keeps_quiet(address, facts, report);
        }
        None => report.unsure("the virtual addresses: those of a mark are not known"),
    }
    if let Forwarding::Tunnel(tunnel) = member.forwarding {
        decapsulates(member, tunnel, facts, report);
    }
    listens(member, facts, report);
    report.unsure("rules of nftables and iptables");
    report.sort();
}

/// The virtual address must be local, or the kernel drops the packets.
fn has_address(address: IpAddr, facts: &LocalFacts, report: &mut Findings) {
    if let Some(finding) = on_loopback(&facts.network, address) {
        report.find(finding);
    }
    if facts.network.is_own(&address) == Some(false) {
        let seen = format!("no interface has {address}, and no local route leads to it");
        let finding = Finding::new(Kind::NoAddress, seen);
        report.find(finding.command(format!("ip address add {} dev lo", host(address))));
    }
}

/// Neighbours must find only the director under the virtual address.
fn keeps_quiet(address: IpAddr, facts: &LocalFacts, report: &mut Findings) {
    if let Some(finding) = exposed(address, facts) {
        return report.find(finding);
    }
    if address.is_ipv4() && facts.network.is_own(&address) == Some(true) {
        arp(address, facts, report, Kind::AnswersArp, "arp_ignore", 1);
        arp(
            address,
            facts,
            report,
            Kind::AnnouncesArp,
            "arp_announce",
            2,
        );
    }
}

/// An interface to others that has the address answers for it, whatever the
/// settings: arp_ignore 1 and 2 are about the addresses of other interfaces, and
/// IPv6 has no such setting.
fn exposed(address: IpAddr, facts: &LocalFacts) -> Option<Finding> {
    let (link, own) = facts
        .network
        .with_address(address)
        .find(|(link, _)| link.up && !link.loopback && !link.noarp)?;
    if address.is_ipv4() && effective(facts, link, "arp_ignore") == Some(8) {
        return None;
    }
    let (length, device) = (own.prefix_len, link.name);
    let seen = format!("{address} is on {device}, where neighbours ask for it");
    let finding = Finding::new(Kind::AnswersArp, seen)
        .command(format!("ip address delete {address}/{length} dev {device}"))
        .command(format!("ip address add {} dev lo", host(address)));
    Some(finding)
}

/// Finds an interface with a value of the ARP setting `name` below `least`. It
/// matters where neighbours may ask for the address, which is certain only in the
/// address's own subnet.
fn arp(
    address: IpAddr,
    facts: &LocalFacts,
    report: &mut Findings,
    kind: Kind,
    name: &str,
    least: i64,
) {
    let network = &facts.network;
    let loud: Vec<(&Link, i64)> = network
        .outside()
        .filter_map(|link| Some((link, effective(facts, link, name)?)))
        .filter(|(_, value)| *value < least)
        .collect();
    let is_near = |link: &Link| {
        let mut own = network.addresses_of(link);
        own.any(|own| own.address != address && own.network_contains(&address))
    };
    if let Some((link, value)) = loud.iter().find(|(link, _)| is_near(link)) {
        let device = link.name;
        let seen = format!("{name} of {device} is {value}, and {address} is in its subnet");
        let path = format!("net/ipv4/conf/all/{name}");
        report.find(Finding::new(kind, seen).sysctl(&path, least));
    } else if let Some((link, _)) = loud.first() {
        report.unsure(format!(
            "whether anybody on {} asks for {address} by ARP: {name} is less than {least}",
            link.name
        ));
    }
}

/// The value in force: the larger one of `all` and of the interface.
fn effective(facts: &LocalFacts, link: &Link, name: &str) -> Option<i64> {
    let value = |of: &str| {
        let path = format!("net/ipv4/conf/{of}/{name}");
        facts.settings.number(&path)
    };
    value("all").max(value(&link.name.to_string()))
}

/// A kind of device that decapsulates.
struct Decapsulator {
    /// As `ip link add type` calls it.
    kind: &'static str,
    /// The module that has it.
    module: &'static str,
    /// The device that comes with the module.
    device: &'static str,
}

impl Decapsulator {
    fn of(tunnel: Tunnel, inner: Family, outer: Family) -> Decapsulator {
        let (kind, module, device) = match (tunnel, inner, outer) {
            (Tunnel::Gre { .. }, _, Family::Inet) => ("gre", "ip_gre", "gre0"),
            (Tunnel::Gre { .. }, _, Family::Inet6) => ("ip6gre", "ip6_gre", "ip6gre0"),
            (_, _, Family::Inet6) => ("ip6tnl", "ip6_tunnel", "ip6tnl0"),
            (_, Family::Inet, Family::Inet) => ("ipip", "ipip", "tunl0"),
            (_, Family::Inet6, Family::Inet) => ("sit", "sit", "sit0"),
        };
        Decapsulator {
            kind,
            module,
            device,
        }
    }
}

/// Packets must get out of the tunnel, and past rp_filter.
fn decapsulates(member: &Membership, tunnel: Tunnel, facts: &LocalFacts, report: &mut Findings) {
    if facts.network.links.is_empty() {
        return;
    }
    let devices = tunnel_devices(member, tunnel, facts, report);
    if let Tunnel::Gue { port, .. } = tunnel {
        gue_port(port, member.outer_family(), facts, report);
    }
    if member.service.family() == Family::Inet {
        for link in devices {
            reverse_path(link, facts, report);
        }
    }
}

/// The devices that decapsulate the packets and are up.
fn tunnel_devices<'a>(
    member: &Membership,
    tunnel: Tunnel,
    facts: &'a LocalFacts,
    report: &mut Findings,
) -> Vec<&'a Link> {
    let (inner, outer) = (member.service.family(), member.outer_family());
    let wanted = Decapsulator::of(tunnel, inner, outer);
    let (protocol, version) = match inner {
        Family::Inet => (libc::IPPROTO_IPIP, 4),
        Family::Inet6 => (libc::IPPROTO_IPV6, 6),
    };
    let (fit, others): (Vec<&Link>, Vec<&Link>) = facts
        .network
        .links
        .iter()
        .filter(|link| link.kind == Name::from(wanted.kind))
        .partition(|link| [0, protocol].contains(&link.inner.into()));
    let up: Vec<&Link> = fit.iter().copied().filter(|link| link.up).collect();
    if let Some(first) = up.first() {
        if let (Some(remote), true) = (first.remote, up.iter().all(|link| link.remote.is_some())) {
            report.unsure(format!(
                "whether the director is {remote}: {} accepts packets from there only",
                first.name
            ));
        }
    } else if let Some(down) = fit.first() {
        let finding = Finding::new(Kind::TunnelDown, format!("{} is down", down.name));
        report.find(finding.command(format!("ip link set dev {} up", down.name)));
    } else {
        let seen = match others.first() {
            None => format!("there is no device of type {}", wanted.kind),
            Some(link) => format!("{} does not decapsulate IPv{version} packets", link.name),
        };
        let mut finding = Finding::new(Kind::NoTunnel, seen);
        finding = finding.fix(Fix::Machine(format!("modprobe {}", wanted.module)));
        if wanted.kind == "ip6tnl" && inner == Family::Inet {
            // The module's device starts with IPv6 packets only.
            finding = finding.command(format!("ip -6 tunnel change {} mode any", wanted.device));
        }
        report.find(finding.command(format!("ip link set dev {} up", wanted.device)));
    }
    up
}

/// GUE arrives at a UDP port, from which the kernel hands it to the device.
fn gue_port(port: u16, outer: Family, facts: &LocalFacts, report: &mut Findings) {
    let Some(bound) = &facts.udp_ports else {
        return;
    };
    if bound.contains(&port) {
        return;
    }
    let (module, version) = match outer {
        Family::Inet => ("fou", ""),
        Family::Inet6 => ("fou6", " -6"),
    };
    let finding = Finding::new(Kind::NoTunnel, format!("UDP port {port} is not bound"))
        .fix(Fix::Machine(format!("modprobe {module}")))
        .command(format!("ip fou add port {port} gue{version}"));
    report.find(finding);
}

/// The client's packet comes out of the tunnel, but the route to the client is by
/// another interface.
fn reverse_path(link: &Link, facts: &LocalFacts, report: &mut Findings) {
    if effective(facts, link, "rp_filter") == Some(1) {
        let seen = format!("rp_filter of {} is 1", link.name);
        // The larger value is in force, and 2 is larger than 1.
        let path = format!("net/ipv4/conf/{}/rp_filter", link.name);
        report.find(Finding::new(Kind::TunnelFiltered, seen).sysctl(&path, 2));
    }
}

/// Replies must pass through the director, whose address is not known here.
fn way_back(member: &Membership, facts: &LocalFacts, report: &mut Findings) {
    match facts.network.routes.get(&remote(member.outer_family())) {
        None => {}
        Some(Err(errno)) => {
            let why = Errno(*errno);
            let finding = Finding::new(Kind::NoWayBack, format!("no default route: {why}"));
            report.find(finding.command("ip route add default via DIRECTOR"));
        }
        Some(Ok(route)) => {
            report.unsure(match route.gateway {
                Some(gateway) => {
                    format!("whether {gateway}, the gateway to the clients, is the director")
                }
                None => format!(
                    "whether the director is on {}, which leads to the clients",
                    facts.network.link_name(route.link)
                ),
            });
            report.unsure("whether clients are neighbours: replies to them bypass the director");
        }
    }
}

/// Something must listen where the packets arrive.
fn listens(member: &Membership, facts: &LocalFacts, report: &mut Findings) {
    let port = match (member.is_masqueraded(), member.server) {
        (true, Some(server)) => server.port,
        _ => member.service.port(),
    };
    let (Some(protocol), false) = (member.service.protocol(), port == 0) else {
        return report.unsure("whether something is listening: the service has no port");
    };
    let Some(listening) = &facts.listening else {
        return;
    };
    let at = match member.is_masqueraded() {
        true => member.server.map(|server| server.address),
        false => member.virtual_address(),
    };
    let there: Vec<IpAddr> = listening
        .iter()
        .filter(|(_, other)| *other == port)
        .map(|(address, _)| *address)
        .collect();
    let is_reached = |address: &IpAddr| match at {
        None => !address.is_loopback(),
        // [::] accepts IPv4 as well unless IPV6_V6ONLY is set, which cannot be seen.
        Some(at) => {
            *address == at || address.is_unspecified() && (address.is_ipv6() || at.is_ipv4())
        }
    };
    if there.iter().any(is_reached) {
        return;
    }
    let place = match at {
        Some(at) => SocketAddr::new(at, port).to_string(),
        None => format!("port {port}"),
    };
    let mut seen = format!("no {} listener on {place}", protocol.kernel_name());
    if !there.is_empty() {
        let others: Vec<String> = there.iter().map(IpAddr::to_string).collect();
        seen.push_str(&format!(", only on {}", others.join(", ")));
    }
    report.find(Finding::new(Kind::NotListening, seen).fix(Fix::Start));
}

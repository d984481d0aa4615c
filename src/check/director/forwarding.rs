//! The ways to the real servers, by each forwarding method.

use super::{count, is_local, servers};
use crate::check::facts::{Facts, afar};
use crate::check::routing::{Link, Route};
use crate::check::{Finding, Kind, errno_text};
use ipvs::{
    Change, Family, Forwarding, Server, ServerConfig, ServerKey, Service, ServiceKey, Tunnel,
    TunnelChecksum,
};
use std::collections::HashSet;
use std::net::IpAddr;

pub(super) fn check(facts: &Facts, found: &mut Vec<Finding>) {
    let mut done = HashSet::new();
    for (service, server) in servers(facts) {
        port(service, server, found);
        let new = done.insert((server.key.address, method(server)));
        if new {
            each(facts, service, server, found);
        }
    }
    for family in [Family::Inet, Family::Inet6] {
        masquerading(facts, family, found);
    }
    fragments(facts, found);
}

/// The forwarding method without its details.
fn method(server: &Server) -> u8 {
    match server.config.forwarding {
        Forwarding::Masq => 0,
        Forwarding::Tunnel(_) => 1,
        _ => 2,
    }
}

fn is_masq(server: &Server) -> bool {
    server.config.forwarding == Forwarding::Masq
}

/// What the kernel does with the port of a server that it reaches by -g or -i:
/// nothing. A mark may be on packets to any port.
fn port(service: &Service, server: &Server, found: &mut Vec<Finding>) {
    let ServiceKey::Address { port, .. } = service.key else {
        return;
    };
    let own = server.key.port;
    if matches!(
        server.config.forwarding,
        Forwarding::Route | Forwarding::Tunnel(_)
    ) && own != port
        && port != 0
    {
        let seen = format!("port {own}, and packets arrive at port {port} all the same");
        let right = ServerKey { port, ..server.key };
        let finding = Finding::new(Kind::PortIgnored, seen).at(&service.key, &server.key);
        let finding = finding.change(Change::AddServer(service.key, right, server.config));
        found.push(finding.change(Change::DeleteServer(service.key, server.key)));
    }
}

/// The way to one server, for one method.
fn each(facts: &Facts, service: &Service, server: &Server, found: &mut Vec<Finding>) {
    let address = server.key.address;
    let at = |kind, seen| Finding::new(kind, seen).at(&service.key, &server.key);
    let way = match facts.network.ways.get(&address) {
        None => return,
        Some(Err(errno)) => {
            let why = errno_text(*errno);
            let finding = at(Kind::ServerUnreachable, format!("{address}: {why}"));
            return found.push(finding.command(format!("ip route add {address} via ROUTER")));
        }
        Some(Ok(way)) => way,
    };
    if is_masq(server) && address.is_loopback() {
        // ip_vs_nat_xmit: "stopping DNAT to loopback address"
        let seen = format!("packets from elsewhere must not go to {address}");
        let finding = at(Kind::ServerLoopback, seen);
        return found.push(finding.change(Change::DeleteServer(service.key, server.key)));
    }
    let Some(gateway) = way.gateway else { return };
    match server.config.forwarding {
        Forwarding::Route => found.push(behind_router(facts, service, server, way, gateway)),
        Forwarding::Masq => {
            let default = facts.network.way(&afar(Family::of(&address)));
            let is_default =
                |default: Route| (default.gateway, default.link) == (way.gateway, way.link);
            if default.is_some_and(is_default) {
                let seen = format!(
                    "{address} by {gateway}, as everything else: its answers pass by the director \
                     only if that router sends them there"
                );
                found.push(tunnel_instead(
                    at(Kind::ServerPastDirector, seen),
                    service,
                    server,
                ));
            }
        }
        _ => {}
    }
}

/// The packets have the virtual address, and the router sends them back.
fn behind_router(
    facts: &Facts,
    service: &Service,
    server: &Server,
    way: &Route,
    gateway: IpAddr,
) -> Finding {
    let address = server.key.address;
    let device = name(facts, way.link);
    let seen = format!("{address} by router {gateway} on {device}");
    let finding = Finding::new(Kind::ServerNotOnLink, seen).at(&service.key, &server.key);
    tunnel_instead(finding, service, server)
}

/// Only tunnels reach servers anywhere. They cannot change the port.
fn tunnel_instead(finding: Finding, service: &Service, server: &Server) -> Finding {
    let config = ServerConfig {
        forwarding: Forwarding::Tunnel(Tunnel::Ipip),
        ..server.config
    };
    let port = match service.key {
        ServiceKey::Address { port, .. } => port,
        ServiceKey::Fwmark { .. } => server.key.port,
    };
    if port == server.key.port {
        return finding.change(Change::EditServer(service.key, server.key, config));
    }
    let key = ServerKey { port, ..server.key };
    let finding = finding.change(Change::AddServer(service.key, key, config));
    finding.change(Change::DeleteServer(service.key, server.key))
}

fn name(facts: &Facts, link: u32) -> String {
    let link = facts.network.link(link);
    link.map_or_else(|| "?".into(), |link| link.name.to_string())
}

/// What holds for all masqueraded servers of a family: the answers are routed
/// by the director as any others.
fn masquerading(facts: &Facts, family: Family, found: &mut Vec<Finding>) {
    let masqueraded = servers(facts).filter(|(_, server)| {
        is_masq(server) && Family::of(&server.key.address) == family && !is_local(facts, server)
    });
    let (mut servers, mut links) = (0, Vec::new());
    for (_, server) in masqueraded {
        servers += 1;
        if let Some(way) = facts.network.way(&server.key.address) {
            if !links.contains(&way.link) {
                links.push(way.link);
            }
        }
    }
    if servers == 0 {
        return;
    }
    let links: Vec<&Link> = links
        .iter()
        .filter_map(|l| facts.network.link(*l))
        .collect();
    let servers = count(servers, "masqueraded server");
    if family == Family::Inet6 {
        let path = "net/ipv6/conf/all/forwarding";
        // Since 6.17 there is a setting for the interface that the answers come by.
        let mut forced = links.iter().map(|link| {
            let path = format!("net/ipv6/conf/{}/force_forwarding", link.name);
            facts.settings.is(&path, 1)
        });
        if facts.settings.is(path, 0) && forced.any(|forced| !forced) {
            found.push(off(path, &servers, path));
        }
        return;
    }
    let global = "net/ipv4/ip_forward";
    for link in &links {
        let path = format!("net/ipv4/conf/{}/forwarding", link.name);
        if facts.settings.is(&path, 0) {
            if facts.settings.is(global, 0) {
                found.push(off(global, &servers, global));
                break;
            }
            found.push(off(&path, &servers, &path));
        }
    }
    redirects(facts, &links, found);
}

fn off(path: &str, servers: &str, mend: &str) -> Finding {
    let seen = format!(
        "{} is 0, and there is {servers}",
        crate::check::setting_name(path)
    );
    let seen = match servers.starts_with("1 ") {
        true => seen,
        false => seen.replace("there is", "there are"),
    };
    Finding::new(Kind::ForwardingOff, seen).sysctl(mend, 1)
}

/// With one interface for clients and servers the answers go out where they came
/// in, and the kernel tells the server of the shorter way. With other methods no
/// packet is forwarded: those of IPVS leave as the machine's own.
fn redirects(facts: &Facts, links: &[&Link], found: &mut Vec<Finding>) {
    let all = "net/ipv4/conf/all/send_redirects".to_owned();
    for link in links.iter().filter(|link| has_clients(facts, link)) {
        // The larger one is in force.
        let own = format!("net/ipv4/conf/{}/send_redirects", link.name);
        let on: Vec<String> = [all.clone(), own]
            .into_iter()
            .filter(|path| facts.settings.is(path, 1))
            .collect();
        if !on.is_empty() {
            let seen = format!(
                "clients and servers are on {}, and send_redirects is 1",
                link.name
            );
            let finding = Finding::new(Kind::Redirects, seen);
            found.push(
                on.iter()
                    .fold(finding, |finding, path| finding.sysctl(path, 0)),
            );
        }
    }
}

/// Whether clients come by the interface of a masqueraded server: there is no
/// other, or it is the way to anywhere and none of the virtual addresses is on
/// another one.
fn has_clients(facts: &Facts, link: &Link) -> bool {
    let network = &facts.network;
    let is_here = |other: &Link| other.index == link.index;
    if network.outside().all(is_here) {
        return true;
    }
    let default = network.way(&afar(Family::Inet));
    let mut virtual_addresses = servers(facts).filter_map(|(service, server)| match service.key {
        ServiceKey::Address { address, .. } if is_masq(server) => Some(address),
        _ => None,
    });
    default.is_some_and(|default| default.link == link.index)
        && !virtual_addresses.any(|address| {
            let mut on = network.with_address(address).map(|(link, _)| link);
            let elsewhere = on.any(|other| !other.loopback && !other.noarp && !is_here(other));
            elsewhere || network.near(&address).is_some_and(|near| !is_here(near))
        })
}

/// How much longer the tunnel makes a packet, if that is known.
fn overhead(tunnel: Tunnel, outer: Family) -> Option<u32> {
    let ip = match outer {
        Family::Inet => 20,
        Family::Inet6 => 40,
    };
    Some(
        ip + match tunnel {
            Tunnel::Ipip => 0,
            // UDP and GUE, and the private word of the remote checksum.
            Tunnel::Gue { checksum, .. } => 12 + 8 * u32::from(checksum == TunnelChecksum::Remote),
            Tunnel::Gre { checksum } => 4 + 4 * u32::from(checksum == TunnelChecksum::Checksum),
            Tunnel::Other { .. } => return None,
        },
    )
}

/// Without pmtu_disc nobody tells the clients to send shorter packets.
fn fragments(facts: &Facts, found: &mut Vec<Finding>) {
    let path = "net/ipv4/vs/pmtu_disc";
    if !facts.settings.is(path, 0) {
        return;
    }
    let longest = facts.network.outside().map(|link| link.mtu).max();
    for (service, server) in servers(facts) {
        let Forwarding::Tunnel(tunnel) = server.config.forwarding else {
            continue;
        };
        let Some(way) = facts.network.way(&server.key.address) else {
            continue;
        };
        let Some(link) = facts.network.link(way.link).filter(|_| !way.local) else {
            continue;
        };
        let room = way.mtu.unwrap_or(link.mtu);
        let Some(header) = overhead(tunnel, Family::of(&server.key.address)) else {
            continue;
        };
        if longest.is_some_and(|longest| longest.saturating_add(header) > room) {
            let seen = format!(
                "packets of up to {} bytes arrive, {room} fit {} with {header} for the tunnel, and pmtu_disc is 0",
                longest.unwrap_or(0),
                link.name
            );
            let finding = Finding::new(Kind::TunnelFragments, seen);
            return found.push(finding.at(&service.key, &server.key).sysctl(path, 1));
        }
    }
}

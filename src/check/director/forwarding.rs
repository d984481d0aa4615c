//! The routes to the real servers, for each forwarding method.

use super::{is_local, servers};
use crate::check::facts::{Facts, remote};
use crate::check::routing::Link;
use crate::check::{Finding, Findings, Kind, setting_name};
use crate::render::words::count;
use ipvs::{
    Change, Errno, Family, Forwarding, Server, ServerConfig, ServerKey, Service, ServiceKey,
    Tunnel, TunnelChecksum,
};
use std::collections::{BTreeSet, HashSet};
use std::mem::discriminant;

pub(super) fn check(facts: &Facts, report: &mut Findings) {
    let mut checked = HashSet::new();
    for (service, server) in servers(facts) {
        port(service, server, report);
        let place = (server.key.address, discriminant(&server.config.forwarding));
        if checked.contains(&place) {
            continue;
        }
        let settled = match route(facts, service, server) {
            Some(finding) => report.settles(finding.of_server(&service.key, &server.key)),
            None => true,
        };
        if settled {
            checked.insert(place);
        }
    }
    masquerading_v4(facts, report);
    masquerading_v6(facts, report);
    fragments(facts, report);
}

fn is_masqueraded(server: &Server) -> bool {
    server.config.forwarding == Forwarding::Masq
}

fn is_tunnelled(server: &Server) -> bool {
    matches!(server.config.forwarding, Forwarding::Tunnel(_))
}

/// With -g and -i the kernel ignores the port of a server. With a mark, packets
/// may be for any port.
fn port(service: &Service, server: &Server, report: &mut Findings) {
    let ServiceKey::Address { port, .. } = service.key else {
        return;
    };
    let keeps_port = server.config.forwarding == Forwarding::Route || is_tunnelled(server);
    let own = server.key.port;
    if keeps_port && own != port && port != 0 {
        let seen = format!("the server has port {own}, but packets arrive at port {port}");
        let right = ServerKey { port, ..server.key };
        let finding = Finding::new(Kind::PortIgnored, seen)
            .of_server(&service.key, &server.key)
            .change(Change::AddServer(service.key, right, server.config))
            .change(Change::DeleteServer(service.key, server.key));
        report.find(finding);
    }
}

/// What is wrong with the route to one server, for one method.
fn route(facts: &Facts, service: &Service, server: &Server) -> Option<Finding> {
    let address = server.key.address;
    let route = match facts.network.routes.get(&address)? {
        Err(errno) => {
            let seen = format!("{address}: {}", Errno(*errno));
            let finding = Finding::new(Kind::ServerUnreachable, seen);
            return Some(finding.command(format!("ip route add {address} via ROUTER")));
        }
        Ok(route) => route,
    };
    if is_masqueraded(server) && address.is_loopback() {
        // ip_vs_nat_xmit: "stopping DNAT to loopback address"
        let seen = format!("the kernel does not send packets from outside to {address}");
        let finding = Finding::new(Kind::ServerLoopback, seen);
        return Some(finding.change(Change::DeleteServer(service.key, server.key)));
    }
    let gateway = route.gateway?;
    match server.config.forwarding {
        // The packets keep the virtual address, so the router sends them back.
        Forwarding::Route => {
            let device = facts.network.link_name(route.link);
            let seen = format!("{address} is behind router {gateway} on {device}");
            let finding = Finding::new(Kind::ServerNotOnLink, seen);
            Some(use_tunnel(finding, service, server))
        }
        Forwarding::Masq => {
            let default = facts.network.route(&remote(Family::of(&address)))?;
            if (default.gateway, default.link) != (route.gateway, route.link) {
                return None;
            }
            let seen = format!(
                "{address} is behind the default router {gateway}: its replies pass through \
                 the director only if that router sends them there"
            );
            let finding = Finding::new(Kind::ServerPastDirector, seen);
            Some(use_tunnel(finding, service, server))
        }
        _ => None,
    }
}

/// Only tunnels reach servers anywhere. They cannot change the port.
fn use_tunnel(finding: Finding, service: &Service, server: &Server) -> Finding {
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
    finding
        .change(Change::AddServer(service.key, key, config))
        .change(Change::DeleteServer(service.key, server.key))
}

/// How many masqueraded servers of a family there are on other machines, and the
/// interfaces that lead to them. Their replies are forwarded like any other packet.
fn masqueraded(facts: &Facts, family: Family) -> (usize, Vec<&Link>) {
    let masqueraded: Vec<_> = servers(facts)
        .filter(|(_, server)| {
            is_masqueraded(server)
                && Family::of(&server.key.address) == family
                && !is_local(facts, server)
        })
        .collect();
    let links: BTreeSet<u32> = masqueraded
        .iter()
        .filter_map(|(_, server)| facts.network.route(&server.key.address))
        .map(|route| route.link)
        .collect();
    let links = links.iter().filter_map(|link| facts.network.link(*link));
    (masqueraded.len(), links.collect())
}

fn masquerading_v4(facts: &Facts, report: &mut Findings) {
    let (servers, links) = masqueraded(facts, Family::Inet);
    let global = "net/ipv4/ip_forward";
    for link in &links {
        let own = format!("net/ipv4/conf/{}/forwarding", link.name);
        if facts.settings.is(&own, 0) {
            if facts.settings.is(global, 0) {
                report.find(forwarding_off(global, servers));
                break;
            }
            report.find(forwarding_off(&own, servers));
        }
    }
    for link in links {
        if has_clients(facts, link, Family::Inet, is_masqueraded) {
            redirects(facts, link, report);
        }
    }
}

fn masquerading_v6(facts: &Facts, report: &mut Findings) {
    let (servers, links) = masqueraded(facts, Family::Inet6);
    let global = "net/ipv6/conf/all/forwarding";
    // Since Linux 6.17 there is a setting for the interface that replies arrive on.
    let is_forced = |link: &Link| {
        let path = format!("net/ipv6/conf/{}/force_forwarding", link.name);
        facts.settings.is(&path, 1)
    };
    if facts.settings.is(global, 0) && !links.into_iter().all(is_forced) {
        report.find(forwarding_off(global, servers));
    }
}

fn forwarding_off(path: &str, servers: usize) -> Finding {
    let verb = if servers == 1 { "is" } else { "are" };
    let (name, servers) = (
        setting_name(path),
        count(servers as u64, "masqueraded server"),
    );
    let seen = format!("{name} is 0, and there {verb} {servers}");
    Finding::new(Kind::ForwardingOff, seen).sysctl(path, 1)
}

/// With one interface for clients and servers, replies leave by the interface they
/// arrived on, and the kernel tells the server of the shorter route. With other
/// methods nothing is forwarded: packets of IPVS leave like the machine's own.
fn redirects(facts: &Facts, link: &Link, report: &mut Findings) {
    let seen = format!(
        "clients and servers are on {}, and send_redirects is 1",
        link.name
    );
    let finding = Finding::new(Kind::Redirects, seen);
    // The larger one is in force.
    let finding = ["all", &link.name.to_string()]
        .map(|of| format!("net/ipv4/conf/{of}/send_redirects"))
        .iter()
        .filter(|path| facts.settings.is(path, 1))
        .fold(finding, |finding, path| finding.sysctl(path, 0));
    if !finding.fix.is_empty() {
        report.find(finding);
    }
}

/// Whether clients of servers with this `method` arrive on an interface: it is the
/// only one, or it has the default route and no virtual address is on another one.
fn has_clients(facts: &Facts, link: &Link, family: Family, method: fn(&Server) -> bool) -> bool {
    let network = &facts.network;
    let is_here = |other: &Link| other.index == link.index;
    if network.outside().all(is_here) {
        return true;
    }
    let default = network.route(&remote(family));
    let mut virtual_addresses = servers(facts)
        .filter(|(service, server)| service.key.family() == family && method(server))
        .filter_map(|(service, _)| match service.key {
            ServiceKey::Address { address, .. } => Some(address),
            ServiceKey::Fwmark { .. } => None,
        });
    default.is_some_and(|default| default.link == link.index)
        && !virtual_addresses.any(|address| {
            let mut on = network.with_address(address).map(|(link, _)| link);
            let is_elsewhere = on.any(|other| !other.loopback && !other.noarp && !is_here(other));
            is_elsewhere || network.near(&address).is_some_and(|near| !is_here(near))
        })
}

/// How much longer the tunnel makes a packet, if that is known.
fn overhead(tunnel: Tunnel, outer: Family) -> Option<u32> {
    let ip = match outer {
        Family::Inet => 20,
        Family::Inet6 => 40,
    };
    let tunnel = match tunnel {
        Tunnel::Ipip => 0,
        // UDP and GUE, and the private word of the remote checksum.
        Tunnel::Gue { checksum, .. } => 12 + 8 * u32::from(checksum == TunnelChecksum::Remote),
        Tunnel::Gre { checksum } => 4 + 4 * u32::from(checksum == TunnelChecksum::Checksum),
        Tunnel::Other { .. } => return None,
    };
    Some(ip + tunnel)
}

/// Without pmtu_disc the clients never learn to send shorter packets.
fn fragments(facts: &Facts, report: &mut Findings) {
    let path = "net/ipv4/vs/pmtu_disc";
    if !facts.settings.is(path, 0) {
        return;
    }
    for (service, server) in servers(facts) {
        let Some(seen) = too_long(facts, service.key.family(), server) else {
            continue;
        };
        let finding = Finding::new(Kind::TunnelFragments, seen);
        let finding = finding.of_server(&service.key, &server.key);
        if report.settles(finding.sysctl(path, 1)) {
            return;
        }
    }
}

/// Whether packets of `family` from the clients do not fit through the tunnel to a server.
fn too_long(facts: &Facts, family: Family, server: &Server) -> Option<String> {
    let Forwarding::Tunnel(tunnel) = server.config.forwarding else {
        return None;
    };
    let network = &facts.network;
    let route = network.route(&server.key.address)?;
    let link = network.link(route.link).filter(|_| !route.local)?;
    let longest = network
        .outside()
        .filter(|other| other.index != link.index || has_clients(facts, link, family, is_tunnelled))
        .map(|link| link.mtu)
        .max()?;
    let header = overhead(tunnel, Family::of(&server.key.address))?;
    let (room, device) = (route.mtu.unwrap_or(link.mtu), link.name);
    (longest.saturating_add(header) > room).then(|| {
        format!(
            "packets of up to {longest} bytes arrive, the tunnel adds {header}, \
             {device} takes {room}, and pmtu_disc is 0"
        )
    })
}

//! What the kernel has instead of what is not there. The table is read once, and
//! only here: after a refusal, for somebody who reads the hint.

use super::doubt::with_port;
use super::typed::{Asked, host, spelling};
use crate::cli::opt::{CommandName, Opt};
use crate::cli::options::{OPTIONS, OptionSpec};
use crate::run::session;
use ipvs::{Forwarding, Ipvs, Protocol, Server, ServerKey, ServiceKey};
use std::net::IpAddr;

/// How many things one hint names.
const MOST: usize = 3;

fn table(asked: &Asked) -> Option<Ipvs> {
    session::open(asked.netns()).ok()
}

/// What there is instead of the service that was named.
pub fn instead_of_service(asked: &Asked) -> Option<String> {
    let key = asked.service_key()?;
    let services = table(asked)?.services().ok()?;
    let mut keys: Vec<ServiceKey> = services.iter().map(|service| service.key).collect();
    keys.sort_unstable();
    Some(other_service(asked, key, &keys))
}

fn other_service(asked: &Asked, key: ServiceKey, present: &[ServiceKey]) -> String {
    let typed = asked.value(Opt::ServiceAddress).unwrap_or_default();
    let host = host(&typed);
    let said = |key: &ServiceKey| name(key, &host);
    let similar = match key {
        ServiceKey::Fwmark { mark, .. } => present.iter().find_map(|other| match other {
            ServiceKey::Fwmark { mark: same, family } if *same == mark => {
                let right = match family {
                    ipvs::Family::Inet => "leave out -6",
                    ipvs::Family::Inet6 => "add -6",
                };
                Some(format!("there is {other}: {right}"))
            }
            _ => None,
        }),
        ServiceKey::Address {
            address,
            port,
            protocol,
        } => {
            let here: Vec<_> = present
                .iter()
                .filter(|other| is_at(other, address))
                .collect();
            let same_port = here.iter().find(|other| other.port() == port);
            let all_ports = here
                .iter()
                .find(|other| other.port() == 0 && other.protocol() == Some(protocol));
            match (same_port, all_ports) {
                (Some(other), _) => Some(format!(
                    "there is {}: write {}",
                    said(other),
                    other
                        .protocol()
                        .and_then(option_of)
                        .map(spelling)
                        .unwrap_or_default()
                )),
                (None, Some(other)) => Some(format!("there is {}, for all ports", said(other))),
                (None, None) => there_is(here.into_iter().map(said)),
            }
        }
    };
    if let Some(similar) = similar {
        return similar;
    }
    if let Some(swapped) = swapped(asked, present) {
        return swapped;
    }
    let netns = asked.in_netns();
    match asked.command() {
        Some(CommandName::AddServer) => {
            format!("add it first: `ipvsadm -A {}{netns}'", as_typed(asked))
        }
        _ if present.is_empty() => match asked.value(Opt::Netns) {
            Some(netns) => format!("there are no virtual services in {netns}"),
            None => "there are no virtual services".into(),
        },
        _ => format!("`ipvsadm -Ln{netns}' lists what is there"),
    }
}

/// The service as it was typed.
fn as_typed(asked: &Asked) -> String {
    let mut words = Vec::new();
    for option in asked.options() {
        if option.row.role == crate::cli::options::Role::Option(Opt::ServiceAddress) {
            words.push(spelling(option.row));
            words.extend(
                option
                    .value
                    .map(|value| String::from_utf8_lossy(value).into_owned()),
            );
        } else if option.row.short == Some(b'6') {
            words.push("-6".into());
        }
    }
    if matches!(
        asked.service_key(),
        Some(ServiceKey::Address { port: 0, .. })
    ) {
        words.push("-p".into());
    }
    words.join(" ")
}

/// A virtual service was named as the real server.
fn swapped(asked: &Asked, present: &[ServiceKey]) -> Option<String> {
    let server = asked.server_key()?;
    let typed = asked.value(Opt::RealServer)?;
    let service = present.iter().find(|key| is_at(key, server.address))?;
    let option = service.protocol().and_then(option_of)?;
    Some(format!(
        "{typed} is a virtual service: that goes with {}, the real server with -r",
        spelling(option)
    ))
}

fn is_at(key: &ServiceKey, address: IpAddr) -> bool {
    matches!(key, ServiceKey::Address { address: other, .. } if *other == address)
}

/// A service, its host as it was typed.
fn name(key: &ServiceKey, host: &str) -> String {
    match key {
        ServiceKey::Address { protocol, port, .. } => {
            format!("{} {host}:{port}", protocol.kernel_name())
        }
        ServiceKey::Fwmark { .. } => key.to_string(),
    }
}

/// The option that names a service of `protocol`.
fn option_of(protocol: Protocol) -> Option<&'static OptionSpec> {
    let long = match protocol {
        Protocol::Tcp => "tcp-service",
        Protocol::Udp => "udp-service",
        Protocol::Sctp => "sctp-service",
        Protocol::Other(_) => return None,
    };
    OPTIONS.iter().find(|row| row.long == long)
}

/// `there is A`, `there are A and B`
fn there_is(things: impl Iterator<Item = String>) -> Option<String> {
    let things: Vec<String> = things.collect();
    Some(match things.as_slice() {
        [] => return None,
        [one] => format!("there is {one}"),
        [others @ .., last] if things.len() <= MOST => {
            format!("there are {} and {last}", others.join(", "))
        }
        _ => {
            let (some, rest) = things.split_at(MOST);
            format!("there are {} and {} more", some.join(", "), rest.len())
        }
    })
}

/// What there is instead of the real server that was named.
pub fn instead_of_server(asked: &Asked) -> Option<String> {
    let (service, server) = (asked.service_key()?, asked.server_key()?);
    let mut ipvs = table(asked)?;
    let mut present = ipvs.servers(&service).ok()?;
    present.sort_unstable_by_key(|server| server.key);
    Some(other_server(asked, service, server, &present))
}

fn other_server(asked: &Asked, service: ServiceKey, key: ServerKey, present: &[Server]) -> String {
    let typed_port = asked.server_port().filter(|port| *port != 0);
    let here: Vec<&Server> = present
        .iter()
        .filter(|server| server.key.address == key.address)
        .collect();
    let at = |port| here.iter().find(|server| server.key.port == port);
    if let Some(port) = typed_port.filter(|port| *port != key.port) {
        if at(port).is_some() {
            return format!(
                "there is {} in it, masqueraded: add -m, or this means {}",
                with_port(port, asked),
                with_port(key.port, asked)
            );
        }
    }
    let fixed = |server: &&Server| server.config.forwarding != Forwarding::Masq;
    if let Some(server) = at(service.port()).filter(|_| service.protocol().is_some()) {
        let why = if fixed(server) {
            ": -g and -i servers have the service's port"
        } else {
            ""
        };
        return format!("it is there as {}{why}", with_port(server.key.port, asked));
    }
    if let Some(there) = there_is(here.iter().map(|server| with_port(server.key.port, asked))) {
        return format!("{there} in it");
    }
    let netns = asked.in_netns();
    match there_is(present.iter().map(|server| server.key.to_string())) {
        None => "the service has no real servers".into(),
        Some(there) if present.len() <= MOST => format!("{there} in it"),
        Some(_) => {
            let service = as_typed(asked);
            let service = service.trim_end_matches(" -p");
            format!("`ipvsadm -Ln {service}{netns}' lists its real servers")
        }
    }
}

//! Interfaces, addresses and routes, over rtnetlink, which needs no privileges, and
//! NAT rules, over nfnetlink.
//!
//! Nothing here waits, as in [`Channel`].

mod nat;
mod network;
mod route;

pub use nat::parse_source_nat;
pub use network::{Link, LinkAddress, Route, SourceNat};
pub use route::{parse_address, parse_link, parse_local_route, parse_route};

use crate::procfs;
use crate::selection::Network;
use anyhow::Context;
use ipvs::netlink::{Body, Channel, LARGE, list, messages};
use ipvs::{Family, KernelError, ListError, Namespace};
use nat::RulesRequest;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use route::RouteRequest;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use std::{fs, io};

/// How many routes are asked for at once. Each answer takes a page or two of
/// the socket's receive buffer, which is 208 KiB by default.
const TOGETHER: usize = 16;

/// Room for the answer to one request for a route.
const ONE_ANSWER: usize = 1 << 10;

/// The route to an address, or the errno (positive) with which the kernel would
/// refuse a packet to it.
pub type RouteAnswer = Result<Route, i32>;

/// A conversation about them.
pub struct Routing {
    channel: Channel,
    outbox: Vec<u8>,
}

impl Routing {
    /// Begins it.
    pub fn open(namespace: &Namespace) -> Result<Routing, KernelError> {
        Ok(Routing {
            channel: namespace.channel(NETLINK_ROUTE)?,
            outbox: Vec::new(),
        })
    }

    /// All interfaces.
    pub fn links(&mut self) -> Result<Vec<Link>, ListError> {
        list(&mut self.channel, LARGE, RouteRequest::Links, parse_link)
    }

    /// The IPv4 and IPv6 addresses of all interfaces.
    pub fn addresses(&mut self) -> Result<Vec<LinkAddress>, ListError> {
        list(
            &mut self.channel,
            LARGE,
            RouteRequest::Addresses,
            parse_address,
        )
    }

    /// The addresses of `family` that any routing table holds to be local.
    pub fn local_routes(&mut self, family: Family) -> Result<Vec<Network>, ListError> {
        // Without it the kernel sends all routes, of which there may be a million.
        let socket = self.channel.socket();
        let known = socket.set_netlink_get_strict_chk(true);
        known.or_else(|error| match error.raw_os_error() {
            Some(libc::ENOPROTOOPT) => Ok(()), // before Linux 4.20
            _ => Err(KernelError::NoSocket(error)),
        })?;
        let request = RouteRequest::LocalRoutes(family);
        list(&mut self.channel, LARGE, request, parse_local_route)
    }

    /// The route to each of `addresses`, in their order; many requests at once.
    pub fn routes(&mut self, addresses: &[IpAddr]) -> Result<Vec<RouteAnswer>, ListError> {
        let mut routes = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(TOGETHER) {
            let first = self.ask(some)?;
            for (at, address) in some.iter().enumerate() {
                // What was lost among many is asked for alone.
                match first.get(at).copied().flatten() {
                    Some(route) => routes.push(route),
                    None => routes.push(self.route(address)?),
                }
            }
        }
        Ok(routes)
    }

    /// The route to `address`.
    fn route(&mut self, address: &IpAddr) -> Result<RouteAnswer, KernelError> {
        let answers = self.ask(std::slice::from_ref(address))?;
        answers[0].ok_or(KernelError::Lost)
    }

    /// The answers that arrived, in the order of the requests.
    fn ask(&mut self, addresses: &[IpAddr]) -> Result<Vec<Option<RouteAnswer>>, KernelError> {
        let mut answers = Answers::default();
        self.outbox.clear();
        for address in addresses {
            let request = RouteRequest::Route(*address);
            let sequence = self.channel.append(&mut self.outbox, request, 0);
            answers.0.push((sequence, None));
        }
        self.channel.send(&self.outbox)?;
        while !answers.are_all_there() {
            match self.channel.receive(ONE_ANSWER) {
                // The receive buffer was too small for all of them.
                Err(error) if error.may_be_done() => break,
                datagram => answers.take(datagram?.bytes)?,
            }
        }
        Ok(answers.0.into_iter().map(|(_, answer)| answer).collect())
    }
}

/// The rules of nf_tables that change the source of packets; `None` if it is not
/// known whether there can be any. If it is a module that is not loaded there are
/// none, and they are not asked for: that would load it.
pub fn source_nat(namespace: &Namespace) -> anyhow::Result<Option<Vec<SourceNat>>> {
    const MODULE: &str = "nf_tables";
    if !Path::new("/sys/module").join(MODULE).exists() {
        match built_in_modules() {
            Ok(list) if !has_module(&list, MODULE) => return Ok(Some(Vec::new())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("modules of the kernel"),
        }
    }
    let mut channel = namespace.channel(NETLINK_NETFILTER)?;
    let rules = list(&mut channel, LARGE, RulesRequest, parse_source_nat)?;
    Ok(Some(rules))
}

/// The paths of the modules that are part of the kernel. Those without parameters
/// are not in /sys/module.
fn built_in_modules() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    fs::read_to_string(format!("/lib/modules/{}/modules.builtin", release.trim()))
}

/// Whether `module` is in a list of paths, a line each.
fn has_module(list: &str, module: &str) -> bool {
    let file = format!("{module}.ko");
    list.lines()
        .any(|path| path.rsplit('/').next() == Some(&file))
}

/// Whether there may be NAT rules outside nf_tables.
pub fn legacy_nat(namespace: &Namespace) -> io::Result<bool> {
    Ok(has_legacy_nat(namespace, "ip_tables_names")?
        || has_legacy_nat(namespace, "ip6_tables_names")?)
}

/// Whether iptables-legacy has a table `nat` in `file` below /proc/net.
fn has_legacy_nat(namespace: &Namespace, file: &str) -> io::Result<bool> {
    match procfs::net_file(namespace, file) {
        Ok(names) => Ok(io::read_to_string(names)?.lines().any(|name| name == "nat")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // It exists, and only root may read it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(true),
        Err(error) => Err(error),
    }
}

/// The sequence numbers of requests, each with its answer once that has arrived.
#[derive(Default)]
struct Answers(Vec<(u32, Option<RouteAnswer>)>);

impl Answers {
    fn are_all_there(&self) -> bool {
        self.0.iter().all(|(_, answer)| answer.is_some())
    }

    fn take(&mut self, datagram: &[u8]) -> Result<(), KernelError> {
        for message in messages(datagram, 0) {
            let message = message?;
            let mut asked = self.0.iter_mut();
            let Some((_, answer)) = asked.find(|(number, _)| *number == message.sequence) else {
                continue;
            };
            match message.body {
                Body::Data(data) => {
                    *answer = Some(Ok(parse_route(data).ok_or(KernelError::Malformed)?));
                }
                Body::Answer(errno) if errno != 0 => *answer = Some(Err(errno)),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{Emitable, NLMSG_ERROR, NLMSG_OVERRUN, NetlinkHeader};
    use netlink_packet_route::route::{RouteAttribute, RouteMessage};

    const NEW_ROUTE: u16 = 24;

    fn message(kind: u16, sequence: u32, flags: u16, payload: &[u8]) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.length = u32::try_from(header.buffer_len() + payload.len()).unwrap();
        header.message_type = kind;
        header.sequence_number = sequence;
        header.flags = flags;
        let mut bytes = vec![0; header.buffer_len()];
        header.emit(&mut bytes);
        bytes.extend(payload);
        bytes
    }

    fn error(sequence: u32, errno: i32) -> Vec<u8> {
        let payload = [&(-errno).to_ne_bytes()[..], &[0; 16]].concat();
        message(NLMSG_ERROR, sequence, 0, &payload)
    }

    fn route(sequence: u32, link: u32) -> Vec<u8> {
        let mut route = RouteMessage::default();
        route.attributes.push(RouteAttribute::Oif(link));
        let mut payload = vec![0; route.buffer_len()];
        route.emit(&mut payload);
        message(NEW_ROUTE, sequence, 0, &payload)
    }

    fn asked() -> Answers {
        Answers((1..=3).map(|sequence| (sequence, None)).collect())
    }

    fn links(answers: &Answers) -> Vec<Option<Result<u32, i32>>> {
        let answers = answers.0.iter();
        answers
            .map(|(_, answer)| answer.map(|answer| answer.map(|route| route.link)))
            .collect()
    }

    #[test]
    fn built_in_modules_are_found_by_their_names() {
        let list = "kernel/net/netfilter/nf_tables.ko\nkernel/net/netfilter/x_nf_nat.ko\n";
        assert!(has_module(list, "nf_tables"));
        assert!(!has_module(list, "nf_nat"));
        assert!(!has_module("", "nf_tables"));
    }

    #[test]
    fn answers_belong_to_their_questions() {
        let mut answers = asked();
        answers
            .take(&[route(3, 30), error(1, 101)].concat())
            .unwrap();
        assert_eq!(links(&answers), [Some(Err(101)), None, Some(Ok(30))]);
        assert!(!answers.are_all_there());
        // An answer to nobody, an acknowledgement and a message of netlink's own.
        let others = [route(9, 90), error(2, 0), message(NLMSG_OVERRUN, 2, 0, &[])];
        answers.take(&others.concat()).unwrap();
        assert!(!answers.are_all_there());
        answers.take(&route(2, 20)).unwrap();
        assert!(answers.are_all_there());
    }

    #[test]
    fn a_cut_answer_is_an_error() {
        for short in [4, 15, 20, 30] {
            let mut answers = asked();
            let cut = answers.take(&route(1, 10)[..short]);
            assert!(matches!(cut, Err(KernelError::Malformed)), "{short}");
            assert_eq!(links(&answers), [None; 3]);
        }
        // A route without its header.
        let short = asked().take(&message(NEW_ROUTE, 1, 0, &[0; 4]));
        assert!(matches!(short, Err(KernelError::Malformed)));
    }
}

//! Links, addresses and routes, over rtnetlink, which needs no privileges, and
//! the rules of NAT, over nfnetlink.
//!
//! Nothing here waits, as in [`Channel`].

mod nat;
mod network;
mod route;

pub use nat::parse_source_nat;
pub use network::{Link, LinkAddress, Route, SourceNat};
pub use route::{parse_address, parse_link, parse_local_route, parse_route};

use crate::connections::Network;
use crate::procfs;
use ipvs::netlink::{Body, Channel, LARGE, list, messages};
use ipvs::{Family, KernelError, ListError, Namespace};
use nat::RulesRequest;
use netlink_sys::protocols::{NETLINK_NETFILTER, NETLINK_ROUTE};
use route::RouteRequest;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;

/// How many routes are asked for at once. Each answer takes a page or two of
/// the socket's receive buffer, which is 208 KiB unless somebody has changed it.
const TOGETHER: usize = 16;

/// The answer to a question for one route.
const ONE_ANSWER: usize = 1 << 10;

/// The way to an address, or the errno (positive) with which the kernel would
/// refuse a packet to it.
pub type Way = Result<Route, i32>;

/// The conversation.
pub struct Routing {
    channel: Channel,
    outbox: Vec<u8>,
}

impl Routing {
    /// Begins it.
    pub fn open(namespace: &Namespace) -> io::Result<Routing> {
        Ok(Routing {
            channel: namespace.inside(|| Channel::open(NETLINK_ROUTE))??,
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

    /// The addresses of `family` that some routing table takes for this machine's.
    pub fn local_routes(&mut self, family: Family) -> Result<Vec<Network>, ListError> {
        // Without it, all routes come: those of a large network are a million.
        let socket = self.channel.socket();
        let known = socket.set_netlink_get_strict_chk(true);
        known.or_else(|error| match error.raw_os_error() {
            Some(libc::ENOPROTOOPT) => Ok(()), // before Linux 4.20
            _ => Err(error),
        })?;
        let request = RouteRequest::LocalRoutes(family);
        list(&mut self.channel, LARGE, request, parse_local_route)
    }

    /// The way to each of `addresses`, in their order; many questions in a send.
    pub fn ways(&mut self, addresses: &[IpAddr]) -> Result<Vec<Way>, ListError> {
        let mut ways = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(TOGETHER) {
            let first = self.ask(some)?;
            for (at, address) in some.iter().enumerate() {
                // What was lost among many is asked for alone.
                match first.get(at).copied().flatten() {
                    Some(way) => ways.push(way),
                    None => ways.push(self.way(address)?),
                }
            }
        }
        Ok(ways)
    }

    /// The way to `address`.
    fn way(&mut self, address: &IpAddr) -> Result<Way, KernelError> {
        let answers = self.ask(std::slice::from_ref(address))?;
        answers[0].ok_or(KernelError::Lost)
    }

    /// The answers that came, in the order of the questions.
    fn ask(&mut self, addresses: &[IpAddr]) -> Result<Vec<Option<Way>>, KernelError> {
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
                Err(KernelError::Lost) => break,
                // The receive buffer was too small for all of them.
                Err(error) if error.errno() == libc::ENOBUFS => {}
                datagram => answers.take(datagram?.bytes)?,
            }
        }
        Ok(answers.0.into_iter().map(|(_, way)| way).collect())
    }
}

/// The rules of nf_tables that change the source of packets; none where the
/// module is not loaded, which asking for them would do. nfnetlink answers as
/// rtnetlink does.
pub fn source_nat(namespace: &Namespace) -> Result<Vec<SourceNat>, ListError> {
    if !Path::new("/sys/module/nf_tables").exists() {
        return Ok(Vec::new());
    }
    let channel = namespace.inside(|| Channel::open(NETLINK_NETFILTER));
    let mut channel = channel.map_err(io::Error::from)??;
    list(&mut channel, LARGE, RulesRequest, parse_source_nat)
}

/// Whether there may be rules of NAT that are not in nf_tables.
pub fn legacy_nat(namespace: &Namespace) -> io::Result<bool> {
    Ok(has_legacy_nat(namespace, "ip_tables_names")?
        || has_legacy_nat(namespace, "ip6_tables_names")?)
}

/// Whether iptables-legacy has a table `nat` in `file` below /proc/net.
fn has_legacy_nat(namespace: &Namespace, file: &str) -> io::Result<bool> {
    match procfs::net_file(namespace, file).map(BufReader::new) {
        Ok(names) => Ok(names
            .lines()
            .any(|name| name.is_ok_and(|name| name == "nat"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        // It is there, and only root may read it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(true),
        Err(error) => Err(error),
    }
}

/// The numbers of questions, and what has been answered.
#[derive(Default)]
struct Answers(Vec<(u32, Option<Way>)>);

impl Answers {
    fn are_all_there(&self) -> bool {
        self.0.iter().all(|(_, way)| way.is_some())
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
        let ways = answers.0.iter();
        ways.map(|(_, way)| way.map(|way| way.map(|route| route.link)))
            .collect()
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
    fn a_cut_answer_is_an_error_and_no_way() {
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

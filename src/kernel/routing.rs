//! Links, addresses and routes: a conversation over rtnetlink, for which nobody
//! needs any right.
//!
//! Nothing here waits, as `channel` explains.

use super::channel::{Channel, LARGE};
use super::error::KernelError;
use crate::model::{Link, LinkAddress, Route};
use crate::wire::{Body, RouteRequest, parse_address, parse_link, parse_route, route_messages};
use netlink_packet_core::NLM_F_DUMP_INTR;
use std::net::IpAddr;

/// How many routes are asked for at once. Each answer takes a page or two of
/// the socket's receive buffer, which is 208 KiB unless somebody has changed it.
const TOGETHER: usize = 16;

/// The answer to a question for one route.
const ONE_ANSWER: usize = 1 << 10;

/// How often a dump is asked for that others keep disturbing.
const TRIES: usize = 8;

/// The way to an address, or the errno (positive) with which the kernel would
/// refuse a packet to it.
pub type Way = Result<Route, i32>;

/// The conversation.
pub struct Routing {
    channel: Channel,
    outbox: Vec<u8>,
}

impl Routing {
    pub(super) fn new(channel: Channel) -> Routing {
        Routing {
            channel,
            outbox: Vec::new(),
        }
    }

    /// All interfaces.
    pub fn links(&mut self) -> Result<Vec<Link>, KernelError> {
        self.dump(RouteRequest::Links, parse_link)
    }

    /// The IPv4 and IPv6 addresses of all interfaces.
    pub fn addresses(&mut self) -> Result<Vec<LinkAddress>, KernelError> {
        self.dump(RouteRequest::Addresses, parse_address)
    }

    /// The way to each of `addresses`, in their order; many questions in a send.
    pub fn ways(&mut self, addresses: &[IpAddr]) -> Result<Vec<Way>, KernelError> {
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
        let mut sequences = Vec::with_capacity(addresses.len());
        self.outbox.clear();
        for address in addresses {
            let sequence = self.channel.next_sequence();
            RouteRequest::Route(*address).append(&mut self.outbox, sequence);
            sequences.push(sequence);
        }
        self.channel.send(&self.outbox)?;
        let mut answers = vec![None; addresses.len()];
        let mut missing = answers.len();
        while missing > 0 {
            let datagram = match self.channel.receive(ONE_ANSWER) {
                Err(KernelError::Lost) => break,
                // The receive buffer was too small for all of them.
                Err(error) if error.errno() == libc::ENOBUFS => continue,
                datagram => datagram?,
            };
            for message in route_messages(datagram.bytes) {
                let message = message?;
                let Some(at) = sequences.iter().position(|s| *s == message.sequence) else {
                    continue;
                };
                let answer = match message.body {
                    Body::Data(data) => Ok(parse_route(data).ok_or(KernelError::Malformed)?),
                    Body::Answer(errno) if errno != 0 => Err(errno),
                    _ => continue,
                };
                missing -= usize::from(answers[at].replace(answer).is_none());
            }
        }
        Ok(answers)
    }

    fn dump<T>(
        &mut self,
        request: RouteRequest,
        parse: fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, KernelError> {
        for _ in 0..TRIES {
            if let Some(items) = self.try_dump(request, parse)? {
                return Ok(items);
            }
        }
        Err(KernelError::Lost)
    }

    /// `None` when the list changed while it was read.
    fn try_dump<T>(
        &mut self,
        request: RouteRequest,
        parse: fn(&[u8]) -> Option<T>,
    ) -> Result<Option<Vec<T>>, KernelError> {
        let sequence = self.channel.next_sequence();
        self.outbox.clear();
        request.append(&mut self.outbox, sequence);
        self.channel.send(&self.outbox)?;
        let (mut items, mut whole) = (Vec::new(), true);
        loop {
            let datagram = self.channel.receive(LARGE)?;
            whole &= !datagram.cut;
            for message in route_messages(datagram.bytes) {
                let Ok(message) = message else {
                    // The rest of a message that was cut is no message.
                    whole = false;
                    break;
                };
                if message.sequence != sequence {
                    continue;
                }
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.body {
                    Body::Data(data) => items.extend(parse(data)),
                    Body::Answer(0) | Body::Done(0) => return Ok(whole.then_some(items)),
                    Body::Answer(errno) | Body::Done(errno) => {
                        return Err(KernelError::Refused(errno));
                    }
                    Body::Other => {}
                }
            }
        }
    }
}

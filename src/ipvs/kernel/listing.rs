//! Listings that are complete and free of duplicates while others change the
//! table.
//!
//! A table that came in one datagram is a snapshot. Any other is read again,
//! with different boundaries between the datagrams, until the passes together
//! are proven complete (see `coverage`) or there were too many of them. This
//! module must not know what a service or a server looks like.

use super::channel::{Channel, LARGE, SMALL};
use super::dump::{Dump, Progress, list};
use super::error::{Errno, KernelError, ListError};
use super::namespace::Namespace;
use super::transport::Transport;
use super::union::{Item, Pass, Union};
use crate::model::{Daemon, Server, Service, ServiceKey};
use crate::wire::{Request, parse_daemon, parse_server, parse_service};
use netlink_sys::protocols::NETLINK_GENERIC;

/// After two passes that were not enough: how many times two more are made before
/// giving up.
const TRIES: usize = 16;

/// Sizes of the first receive of a pass with a socket of its own, in KiB, which
/// shift its seams: its first datagram is the kernel's smallest, the second as
/// large as this, all others large. Ordered so that each pass cuts farthest from
/// earlier cuts.
const SHIFTS: [usize; 7] = [12, 20, 8, 28, 16, 24, 10];

/// This many servers always fit a small buffer.
const FEW_SERVERS: usize = 8;

/// What listings need and keep from one to the next.
#[derive(Default)]
pub(super) struct Listings {
    /// A separate socket for large dumps: the kernel sizes later dumps by the
    /// largest receive seen.
    bulk: Option<Channel>,
    /// Whether the last service had more servers than a small buffer holds.
    many_servers: bool,
    /// Whether any listing so far has left out an entry.
    pub has_unknown: bool,
}

/// A channel for which the kernel takes large buffers from the first dump on:
/// it has received with a large size before.
fn bulk_channel(namespace: &Namespace, family: u16) -> Result<Channel, KernelError> {
    let mut channel = namespace.channel(NETLINK_GENERIC)?;
    channel.request(Request::Info.message(family), 0)?;
    channel.receive(LARGE)?;
    Ok(channel)
}

/// A listing that is being completed.
struct Reader<T: Item, P> {
    namespace: Namespace,
    family: u16,
    request: Request,
    pass: Pass<T, P>,
    union: Union<T>,
}

impl Listings {
    /// All services.
    pub fn services(&mut self, transport: &mut Transport) -> Result<Vec<Service>, ListError> {
        self.again(transport, Listings::read_services)
    }

    /// The servers of `service`, into `servers`.
    pub fn servers(
        &mut self,
        transport: &mut Transport,
        service: &ServiceKey,
        servers: &mut Vec<Server>,
    ) -> Result<(), ListError> {
        self.again(transport, |listings, transport| {
            listings.read_servers(transport, service, servers)
        })
    }

    /// The daemons: two at most, which always come at once.
    pub fn daemons(&mut self, transport: &mut Transport) -> Result<Vec<Daemon>, ListError> {
        self.again(transport, |_, transport| {
            let request = Request::Daemons.message(transport.family);
            list(&mut transport.main, SMALL, request, parse_daemon)
        })
    }

    /// Reads once more, over other sockets, if an answer did not arrive, now or the
    /// last time: the rest of a dump would be in the way, and until it has been
    /// read the kernel is busy.
    fn again<T>(
        &mut self,
        transport: &mut Transport,
        mut read: impl FnMut(&mut Listings, &mut Transport) -> Result<T, ListError>,
    ) -> Result<T, ListError> {
        match read(self, transport) {
            Err(ListError::Kernel(error))
                if error.may_be_done() || error.errno() == libc::EBUSY =>
            {
                self.bulk = None;
                transport.renew()?;
                read(self, transport)
            }
            result => result,
        }
    }

    fn read_services(&mut self, transport: &mut Transport) -> Result<Vec<Service>, ListError> {
        let pass = Pass::new(Vec::new(), parse_service);
        let mut reader = Reader::new(transport, Request::Services, pass);
        if !reader.pass_from_small(transport, &mut self.bulk)?
            && !reader.bulk_pass(&mut self.bulk)?
        {
            reader.more_passes(&mut self.bulk)?;
        }
        self.has_unknown |= reader.pass.has_unknown;
        reader.settle(|service| still_there(transport, service))
    }

    fn read_servers(
        &mut self,
        transport: &mut Transport,
        service: &ServiceKey,
        servers: &mut Vec<Server>,
    ) -> Result<(), ListError> {
        let family = service.family();
        let parse = |attributes: &[u8]| parse_server(attributes, family);
        let pass = Pass::new(std::mem::take(servers), parse);
        let mut reader = Reader::new(transport, Request::Servers(*service), pass);
        let small = !self.many_servers && reader.small_passes(&mut transport.main)?;
        if !small {
            if !reader.bulk_pass(&mut self.bulk)? {
                reader.more_passes(&mut self.bulk)?;
            }
            self.many_servers = true;
        }
        self.has_unknown |= reader.pass.has_unknown;
        // The kernel cannot be asked for one server: what was there stays.
        *servers = reader.settle(|_| Ok(true))?;
        self.many_servers &= servers.len() > FEW_SERVERS;
        Ok(())
    }
}

/// Brings `service` up to date, if there still is one of that name.
fn still_there(transport: &mut Transport, service: &mut Service) -> Result<bool, ListError> {
    match transport.ask(Request::Service(service.key), parse_service) {
        Ok(now) => {
            *service = now;
            Ok(true)
        }
        Err(KernelError::Refused(Errno(libc::ESRCH))) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Each pass returns true once the listing is proven complete.
impl<T: Item, P: Fn(&[u8]) -> Option<T>> Reader<T, P> {
    fn new(transport: &Transport, request: Request, pass: Pass<T, P>) -> Self {
        Reader {
            namespace: transport.namespace.clone(),
            family: transport.family,
            request,
            pass,
            union: Union::default(),
        }
    }

    fn start(&self, channel: &mut Channel) -> Result<Dump, KernelError> {
        Dump::start(channel, self.request.message(self.family))
    }

    /// A pass that receives with small sizes only, and another one if all seems to
    /// have come at once.
    fn small_passes(&mut self, channel: &mut Channel) -> Result<bool, KernelError> {
        for _ in 0..2 {
            let mut dump = self.start(channel)?;
            let progress = dump.finish(channel, SMALL, &mut self.pass)?;
            let again = self.pass.is_likely_snapshot();
            if self.end_pass(progress) {
                return Ok(true);
            }
            if !again {
                break;
            }
        }
        Ok(false)
    }

    /// A pass on the main socket for as long as small sizes do. If they do not,
    /// the socket becomes the bulk socket.
    fn pass_from_small(
        &mut self,
        transport: &mut Transport,
        bulk: &mut Option<Channel>,
    ) -> Result<bool, KernelError> {
        let mut dump = self.start(&mut transport.main)?;
        let mut progress = dump.step(&mut transport.main, SMALL, &mut self.pass)?;
        if progress == Progress::Going && self.pass.is_snapshot() {
            progress = dump.step(&mut transport.main, SMALL, &mut self.pass)?;
        }
        if progress == Progress::Going {
            let main = std::mem::replace(
                &mut transport.main,
                self.namespace.channel(NETLINK_GENERIC)?,
            );
            let channel = bulk.insert(main);
            // Two datagrams are small already. With this one they make half a
            // large one, so that the seams of the bulk pass fall into the
            // middle between the seams of this.
            progress = dump.step(channel, 2 * SMALL, &mut self.pass)?;
            if progress == Progress::Going {
                progress = dump.finish(channel, LARGE, &mut self.pass)?;
            }
        }
        Ok(self.end_pass(progress))
    }

    /// A pass over the bulk socket.
    fn bulk_pass(&mut self, bulk: &mut Option<Channel>) -> Result<bool, KernelError> {
        let channel = match bulk {
            Some(channel) => channel,
            none => none.insert(bulk_channel(&self.namespace, self.family)?),
        };
        let mut dump = self.start(channel)?;
        let progress = dump.finish(channel, LARGE, &mut self.pass)?;
        Ok(self.end_pass(progress))
    }

    /// Passes until the listing is complete: one over a socket of its own, so that
    /// its seams can be shifted, then one over the bulk socket. Only the latter
    /// begin with a large datagram, which reaches past servers that come and go:
    /// the kernel puts new ones first.
    fn more_passes(&mut self, bulk: &mut Option<Channel>) -> Result<(), ListError> {
        for shift in SHIFTS.iter().cycle().take(TRIES) {
            let mut channel = self.namespace.channel(NETLINK_GENERIC)?;
            let mut dump = self.start(&mut channel)?;
            let mut progress = dump.step(&mut channel, shift << 10, &mut self.pass)?;
            if progress == Progress::Going {
                progress = dump.finish(&mut channel, LARGE, &mut self.pass)?;
            }
            if self.end_pass(progress) || self.bulk_pass(bulk)? {
                return Ok(());
            }
        }
        Err(ListError::Unstable)
    }

    /// A snapshot needs nothing else and stays where it is; other passes join the
    /// union. A pass that was disturbed is discarded.
    fn end_pass(&mut self, progress: Progress) -> bool {
        if progress != Progress::Finished {
            self.pass.clear();
            return false;
        }
        if self.pass.is_snapshot() {
            return true;
        }
        self.union.absorb(&mut self.pass);
        self.union.is_whole()
    }

    /// The entries. `keep` decides on those that the last pass did not see.
    fn settle(
        self,
        keep: impl FnMut(&mut T) -> Result<bool, ListError>,
    ) -> Result<Vec<T>, ListError> {
        if self.pass.is_snapshot() {
            return Ok(self.pass.items);
        }
        self.union.settle(keep)
    }
}

#[cfg(test)]
mod tests {
    use super::super::coverage::{Coverage, End};
    use super::super::dump::end;
    use super::*;

    /// The kernel's smallest buffer, and its largest.
    const LEAST: usize = 3776;
    const MOST: usize = (32 << 10) - 320;

    /// A pass over `count` entries of `len` bytes each that nobody changes, on a
    /// socket that has received with `largest` before; how it ended, if it was
    /// one datagram.
    fn pass(
        coverage: &mut Coverage,
        (count, len): (u32, usize),
        mut largest: usize,
        sizes: &[usize],
    ) -> Option<End> {
        let mut sizes = sizes.iter().chain(std::iter::repeat(&LARGE));
        let (mut at, mut only) = (0, None);
        coverage.begin();
        while at < count {
            let fit = (largest.clamp(LEAST, MOST) / len) as u32;
            let run = fit.min(count - at);
            (at..at + run).for_each(|id| coverage.entry(id));
            let end = end(run as usize * len, len, largest);
            coverage.seam(end);
            only = (at == 0).then_some(end);
            at += run;
            largest = largest.max(*sizes.next().unwrap());
        }
        coverage.finish();
        only
    }

    fn sizes() -> impl Iterator<Item = (u32, usize)> {
        (1..=700).flat_map(|count| (300..=420).step_by(10).map(move |len| (count, len)))
    }

    #[test]
    fn services_at_rest_take_two_passes_at_most() {
        for size in sizes() {
            let mut coverage = Coverage::default();
            pass(&mut coverage, size, SMALL, &[SMALL, SMALL, 2 * SMALL]);
            let first = coverage.whole();
            pass(&mut coverage, size, LARGE, &[]);
            assert!(coverage.whole(), "{size:?}");
            assert!(first || size.0 as usize * size.1 > 3000, "{size:?}");
        }
    }

    /// A third one where two datagrams are large: a small one is too short to
    /// bridge the seam between them.
    #[test]
    fn servers_that_fit_a_large_datagram_take_two_passes_at_most() {
        for size in sizes() {
            let mut coverage = Coverage::default();
            let only = pass(&mut coverage, size, SMALL, &[SMALL; 300]);
            let bytes = size.0 as usize * size.1;
            assert!(coverage.whole() || bytes > 3000, "{size:?}");
            match only {
                Some(End::Likely) => pass(&mut coverage, size, SMALL, &[SMALL; 300]),
                _ => pass(&mut coverage, size, LARGE, &[]),
            };
            if bytes > LARGE - 500 && !coverage.whole() {
                pass(&mut coverage, size, 0, &[SHIFTS[0] << 10]);
            }
            assert!(coverage.whole(), "{size:?}");
        }
    }
}

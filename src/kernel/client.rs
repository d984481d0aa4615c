//! The client: a verb of the interface, a method.

use super::channel::Channel;
use super::error::{KernelError, ListError, OpenError};
use super::namespace::Namespace;
use super::{batch, listing, open};
use crate::model::{Change, Daemon, Info, Name, Server, Service, ServiceKey, Timeouts};
use crate::wire::{Body, Request, parse_info, parse_service, parse_timeouts};
use netlink_packet_core::NLM_F_ACK;
use std::io;

/// A conversation with the kernel's IPVS in the network namespace in which it
/// was opened.
///
/// Every request but the family's resolution needs `CAP_NET_ADMIN` in the
/// initial user namespace: whoever lacks it gets `EPERM` for the first one,
/// whatever it is. No method waits for anything but the kernel's own work.
pub struct Ipvs {
    pub(super) namespace: Namespace,
    pub(super) family: u16,
    /// For everything but long dumps; received from with small sizes only.
    pub(super) main: Channel,
    pub(super) long: listing::DumpSocket,
    /// The schedulers whose modules need not be loaded (again).
    pub(super) loaded: Vec<Name>,
}

impl Ipvs {
    /// Opens the socket and resolves the family, loading the module if need
    /// be. That is all: an ordinary user gets this far.
    pub fn open(namespace: Namespace) -> Result<Ipvs, OpenError> {
        let mut main = namespace.channel()?;
        let family = open::resolve(&mut main)?;
        Ok(Ipvs {
            namespace,
            family,
            main,
            long: listing::DumpSocket::default(),
            loaded: Vec::new(),
        })
    }

    /// The network namespace in which this was opened.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Version and size of the connection table.
    pub fn info(&mut self) -> Result<Info, KernelError> {
        self.ask(Request::Info, |attributes| Some(parse_info(attributes)))
    }

    /// The session time-outs.
    pub fn timeouts(&mut self) -> Result<Timeouts, KernelError> {
        self.ask(Request::Timeouts, |attributes| {
            Some(parse_timeouts(attributes))
        })
    }

    /// One service; `ESRCH` if there is none of that name.
    pub fn service(&mut self, key: &ServiceKey) -> Result<Service, KernelError> {
        self.ask(Request::Service(*key), parse_service)
    }

    /// All services in the kernel's order, each once, and none missing that is
    /// there during the whole call.
    ///
    /// A service that comes or goes meanwhile may be in the list or not.
    pub fn services(&mut self) -> Result<Vec<Service>, ListError> {
        listing::services(self)
    }

    /// The servers of a service in the kernel's order; complete and unique as
    /// [`Ipvs::services`] is.
    ///
    /// A service that is not there (any more) has no servers, and may also
    /// give `ESRCH`: after [`Ipvs::services`] neither is worth a complaint.
    pub fn servers(&mut self, service: &ServiceKey) -> Result<Vec<Server>, ListError> {
        let mut servers = Vec::new();
        self.servers_into(service, &mut servers)?;
        Ok(servers)
    }

    /// As [`Ipvs::servers`], into a list that is emptied first, so that a loop
    /// over many services needs only one.
    pub fn servers_into(
        &mut self,
        service: &ServiceKey,
        servers: &mut Vec<Server>,
    ) -> Result<(), ListError> {
        listing::servers(self, service, servers)
    }

    /// The running daemons, the master first.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, ListError> {
        listing::daemons(self)
    }

    /// Changes one thing and waits for the kernel's word that it is done.
    pub fn change(&mut self, change: &Change) -> Result<(), KernelError> {
        open::load_scheduler(change, &mut self.loaded);
        let request = Request::Change(*change);
        let flags = request.flags() | NLM_F_ACK;
        let sequence = self.main.request(&request, self.family, flags)?;
        let answer = self.main.answer(sequence, |body| match body {
            Body::Answer(0) => Ok(()),
            Body::Answer(errno) => Err(KernelError::Refused(errno)),
            _ => Err(KernelError::Malformed),
        });
        match answer {
            Err(KernelError::Lost) if may_be_silent(change) => Ok(()),
            answer => answer?,
        }
    }

    /// Changes many things, in order, many messages in a send. What is refused
    /// is told to `refused` with its tag, in order too, and the rest goes on;
    /// an error of the socket itself ends it.
    pub fn batch<T>(
        &mut self,
        changes: impl Iterator<Item = (T, Change)>,
        refused: impl FnMut(T, KernelError),
    ) -> io::Result<()> {
        batch::run(self, changes, refused)
    }

    /// A request that one message answers.
    fn ask<T>(
        &mut self,
        request: Request,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, KernelError> {
        let sequence = self.main.request(&request, self.family, request.flags())?;
        self.main.answer(sequence, |body| match body {
            Body::Data(attributes) => parse(attributes).ok_or(KernelError::Malformed),
            Body::Answer(errno) if errno != 0 => Err(KernelError::Refused(errno)),
            _ => Err(KernelError::Malformed),
        })?
    }
}

/// Whether the kernel may do `change` and answer nothing. Netlink takes EINTR
/// for a word that needs no answer, and that is what stopping a sync daemon
/// comes to if its thread has not run yet (kthread_stop in kernel/kthread.c,
/// netlink_rcv_skb in net/netlink/af_netlink.c).
pub(super) fn may_be_silent(change: &Change) -> bool {
    matches!(change, Change::StopDaemon(_))
}

//! The client: a method for each operation that the kernel offers.

use super::error::{BatchError, Errno, KernelError, ListError, OpenError};
use super::listing::Listings;
use super::namespace::Namespace;
use super::open::{Modprobe, Modules};
use super::transport::Transport;
use super::{batch, look};
use crate::model::{Change, Daemon, Info, Server, Service, ServiceKey, Table, Timeouts};
use crate::wire::{Body, Request, parse_info, parse_service, parse_timeouts};
use netlink_packet_core::NLM_F_ACK;

/// A conversation with the kernel's IPVS in the network namespace in which it
/// was opened.
///
/// Every request but the family's resolution needs `CAP_NET_ADMIN` in the
/// initial user namespace: without it the first request fails with `EPERM`,
/// whatever it is. No method waits for anything but the kernel's own work.
pub struct Ipvs {
    transport: Transport,
    listings: Listings,
    modules: Modules,
}

impl Ipvs {
    /// Opens the socket and resolves the family. An ordinary user gets this far.
    pub fn open(namespace: Namespace, modprobe: Modprobe) -> Result<Ipvs, OpenError> {
        Ok(Ipvs {
            transport: Transport::open(namespace, modprobe)?,
            listings: Listings::default(),
            modules: Modules::new(modprobe),
        })
    }

    /// The network namespace in which this was opened.
    pub fn namespace(&self) -> &Namespace {
        &self.transport.namespace
    }

    /// Version and size of the connection table.
    pub fn info(&mut self) -> Result<Info, KernelError> {
        let parse = |attributes: &[u8]| Some(parse_info(attributes));
        self.transport.ask(Request::Info, parse)
    }

    /// The session time-outs.
    pub fn timeouts(&mut self) -> Result<Timeouts, KernelError> {
        let parse = |attributes: &[u8]| Some(parse_timeouts(attributes));
        self.transport.ask(Request::Timeouts, parse)
    }

    /// One service; refused with `ESRCH` if there is none of that name.
    ///
    /// ```no_run
    /// # use ipvs::{Errno, Ipvs, KernelError, ServiceKey};
    /// # fn is_there(ipvs: &mut Ipvs, web: ServiceKey) -> Result<bool, KernelError> {
    /// match ipvs.service(&web) {
    ///     Ok(_) => Ok(true),
    ///     Err(KernelError::Refused(Errno(libc::ESRCH))) => Ok(false),
    ///     Err(error) => Err(error),
    /// }
    /// # }
    /// ```
    pub fn service(&mut self, key: &ServiceKey) -> Result<Service, KernelError> {
        self.transport.ask(Request::Service(*key), parse_service)
    }

    /// All services in the kernel's order, each once, and none missing that is
    /// there during the whole call.
    ///
    /// A service that comes or goes meanwhile may be in the list or not.
    pub fn services(&mut self) -> Result<Vec<Service>, ListError> {
        self.listings.services(&mut self.transport)
    }

    /// All services, or only this one: `ESRCH` if it is not there.
    pub fn all_or_one(&mut self, only: Option<&ServiceKey>) -> Result<Vec<Service>, ListError> {
        match only {
            Some(key) => Ok(vec![self.service(key)?]),
            None => self.services(),
        }
    }

    /// The servers of a service in the kernel's order; complete and unique as
    /// [`Ipvs::services`] is. A service that is not there has no servers.
    pub fn servers(&mut self, service: &ServiceKey) -> Result<Vec<Server>, ListError> {
        let mut servers = Vec::new();
        self.servers_into(service, &mut servers)?;
        Ok(servers)
    }

    /// The same into a list that is emptied first; whether the service is there
    /// (the kernel does not always say so).
    fn servers_into(
        &mut self,
        service: &ServiceKey,
        servers: &mut Vec<Server>,
    ) -> Result<bool, ListError> {
        match self.listings.servers(&mut self.transport, service, servers) {
            Err(error) if error.is_absence() => {
                servers.clear();
                Ok(false)
            }
            result => result.map(|()| true),
        }
    }

    /// Reads the servers of `services` and hands each service over with its
    /// servers as soon as they are read. A service that is gone by now is left
    /// out.
    pub fn visit_servers<E: From<ListError>>(
        &mut self,
        services: &[Service],
        mut visit: impl FnMut(&Service, &mut [Server]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut servers = Vec::new();
        for service in services {
            if self.servers_into(&service.key, &mut servers)? {
                visit(service, &mut servers)?;
            }
        }
        Ok(())
    }

    /// The table of `services` with their servers.
    pub fn table_of(&mut self, services: &[Service]) -> Result<Table, ListError> {
        let mut table = Table {
            services: Vec::with_capacity(services.len()),
        };
        self.visit_servers(services, |service, servers| {
            table.services.push((*service, servers.to_vec()));
            Ok::<(), ListError>(())
        })?;
        Ok(table)
    }

    /// Whether the lists of services and servers lack any so far because their
    /// address family is not known.
    pub fn has_unknown(&self) -> bool {
        self.listings.has_unknown
    }

    /// The running daemons, the master first.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, ListError> {
        self.listings.daemons(&mut self.transport)
    }

    /// Makes one change and waits for the kernel to confirm it. If the answer
    /// does not arrive, a look at the table decides where it can; an error of
    /// which [`KernelError::may_be_done`] is true means that it could not.
    pub fn change(&mut self, change: &Change) -> Result<(), KernelError> {
        self.modules.load_for(change);
        match self.try_change(change) {
            Err(error) if error.may_be_done() => {
                match look::is_made(&mut self.transport, &mut self.listings, change) {
                    Some(true) => Ok(()),
                    Some(false) => Err(KernelError::NotMade(error.into())),
                    None => Err(error),
                }
            }
            answer => answer,
        }
    }

    fn try_change(&mut self, change: &Change) -> Result<(), KernelError> {
        let Transport { main, family, .. } = &mut self.transport;
        let request = Request::Change(*change).message(*family);
        let sequence = main.request(request, NLM_F_ACK)?;
        main.answer(sequence, |body| match body {
            Body::Answer(0) => Ok(()),
            Body::Answer(errno) => Err(KernelError::Refused(Errno(errno))),
            _ => Err(KernelError::Malformed),
        })?
    }

    /// Makes many changes in order, many messages per send. What the kernel
    /// refused, and what it did not answer, is reported to `failed` with its tag,
    /// also in order, and the rest goes on. If requests cannot be sent any more, or
    /// it cannot even be seen any more what became of them, this ends.
    ///
    /// ```no_run
    /// # use ipvs::{Change, Forwarding, Ipvs, Modprobe, Namespace, ServerConfig, ServiceKey};
    /// # fn drain_all(web: ServiceKey) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut ipvs = Ipvs::open(Namespace::current(), Modprobe::Never)?;
    /// let servers = ipvs.servers(&web)?;
    /// let changes = servers.iter().map(|server| {
    ///     let mut config = server.config;
    ///     config.weight = 0;
    ///     (server.key, Change::EditServer(web, server.key, config))
    /// });
    /// ipvs.batch(changes, |server, error| eprintln!("{server}: {error}"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch<T>(
        &mut self,
        changes: impl Iterator<Item = (T, Change)>,
        failed: impl FnMut(T, KernelError),
    ) -> Result<(), BatchError> {
        let Ipvs {
            transport,
            listings,
            modules,
        } = self;
        let look = |transport: &mut _, change: &_| look::is_made(transport, listings, change);
        batch::run(transport, modules, look, changes, failed)
    }
}

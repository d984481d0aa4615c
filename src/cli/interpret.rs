//! What the options of a command line mean together.
//!
//! [`Args::command`] makes the checks that need all options, in C ipvsadm's
//! order.

use super::args::{Args, Method, REAL_SERVER, VIRTUAL_SERVER};
use super::command::{Action, Check, Command, Format, List, Restore, Save, Watch, Watched};
use super::error::{Taker, UsageError};
use super::goal::{Goal, ServerPatch, ServicePatch, Wish};
use super::matrix::{self, CHECKSUM_OPTIONS, REMOVABLE, TUNNEL_OPTIONS};
use super::options::{CommandName, Opt, OptSet, TunnelType};
use super::values;
use crate::connections::{ConnectionFilter, Counting, EndpointFilter, Key};
use crate::names::Lookup;
use crate::render::{Style, View};
use ipvs::{
    Change, Daemon, Family, Forwarding, Name, Netmask, Protocol, ServerConfig, ServerKey,
    ServiceConfig, ServiceFlags, ServiceKey, Timeouts, Tunnel,
};

/// The interface of a sync daemon without `--mcast-interface`.
pub const DEFAULT_INTERFACE: &str = "eth0";

impl Args<'_> {
    /// What the whole command line means.
    pub fn command(self, lookup: &mut dyn Lookup) -> Result<Command, UsageError> {
        let netmask = self.netmask(lookup)?;
        let timeouts = match self.command {
            CommandName::Set => Some(self.timeouts()?),
            _ => None,
        };
        let expected = if timeouts.is_some() { 3 } else { 0 };
        if let Some(word) = self.words.get(expected) {
            return Err(UsageError::UnexpectedWord(word.to_vec()));
        }
        let flags = self.flags()?;
        matrix::check_command(self.command, self.given)?;
        let change = match self.command {
            CommandName::List => {
                let (list, format) = (self.list()?, self.format()?);
                let json = format == Format::Json;
                return self.watched(
                    Action::List(Box::new(list), format),
                    Watched::Listings { list, json },
                );
            }
            CommandName::Save => {
                let save = self.save();
                return self.watched(Action::Save(save), Watched::Changes { all: save.all });
            }
            CommandName::Restore => return Ok(Command::Restore(self.restore())),
            CommandName::Check => {
                let (service, json) = (self.service, self.given.contains(Opt::Json));
                let check = Check::Director { service };
                return Ok(Command::Check { check, json });
            }
            CommandName::CheckRealServer => {
                let (check, json) = (self.check_real_server()?, self.given.contains(Opt::Json));
                return Ok(Command::Check { check, json });
            }
            CommandName::Help => return Ok(Command::Help),
            CommandName::Version => return Ok(Command::Version),
            CommandName::AddService | CommandName::EditService => {
                return Ok(Command::Action(self.change_service(flags, netmask)?));
            }
            CommandName::DeleteService => return Ok(Command::Action(self.delete_service()?)),
            CommandName::Flush => Change::Flush,
            CommandName::Zero => Change::Zero(self.service),
            CommandName::AddServer | CommandName::EditServer => {
                return Ok(Command::Action(self.change_server()?));
            }
            CommandName::DeleteServer => return Ok(Command::Action(self.delete_server()?)),
            CommandName::Set => match timeouts {
                Some(timeouts) => Change::SetTimeouts(timeouts),
                None => return Err(UsageError::TooFewTimeouts),
            },
            CommandName::StartDaemon => Change::StartDaemon(self.daemon(Some(DEFAULT_INTERFACE))),
            CommandName::StopDaemon => Change::StopDaemon(self.daemon(None)),
        };
        Ok(Command::Action(Action::Change(change)))
    }

    fn timeouts(&self) -> Result<Timeouts, UsageError> {
        let [tcp, tcp_fin, udp, ..] = self.words[..] else {
            return Err(UsageError::TooFewTimeouts);
        };
        Ok(Timeouts {
            tcp: values::timeout(tcp, 0)?,
            tcp_fin: values::timeout(tcp_fin, 0)?,
            udp: values::timeout(udp, 0)?,
        })
    }

    /// The service; the matrix has checked that there is one.
    fn service(&self) -> Result<ServiceKey, UsageError> {
        self.service.ok_or(UsageError::IllegalValue(VIRTUAL_SERVER))
    }

    /// The mask, for the family of the service; without a service, IPv4, as the
    /// original has it.
    fn netmask(&self, lookup: &mut dyn Lookup) -> Result<Netmask, UsageError> {
        let family = self.service.map_or(Family::Inet, |key| key.family());
        match self.netmask {
            Some(text) => values::netmask(text, family, lookup),
            None => Ok(Netmask::host(family)),
        }
    }

    fn has(&self, option: Opt) -> bool {
        self.given.contains(option)
    }

    /// Whether this is an edit that keeps what is there where `option` is not
    /// given.
    fn keeps(&self, option: Opt) -> bool {
        let edits = matches!(
            self.command,
            CommandName::EditService | CommandName::EditServer
        );
        edits && self.has(Opt::Keep) && !self.has(option)
    }

    /// The flags of the scheduler; if that is to stay, they must fit some one.
    fn flags(&self) -> Result<ServiceFlags, UsageError> {
        let of = |scheduler: &Name| values::sched_flags(self.sched_flags, scheduler);
        match of(&self.scheduler) {
            Err(UsageError::ForeignFlag(_)) if self.keeps(Opt::Scheduler) => {
                of(&Name::from("sh")).or_else(|_| of(&Name::from("mh")))
            }
            flags => flags,
        }
    }

    /// `-A` and `-E`
    fn change_service(&self, flags: ServiceFlags, netmask: Netmask) -> Result<Action, UsageError> {
        let key = self.service()?;
        let goal = |wish| Action::Goal(Box::new(Goal::Service(key, wish)));
        if self.command == CommandName::EditService && self.has(Opt::Keep) {
            return Ok(goal(Wish::Keep(self.service_patch(key, netmask)?)));
        }
        let config = self.config(flags, netmask)?;
        Ok(if self.command == CommandName::EditService {
            Action::Change(Change::EditService(key, config))
        } else if !self.has(Opt::Ensure) {
            Action::Change(Change::AddService(key, config))
        } else if self.has(Opt::Keep) {
            goal(Wish::EnsureKept(config, self.service_patch(key, netmask)?))
        } else {
            goal(Wish::Ensure(config))
        })
    }

    fn service_patch(&self, key: ServiceKey, netmask: Netmask) -> Result<ServicePatch, UsageError> {
        let gone = |option| self.without.contains(option);
        let both = REMOVABLE.iter().find(|o| self.has(**o) && gone(**o));
        if let Some(&option) = both {
            let taker = Taker::Command(self.command);
            return Err(UsageError::Conflict(option, Opt::Without, taker));
        }
        if let ServiceKey::Address { protocol, port, .. } = key {
            if port == 0 && gone(Opt::Persistent) {
                return Err(UsageError::ZeroPort);
            }
            if self.has(Opt::Ops) && protocol != Protocol::Udp {
                return Err(UsageError::OnePacketNotUdp);
            }
        }
        // What was not given has the value of what is taken away.
        let named = |option| self.has(option) || gone(option);
        Ok(ServicePatch {
            scheduler: named(Opt::Scheduler).then_some(self.scheduler),
            persistence: named(Opt::Persistent).then_some(self.persistence),
            netmask: named(Opt::Netmask).then_some(netmask),
            engine: named(Opt::Pe).then_some(self.engine),
            one_packet: named(Opt::Ops).then_some(self.has(Opt::Ops)),
            sched_flags: named(Opt::SchedFlags).then(|| self.sched_flags.into()),
        })
    }

    fn delete_service(&self) -> Result<Action, UsageError> {
        let key = self.service()?;
        Ok(match self.has(Opt::Ensure) {
            true => Action::Goal(Box::new(Goal::NoService(key))),
            false => Action::Change(Change::DeleteService(key)),
        })
    }

    fn config(
        &self,
        sched_flags: ServiceFlags,
        netmask: Netmask,
    ) -> Result<ServiceConfig, UsageError> {
        let service = self.service()?;
        let mut flags = sched_flags;
        if self.given.contains(Opt::Persistent) {
            flags |= ServiceFlags::PERSISTENT;
        }
        if self.given.contains(Opt::Ops) {
            flags |= ServiceFlags::ONE_PACKET;
        }
        if let ServiceKey::Address { protocol, port, .. } = service {
            if port == 0 && !flags.persistent() {
                return Err(UsageError::ZeroPort);
            }
            if flags.one_packet() && protocol != Protocol::Udp {
                return Err(UsageError::OnePacketNotUdp);
            }
        }
        Ok(ServiceConfig {
            scheduler: self.scheduler,
            flags,
            timeout: self.persistence,
            netmask,
            engine: self.engine,
        })
    }

    fn server_key(&self) -> Result<ServerKey, UsageError> {
        self.server.ok_or(UsageError::IllegalValue(REAL_SERVER))
    }

    /// `-a` and `-e`
    fn change_server(&self) -> Result<Action, UsageError> {
        let (service, key) = self.server_keys()?;
        let goal = |wish| Action::Goal(Box::new(Goal::Server(service, key, wish)));
        if self.command == CommandName::EditServer && self.has(Opt::Keep) {
            return Ok(goal(Wish::Keep(self.server_patch()?)));
        }
        let config = ServerConfig {
            forwarding: self.forwarding()?,
            weight: self.weight,
            upper_threshold: self.upper_threshold,
            lower_threshold: self.lower_threshold,
        };
        Ok(if self.command == CommandName::EditServer {
            Action::Change(Change::EditServer(service, key, config))
        } else if !self.has(Opt::Ensure) {
            Action::Change(Change::AddServer(service, key, config))
        } else if self.has(Opt::Keep) {
            goal(Wish::EnsureKept(config, self.server_patch()?))
        } else {
            goal(Wish::Ensure(config))
        })
    }

    /// The service and the server, whose port and family the method decides. A
    /// method that is to stay is not known here: the server is the one typed.
    fn server_keys(&self) -> Result<(ServiceKey, ServerKey), UsageError> {
        let (service, mut server) = (self.service()?, self.server_key()?);
        let kept = self.keeps(Opt::ForwardingMethod);
        // Direct routing and tunnels cannot change the port of a packet.
        let takes_port = match kept {
            true => server.port == 0,
            false => self.method != Method::Masq,
        };
        if let (true, ServiceKey::Address { port, .. }) = (takes_port, service) {
            server.port = port;
        }
        let mixed = Family::of(&server.address) != service.family();
        if mixed && !kept && self.method != Method::Tunnel {
            return Err(UsageError::MixedFamilies);
        }
        Ok((service, server))
    }

    /// Checks what can be checked without knowing the tunnel that is there.
    fn server_patch(&self) -> Result<ServerPatch, UsageError> {
        let method = self.has(Opt::ForwardingMethod).then_some(self.method);
        let tunnel_type = self.has(Opt::TunType).then_some(self.tunnel_type);
        let tunnel_options = self.given.intersection(TUNNEL_OPTIONS);
        if tunnel_options != OptSet::default() {
            if method.is_some_and(|method| method != Method::Tunnel) {
                return Err(UsageError::NoTunnel);
            }
            // Of all types, this one takes the most options.
            let richest = tunnel_type.unwrap_or(TunnelType::Gue);
            let mut options = tunnel_options;
            if richest == TunnelType::Gue {
                options.insert(Opt::TunPort);
            }
            matrix::check_tunnel(richest, options)?;
        }
        let checksum = self.given.intersects(CHECKSUM_OPTIONS);
        Ok(ServerPatch {
            method,
            tunnel_type,
            tunnel_port: self.has(Opt::TunPort).then_some(self.tunnel_port),
            checksum: checksum.then_some(self.checksum),
            tunnel_options,
            weight: self.has(Opt::Weight).then_some(self.weight),
            upper_threshold: self.has(Opt::UThreshold).then_some(self.upper_threshold),
            lower_threshold: self.has(Opt::LThreshold).then_some(self.lower_threshold),
        })
    }

    fn forwarding(&self) -> Result<Forwarding, UsageError> {
        if self.method != Method::Tunnel {
            if self.given.intersects(TUNNEL_OPTIONS) {
                return Err(UsageError::NoTunnel);
            }
            return Ok(match self.method {
                Method::Masq => Forwarding::Masq,
                _ => Forwarding::Route,
            });
        }
        matrix::check_tunnel(self.tunnel_type, self.given)?;
        Ok(Forwarding::Tunnel(match self.tunnel_type {
            TunnelType::Ipip => Tunnel::Ipip,
            TunnelType::Gue => Tunnel::Gue {
                port: self.tunnel_port,
                checksum: self.checksum,
            },
            TunnelType::Gre => Tunnel::Gre {
                checksum: self.checksum,
            },
        }))
    }

    fn check_real_server(&self) -> Result<Check, UsageError> {
        Ok(Check::RealServer {
            service: self.service()?,
            server: self.server,
            forwarding: self.forwarding()?,
        })
    }

    fn delete_server(&self) -> Result<Action, UsageError> {
        let (service, server) = (self.service()?, self.server_key()?);
        Ok(if self.given.contains(Opt::Drain) {
            Action::Drain {
                service,
                server,
                limit: self.drain,
                ensure: self.has(Opt::Ensure),
            }
        } else if self.has(Opt::Ensure) {
            Action::Goal(Box::new(Goal::NoServer(service, server)))
        } else {
            Action::Change(Change::DeleteServer(service, server))
        })
    }

    fn list(&self) -> Result<List, UsageError> {
        let has = |option| self.given.contains(option);
        let other = has(Opt::Timeout) || has(Opt::Daemon);
        let view = has(Opt::Stats) || has(Opt::Rate) || has(Opt::Thresholds);
        if (has(Opt::Connection) || other) && view || other && has(Opt::PersistentConn) {
            return Err(UsageError::ConflictInListing);
        }
        let numeric = has(Opt::Numeric);
        Ok(if has(Opt::Connection) {
            let filter = self.filter()?;
            List::Connections {
                engines: has(Opt::PersistentConn),
                numeric,
                filter,
                by: self.counting(&filter)?,
            }
        } else if has(Opt::Timeout) {
            List::Timeouts
        } else if has(Opt::Daemon) {
            List::Daemons
        } else {
            List::Table {
                service: self.service,
                style: self.style(),
                sorted: !has(Opt::Nosort),
                numeric,
            }
        })
    }

    /// Connections, time-outs and daemons are no metrics.
    fn format(&self) -> Result<Format, UsageError> {
        let has = |option| self.given.contains(option);
        if !has(Opt::Openmetrics) {
            return Ok(if has(Opt::Json) {
                Format::Json
            } else {
                Format::Text
            });
        }
        let others = [Opt::Connection, Opt::Timeout, Opt::Daemon, Opt::Json];
        match others.into_iter().find(|other| has(*other)) {
            None => Ok(Format::OpenMetrics),
            Some(other) => Err(UsageError::Conflict(
                other,
                Opt::Openmetrics,
                Taker::Command(self.command),
            )),
        }
    }

    fn filter(&self) -> Result<ConnectionFilter, UsageError> {
        let service = match self.service {
            Some(ServiceKey::Fwmark { .. }) => return Err(UsageError::MarkOfConnections),
            Some(ServiceKey::Address { address, port, .. }) => {
                Some(EndpointFilter::host(address, port))
            }
            None => None,
        };
        let server = self.server.map(|server| {
            EndpointFilter::host(server.address, self.server_port.unwrap_or_default())
        });
        let families = [service, self.client].map(|filter| filter.map(|f| f.network.family()));
        if let [Some(service), Some(client)] = families {
            if service != client {
                return Err(UsageError::ForeignClient);
            }
        }
        Ok(ConnectionFilter {
            protocol: self.service.and_then(|service| service.protocol()),
            service,
            server,
            client: self.client,
            states: self.states,
        })
    }

    fn counting(&self, filter: &ConnectionFilter) -> Result<Option<Counting>, UsageError> {
        let Some(keys) = self.by else {
            return match self.top {
                Some(_) => Err(UsageError::TopOfNothing),
                None => Ok(None),
            };
        };
        let clients = filter.service.or(filter.client);
        let of_ipv4 = clients.is_some_and(|filter| filter.network.family() == Family::Inet);
        for key in keys.iter() {
            match key {
                Key::Client(Some(length @ 33..)) if of_ipv4 => {
                    let word = format!("client/{length}");
                    return Err(UsageError::LongPrefix(word.into()));
                }
                _ => {}
            }
        }
        Ok(Some(Counting {
            keys,
            top: self.top,
        }))
    }

    fn style(&self) -> Style {
        let views = [
            (Opt::Stats, View::Stats),
            (Opt::Rate, View::Rate),
            (Opt::Thresholds, View::Thresholds),
            (Opt::PersistentConn, View::PersistentConn),
            (Opt::TunInfo, View::TunInfo),
        ];
        let chosen = views
            .into_iter()
            .find(|(option, _)| self.given.contains(*option));
        Style {
            view: chosen.map_or(View::Plain, |(_, view)| view),
            exact: self.given.contains(Opt::Exact),
        }
    }

    fn save(&self) -> Save {
        Save {
            numeric: self.given.contains(Opt::Numeric),
            all: self.given.contains(Opt::All),
        }
    }

    /// `action`, or with `--watch` what takes its place.
    fn watched(&self, action: Action, what: Watched) -> Result<Command, UsageError> {
        if self.given.contains(Opt::Watch) {
            // One reader reads one exposition.
            if self.given.contains(Opt::Openmetrics) {
                return Err(UsageError::Conflict(
                    Opt::Openmetrics,
                    Opt::Watch,
                    Taker::Command(self.command),
                ));
            }
            return Ok(Command::Watch(Watch {
                what,
                interval: self.interval,
                samples: self.samples,
            }));
        }
        if self.given.contains(Opt::Samples) {
            return Err(UsageError::Needs(Opt::Samples, Opt::Watch));
        }
        Ok(Command::Action(action))
    }

    fn restore(&self) -> Restore {
        Restore {
            replace: self.given.contains(Opt::Replace),
            dry_run: self.given.contains(Opt::DryRun),
        }
    }

    fn daemon(&self, default_interface: Option<&str>) -> Daemon {
        let mut config = self.daemon;
        config.interface = config.interface.or(default_interface.map(Name::from));
        Daemon {
            role: self.role,
            config,
        }
    }
}
